import { linkify, matrixTarget, safeHref } from "./links.ts";
import type { Rich } from "./rich.ts";

/** What this module needs of a DOM node; the browser's own nodes fit, and so do the small objects of the tests. */
export interface HtmlNode {
  readonly nodeType: number;
  readonly nodeName: string;
  readonly nodeValue: string | null;
  readonly textContent: string | null;
  readonly childNodes: ArrayLike<HtmlNode>;
  getAttribute?(name: string): string | null;
}

const TEXT_NODE = 3;
const ELEMENT_NODE = 1;
/** Deeper elements become their text; the specification advises a limit of 100. */
const MAX_DEPTH = 60;

const INLINE = {
  B: "strong",
  STRONG: "strong",
  I: "em",
  EM: "em",
  S: "del",
  DEL: "del",
  STRIKE: "del",
  U: "u",
  SUB: "sub",
  SUP: "sup",
} as const;
const DROPPED = new Set(["SCRIPT", "STYLE", "TEMPLATE", "MX-REPLY", "IFRAME", "OBJECT", "HEAD", "TITLE"]);

/**
 * A message's `formatted_body`, parsed by the browser into an inert document, as a tree of what Parley shows. Elements
 * outside the list of the specification (client-server API, m.room.message, "org.matrix.custom.html") give way to their text.
 */
export function fromHtml(body: HtmlNode): Rich[] {
  return tidy(children(body, 0));
}

function children(node: HtmlNode, depth: number): Rich[] {
  return Array.from(node.childNodes).flatMap((child) => convert(child, depth + 1));
}

function convert(node: HtmlNode, depth: number): Rich[] {
  if (node.nodeType === TEXT_NODE) return linkify((node.nodeValue ?? "").replaceAll(/[\t\n\r ]+/g, " "));
  if (node.nodeType !== ELEMENT_NODE) return [];
  const name = node.nodeName.toUpperCase();
  if (DROPPED.has(name)) return [];
  if (depth > MAX_DEPTH) return [{ t: "text", v: node.textContent ?? "" }];
  if (Object.hasOwn(INLINE, name)) return [{ t: INLINE[name as keyof typeof INLINE], c: children(node, depth) }];
  return element(name, node, depth);
}

function element(name: string, node: HtmlNode, depth: number): Rich[] {
  switch (name) {
    case "BR":
      return [{ t: "br" }];
    case "HR":
      return [{ t: "hr" }];
    case "CODE":
      return [{ t: "code", v: node.textContent ?? "" }];
    case "PRE":
      return [pre(node)];
    case "P":
    case "DIV":
      return [{ t: "p", c: tidy(children(node, depth)) }];
    case "BLOCKQUOTE":
      return [{ t: "quote", c: tidy(children(node, depth)) }];
    case "A":
      return link(node, depth);
    case "UL":
    case "OL":
      return [list(name, node, depth)];
    case "TABLE":
      return [table(node, depth)];
    case "IMG":
      return [{ t: "text", v: attribute(node, "alt") ?? attribute(node, "title") ?? "" }];
    case "SPAN":
      return span(node, depth);
    default:
      return /^H[1-6]$/.test(name)
        ? [{ t: "heading", level: Number(name[1]), c: children(node, depth) }]
        : children(node, depth);
  }
}

function pre(node: HtmlNode): Rich {
  const code = Array.from(node.childNodes).find((child) => child.nodeName.toUpperCase() === "CODE");
  const lang = /(?:^|\s)language-([\w+#.-]{1,30})/.exec((code && attribute(code, "class")) ?? "")?.[1];
  const text = (node.textContent ?? "").replace(/\n$/, "");
  return lang ? { t: "pre", v: text, lang } : { t: "pre", v: text };
}

function link(node: HtmlNode, depth: number): Rich[] {
  const href = attribute(node, "href") ?? "";
  const target = matrixTarget(href);
  const text = node.textContent ?? "";
  if (target && /^[@#!]/.test(target)) return [{ t: "mention", id: target, name: text || target }];
  const safe = safeHref(href);
  const inner = children(node, depth).flatMap((child) => (child.t === "link" ? child.c : [child]));
  return safe ? [{ t: "link", href: safe, c: inner.length > 0 ? inner : [{ t: "text", v: safe }] }] : inner;
}

function span(node: HtmlNode, depth: number): Rich[] {
  const reason = attribute(node, "data-mx-spoiler");
  const inner = children(node, depth);
  if (reason === null) return inner;
  return [reason ? { t: "spoiler", reason, c: inner } : { t: "spoiler", c: inner }];
}

function list(name: string, node: HtmlNode, depth: number): Rich {
  const items = elements(node, "LI").map((item) => tidy(children(item, depth + 1)));
  if (name === "UL") return { t: "list", items };
  const start = Number.parseInt(attribute(node, "start") ?? "1", 10);
  return { t: "list", start: Number.isFinite(start) ? start : 1, items };
}

function table(node: HtmlNode, depth: number): Rich {
  const rows = [node, ...elements(node, "THEAD"), ...elements(node, "TBODY")].flatMap((part) => elements(part, "TR"));
  const cells = (row: HtmlNode, name: string) => elements(row, name).map((cell) => tidy(children(cell, depth + 3)));
  const head = rows.map((row) => cells(row, "TH")).find((row) => row.length > 0) ?? [];
  return { t: "table", head, rows: rows.map((row) => cells(row, "TD")).filter((row) => row.length > 0) };
}

function elements(node: HtmlNode, name: string): HtmlNode[] {
  return Array.from(node.childNodes).filter((child) => child.nodeName.toUpperCase() === name);
}

function attribute(node: HtmlNode, name: string): string | null {
  return node.getAttribute?.(name) ?? null;
}

/** Removes the white space that HTML has between blocks and around line breaks at the edges. */
function tidy(nodes: Rich[]): Rich[] {
  const hasBlock = nodes.some((node) => node.t === "p" || node.t === "pre" || node.t === "list" || node.t === "quote");
  const kept = hasBlock ? nodes.filter((node) => !(node.t === "text" && node.v.trim() === "")) : nodes;
  let start = 0;
  let end = kept.length;
  while (start < end && isEmptyEdge(kept[start])) start += 1;
  while (end > start && isEmptyEdge(kept[end - 1])) end -= 1;
  return kept.slice(start, end);
}

function isEmptyEdge(node: Rich | undefined): boolean {
  return node?.t === "br" || (node?.t === "text" && node.v.trim() === "");
}
