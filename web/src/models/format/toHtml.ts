import { matrixToUrl } from "./links.ts";
import { mentionText, type Rich } from "./rich.ts";

const TAGS = {
  strong: "strong",
  em: "em",
  del: "del",
  u: "u",
  sub: "sub",
  sup: "sup",
  p: "p",
  quote: "blockquote",
} as const;

/** Text with the characters that mean something in HTML replaced; safe as content and inside quoted attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** The tree as the HTML of a `formatted_body`. Every text and attribute is escaped; no other markup can come out. */
export function toHtml(nodes: Rich[]): string {
  return nodes.map(nodeHtml).join("");
}

function nodeHtml(node: Rich): string {
  switch (node.t) {
    case "text":
      return escapeHtml(node.v);
    case "br":
      return "<br>";
    case "hr":
      return "<hr>";
    case "code":
      return `<code>${escapeHtml(node.v)}</code>`;
    case "pre":
      return `<pre><code${node.lang ? ` class="language-${escapeHtml(node.lang)}"` : ""}>${escapeHtml(node.v)}\n</code></pre>`;
    case "heading":
      return `<h${node.level}>${toHtml(node.c)}</h${node.level}>`;
    case "link":
      return `<a href="${escapeHtml(node.href)}">${toHtml(node.c)}</a>`;
    case "mention":
      return `<a href="${escapeHtml(matrixToUrl(node.id))}">${escapeHtml(mentionText(node))}</a>`;
    case "spoiler":
      return `<span data-mx-spoiler="${escapeHtml(node.reason ?? "")}">${toHtml(node.c)}</span>`;
    case "list":
      return listHtml(node);
    case "table":
      return tableHtml(node);
    default:
      return `<${TAGS[node.t]}>${toHtml(node.c)}</${TAGS[node.t]}>`;
  }
}

function listHtml(node: { start?: number; items: Rich[][] }): string {
  const items = node.items.map((item) => `<li>${toHtml(item)}</li>`).join("");
  if (node.start === undefined) return `<ul>${items}</ul>`;
  return node.start === 1 ? `<ol>${items}</ol>` : `<ol start="${node.start}">${items}</ol>`;
}

function tableHtml(node: { head: Rich[][]; rows: Rich[][][] }): string {
  const row = (cells: Rich[][], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${toHtml(cell)}</${tag}>`).join("")}</tr>`;
  return `<table><thead>${row(node.head, "th")}</thead><tbody>${node.rows.map((cells) => row(cells, "td")).join("")}</tbody></table>`;
}
