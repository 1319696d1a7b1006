import { Fragment, type ReactNode, useState } from "react";
import { Link } from "wouter";
import { useMessenger } from "../../app/context.ts";
import { isBlock, mentionText, type Rich } from "../../models/format/rich.ts";
import { roomPath } from "../../models/routes.ts";
import { cx } from "../../ui/cx.ts";
import { CodeBlock } from "./CodeBlock.tsx";
import styles from "./RichText.module.css";

/** Formatted text as elements. Whatever the message said, only what stands here can come onto the page. */
export function RichText({ nodes, suffix }: { nodes: Rich[]; suffix?: ReactNode }) {
  const lastIsInline = nodes.length === 0 || !isBlock(nodes.at(-1) as Rich);
  return (
    <div className={styles["text"]} dir="auto">
      {draw(nodes)}
      {suffix && (lastIsInline ? <> {suffix}</> : <p>{suffix}</p>)}
    </div>
  );
}

function draw(nodes: Rich[]): ReactNode {
  return nodes.map((node, index) => <Fragment key={index}>{drawNode(node)}</Fragment>);
}

function drawNode(node: Rich): ReactNode {
  switch (node.t) {
    case "text":
      return node.v;
    case "br":
      return <br />;
    case "hr":
      return <hr />;
    case "code":
      return <code>{node.v}</code>;
    case "pre":
      return <CodeBlock text={node.v} lang={node.lang} />;
    case "heading":
      // A heading inside a message must not stand in the outline of the page.
      return <p className={cx(styles["heading"], node.level <= 2 && styles["big"])}>{draw(node.c)}</p>;
    case "link":
      return (
        <a href={node.href} target="_blank" rel="noreferrer noopener nofollow">
          {draw(node.c)}
        </a>
      );
    case "mention":
      return <MentionPill mention={node} />;
    case "spoiler":
      return <Spoiler reason={node.reason}>{draw(node.c)}</Spoiler>;
    case "list":
      return <List node={node} />;
    case "table":
      return <Table node={node} />;
    default:
      return drawTag(node.t, node.c);
  }
}

function drawTag(tag: "strong" | "em" | "del" | "u" | "sub" | "sup" | "p" | "quote", nodes: Rich[]): ReactNode {
  const Tag = tag === "quote" ? "blockquote" : tag;
  return <Tag>{draw(nodes)}</Tag>;
}

function MentionPill({ mention }: { mention: { id: string; name: string } }) {
  const me = useMessenger().me.getState();
  if (!mention.id.startsWith("@")) {
    return (
      <Link href={roomPath(mention.id)} className={styles["room"]}>
        {mentionText(mention)}
      </Link>
    );
  }
  return (
    <span className={cx(styles["mention"], mention.id === me.id && styles["me"])} title={mention.id}>
      {mentionText(mention)}
    </span>
  );
}

function Spoiler({ reason, children }: { reason?: string | undefined; children: ReactNode }) {
  const [open, setOpen] = useState(false);
  if (open) return <span className={styles["spoilerOpen"]}>{children}</span>;
  return (
    <button type="button" className={styles["spoiler"]} onClick={() => setOpen(true)}>
      {reason ? `Hidden: ${reason}` : "Hidden, show"}
    </button>
  );
}

function List({ node }: { node: { start?: number; items: Rich[][] } }) {
  const items = node.items.map((item, index) => <li key={index}>{draw(item)}</li>);
  return node.start === undefined ? <ul>{items}</ul> : <ol start={node.start}>{items}</ol>;
}

function Table({ node }: { node: { head: Rich[][]; rows: Rich[][][] } }) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reachable by keyboard
    <div className={styles["tableBox"]} tabIndex={0} role="group" aria-label="Table">
      <table>
        {node.head.length > 0 && (
          <thead>
            <tr>
              {node.head.map((cell, index) => (
                <th key={index} scope="col">
                  {draw(cell)}
                </th>
              ))}
            </tr>
          </thead>
        )}
        <tbody>
          {node.rows.map((row, rowIndex) => (
            <tr key={rowIndex}>
              {row.map((cell, index) => (
                <td key={index}>{draw(cell)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
