/**
 * Formatted text as a small tree. It stands between the two wire forms (Markdown that a person types, HTML that a
 * message carries) and the screen, so that no HTML string is ever put into the page.
 */
export type Rich =
  | { t: "text"; v: string }
  | { t: "br" }
  | { t: "hr" }
  | { t: "code"; v: string }
  | { t: "pre"; v: string; lang?: string }
  | { t: "strong" | "em" | "del" | "u" | "sub" | "sup" | "p" | "quote"; c: Rich[] }
  | { t: "heading"; level: number; c: Rich[] }
  | { t: "link"; href: string; c: Rich[] }
  | { t: "mention"; id: string; name: string }
  | { t: "spoiler"; reason?: string; c: Rich[] }
  | { t: "list"; start?: number; items: Rich[][] }
  | { t: "table"; head: Rich[][]; rows: Rich[][][] };

export type RichTag = Rich["t"];

const BLOCKS = new Set<RichTag>(["hr", "pre", "p", "quote", "heading", "list", "table"]);

/** Whether the node stands on lines of its own. */
export function isBlock(node: Rich): boolean {
  return BLOCKS.has(node.t);
}

/** What a node contains, in reading order; empty for leaves. */
export function childrenOf(node: Rich): Rich[] {
  if ("c" in node) return node.c;
  if (node.t === "list") return node.items.flat();
  if (node.t === "table") return [...node.head.flat(), ...node.rows.flat(2)];
  return [];
}

/** Whether any node of the tree satisfies the test. */
export function someNode(nodes: Rich[], test: (node: Rich) => boolean): boolean {
  return nodes.some((node) => test(node) || someNode(childrenOf(node), test));
}

/** The words of the tree on one line: for reply quotes, notifications and screen readers. */
export function toPlain(nodes: Rich[]): string {
  return nodes.map(plainNode).join("").replaceAll(/\s+/g, " ").trim();
}

function plainNode(node: Rich): string {
  switch (node.t) {
    case "text":
    case "code":
      return node.v;
    case "pre":
      return ` ${node.v} `;
    case "br":
    case "hr":
      return " ";
    case "mention":
      return mentionText(node);
    case "spoiler":
      return node.reason ? `(hidden: ${node.reason})` : "(hidden)";
    default: {
      const inner = childrenOf(node)
        .map(plainNode)
        .join(isBlock(node) && node.t !== "p" ? " " : "");
      return isBlock(node) ? ` ${inner} ` : inner;
    }
  }
}

/** How a mention reads: `@Mara Silva` for a person, `#room` as it is. */
export function mentionText(mention: { id: string; name: string }): string {
  if (!mention.id.startsWith("@")) return mention.name;
  return mention.name.startsWith("@") ? mention.name : `@${mention.name}`;
}
