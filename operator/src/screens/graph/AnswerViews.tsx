import type { ReactNode } from "react";
import { Link } from "@tanstack/react-router";
import { pathOf } from "../../api.ts";
import { exactTime } from "../../model/time.ts";
import { Empty } from "../../parts/States.tsx";
import { SimpleTable } from "../../table/SimpleTable.tsx";
import { type Answer, textOf, type Value, wordsOf } from "./questions.ts";
import styles from "./Graph.module.css";

/** The answer as a table: all of it, for who can not see a picture. */
export function AnswerTable({ answer }: { answer: Answer }) {
  const [first] = answer.items;
  if (!first) return <Empty>{answer.sentence}</Empty>;
  const columns = Object.keys(first).map((name) => ({
    id: name,
    label: wordsOf(name),
    value: (item: Record<string, Value>) => item[name] ?? null,
    cell: cellOf(name),
  }));
  const items = answer.items.map((item, index) => ({ ...item, "": index }));
  return (
    <div className={styles["scroll"]}>
      <p className={styles["sentence"]}>{answer.sentence}</p>
      <SimpleTable label="Answer" items={items} columns={columns} rowId={(item) => String(item[""])} />
      {answer.total > items.length && (
        <p className={styles["note"]}>
          {(answer.total - items.length).toLocaleString()} more rows are not shown. The shell has them: parley graph.
        </p>
      )}
    </div>
  );
}

function cellOf(name: string): (item: Record<string, Value>) => ReactNode {
  return (item) => <Cell name={name} value={item[name] ?? null} />;
}

function Cell({ name, value }: { name: string; value: Value }) {
  if (typeof value === "string" && value.startsWith("!")) return <Link to={pathOf`/rooms/${value}`}>{value}</Link>;
  if (typeof value === "string" && /^@[^ ]+:/.test(value)) return <Link to={pathOf`/users/${value}`}>{value}</Link>;
  return textOf(name, value, exactTime);
}

/** The answer in sentences: what it is, then every edge. */
export function AnswerText({ answer }: { answer: Answer }) {
  const labels = new Map(answer.nodes.map(({ id, label, type }) => [id, `${label} (${type})`]));
  return (
    <div className={styles["scroll"]}>
      <p className={styles["sentence"]}>{answer.sentence}</p>
      {answer.details.map((detail) => (
        <p key={detail}>{detail}</p>
      ))}
      <h2 className={styles["heading"]}>{answer.edges.length > 0 ? "Every connection" : "Everything named"}</h2>
      <ul className={styles["text"]}>
        {answer.edges.map(({ id, from, to, label, properties }) => (
          <li key={id}>
            {labels.get(from)} → {label} → {labels.get(to)}
            {Object.entries(properties).map(
              ([name, value]) => `, ${wordsOf(name).toLowerCase()} ${textOf(name, value, exactTime)}`,
            )}
          </li>
        ))}
        {answer.edges.length === 0 &&
          answer.nodes.map(({ id, label, type }) => <li key={id}>{`${label} (${type})`}</li>)}
      </ul>
    </div>
  );
}
