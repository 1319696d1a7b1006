import type { Rich } from "./rich.ts";

const SAFE_SCHEMES = new Set(["http:", "https:", "mailto:", "tel:", "matrix:"]);
const URL_PATTERN = /\b(?:https?:\/\/|www\.)[^\s<>"'`{}|\\^]+/gi;
const MATRIX_TO = /^https?:\/\/matrix\.to\/#\/([^/?]+)/;

/** The address if a person may safely follow it, else null. Addresses without a scheme are taken as https. */
export function safeHref(href: string): string | null {
  const candidate = /^www\./i.test(href) ? `https://${href}` : href.trim();
  try {
    const url = new URL(candidate);
    return SAFE_SCHEMES.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** The user, room or alias that a `matrix.to` or `matrix:` address names (Matrix spec, appendices, "URIs"), else null. */
export function matrixTarget(href: string): string | null {
  const match = MATRIX_TO.exec(href);
  if (match?.[1]) return decodeURIComponentSafe(match[1]);
  const uri = /^matrix:(u|r|roomid)\/([^/?]+)/.exec(href);
  if (!uri?.[1] || !uri[2]) return null;
  const sigil = { u: "@", r: "#", roomid: "!" }[uri[1]] ?? "";
  return sigil + decodeURIComponentSafe(uri[2]);
}

/** The address that other Matrix clients understand as a mention of this user or room. */
export function matrixToUrl(id: string): string {
  return `https://matrix.to/#/${encodeURIComponent(id)}`;
}

/** Splits plain text into text and links, keeping closing punctuation out of the address. */
export function linkify(text: string): Rich[] {
  const nodes: Rich[] = [];
  let end = 0;
  for (const match of text.matchAll(URL_PATTERN)) {
    const shown = trimTail(match[0]);
    const href = safeHref(shown);
    if (!href) continue;
    if (match.index > end) nodes.push({ t: "text", v: text.slice(end, match.index) });
    nodes.push({ t: "link", href, c: [{ t: "text", v: shown }] });
    end = match.index + shown.length;
  }
  if (end < text.length) nodes.push({ t: "text", v: text.slice(end) });
  return nodes;
}

/** Plain text of a message as a tree: its lines and its links. */
export function fromPlain(text: string): Rich[] {
  return text
    .split("\n")
    .flatMap((line, index) => (index === 0 ? linkify(line) : [{ t: "br" } as const, ...linkify(line)]));
}

function trimTail(address: string): string {
  let text = address.replace(/[.,:;!?*_~]+$/, "");
  while (text.endsWith(")") && count(text, ")") > count(text, "(")) text = text.slice(0, -1);
  return text;
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

function decodeURIComponentSafe(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
