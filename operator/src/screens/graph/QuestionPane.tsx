import { useState } from "react";
import { Button } from "../../../../web/src/ui/Button.tsx";
import { cx } from "../../../../web/src/ui/cx.ts";
import { Field } from "../../../../web/src/ui/Field.tsx";
import type { Search } from "../../model/search.ts";
import { Picker } from "./Picker.tsx";
import { SavedViews } from "./SavedViews.tsx";
import { askedBy, type Question, questions, type Status, wordsOf } from "./questions.ts";
import styles from "./Graph.module.css";

export interface QuestionPaneProps {
  search: Search;
  set: (search: Search, options?: { isStep?: boolean }) => void;
  status: Status | undefined;
}

const KEPT = ["user_id", "room_id", "device_id", "days"];

/** What can be asked, and what is in the graph. */
export function QuestionPane({ search, set, status }: QuestionPaneProps) {
  const open = (question: Question) => {
    const kept = KEPT.filter((name) => question.fields.some((field) => field.name === name) && search[name]);
    const values = Object.fromEntries(kept.map((name) => [name, search[name] ?? ""]));
    set({ question: question.name, ...values }, { isStep: true });
  };
  const isAsked = askedBy(search) !== undefined;
  const [unfolded, setUnfolded] = useState<Search>();
  const isFolded = isAsked && unfolded?.["question"] !== search["question"];
  return (
    <nav className={styles["questions"]} aria-label="Questions" data-folded={isFolded || undefined}>
      <ul className={styles["list"]}>
        {questions.map((question) => {
          const isOpen = question.name === search["question"];
          return (
            <li key={question.name} className={styles["item"]} data-open={isOpen || undefined}>
              <button
                type="button"
                className={cx(styles["question"], isOpen && styles["open"])}
                aria-current={isOpen ? "true" : undefined}
                onClick={() => open(question)}
              >
                {question.label}
              </button>
              {isOpen && <Fields key={question.name} question={question} search={search} set={set} />}
            </li>
          );
        })}
      </ul>
      {isFolded && (
        <span className={styles["others"]}>
          <Button size="compact" onPress={() => setUnfolded(search)}>
            Other questions
          </Button>
        </span>
      )}
      <SavedViews search={search} />
      {status && <Counts status={status} />}
    </nav>
  );
}

function Fields({ question, search, set }: { question: Question } & Pick<QuestionPaneProps, "search" | "set">) {
  const change = (name: string, value: string) => {
    const { [name]: _, ...rest } = search;
    // A device is its owner's.
    if (name === "user_id") delete (rest as Record<string, string>)["device_id"];
    if (name !== "lost") delete (rest as Record<string, string>)["lost"];
    set(value === "" ? rest : { ...rest, [name]: value }, { isStep: true });
  };
  if (question.fields.length === 0) return null;
  return (
    <div className={styles["fields"]}>
      {question.fields.map(({ name, kind, label }) =>
        kind === "person" || kind === "room" || kind === "device" ? (
          <Picker
            key={`${name} ${kind === "device" ? search["user_id"] : ""}`}
            kind={kind}
            label={label}
            value={search[name] ?? ""}
            userId={search["user_id"]}
            onChange={(value) => change(name, value)}
          />
        ) : kind === "day" ? (
          <Field
            key={name}
            type="date"
            label={label}
            value={search[name] ?? ""}
            onChange={(value) => change(name, value)}
          />
        ) : (
          <Field
            key={name}
            label={label}
            inputMode="numeric"
            value={search[name] ?? ""}
            placeholder="90"
            onChange={(value) => change(name, value.replaceAll(/\D/g, ""))}
          />
        ),
      )}
    </div>
  );
}

/** How much of everything is in the graph, and where it is kept. */
function Counts({ status }: { status: Status }) {
  return (
    <section className={styles["counts"]} aria-label="In the graph">
      <h2 className={styles["heading"]}>In the graph</h2>
      <dl>
        {Object.entries(status.counts).map(([name, count]) => (
          <div key={name} className={styles["count"]}>
            <dt>{wordsOf(name)}</dt>
            <dd>{count.toLocaleString()}</dd>
          </div>
        ))}
      </dl>
      <p className={styles["note"]}>{status.age}</p>
    </section>
  );
}
