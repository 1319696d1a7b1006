/** Pure edits of the composer's text: what is asked for at the caret, and what a key does to the selection. */

/** Text with a selection; `start` equals `end` for a caret. Offsets count UTF-16 units, as a textarea does. */
export interface Selected {
  text: string;
  start: number;
  end: number;
}

export type Sign = "@" | "#" | ":";

/** What stands between a sign and the caret, and where the sign is. */
export interface Query {
  sign: Sign;
  term: string;
  start: number;
}

const MAX_TERM = 40;

/**
 * The suggestion that the caret asks for, or null. A sign counts at the beginning or after white space or an opening
 * bracket; a term may hold one space, so that "@Ana Du" still finds Ana Duarte. `:` needs two letters.
 */
export function queryAt(text: string, caret: number): Query | null {
  if (insideFence(text, caret)) return null;
  const before = text.slice(Math.max(0, caret - MAX_TERM), caret);
  const match = /(?:^|[\s(])([@#:])((?:[^\s@#:]+(?: [^\s@#:]*)?)?)$/u.exec(before);
  const sign = match?.[1] as Sign | undefined;
  const term = match?.[2] ?? "";
  if (!sign || (sign === ":" && (term.includes(" ") || term.length < 2))) return null;
  return { sign, term, start: caret - term.length - 1 };
}

/** The text with the query replaced by what was chosen and a space after it. */
export function acceptAt(text: string, caret: number, choice: { query: Query; insert: string }): Selected {
  const rest = text.slice(caret);
  const space = /^\s/.test(rest) ? "" : " ";
  const end = choice.query.start + choice.insert.length + 1;
  return { text: text.slice(0, choice.query.start) + choice.insert + space + rest, start: end, end };
}

/** Whether the caret is inside an open ``` block, where Enter makes a line and `@` means itself. */
export function insideFence(text: string, caret: number): boolean {
  const fences = text.slice(0, caret).match(/^```/gm);
  return (fences?.length ?? 0) % 2 === 1;
}

/** Puts `mark` around the selection, or takes it away when it is there. An empty selection gets the caret between. */
export function toggleMark(selected: Selected, mark: string): Selected {
  const { text, start, end } = selected;
  const inner = text.slice(start, end);
  const size = mark.length;
  if (text.slice(start - size, start) === mark && text.slice(end, end + size) === mark) {
    return { text: text.slice(0, start - size) + inner + text.slice(end + size), start: start - size, end: end - size };
  }
  return { text: text.slice(0, start) + mark + inner + mark + text.slice(end), start: start + size, end: end + size };
}

/** Puts `prefix` (`> `, `- `) before each line of the selection, or takes it away when every line has it. */
export function togglePrefix(selected: Selected, prefix: string): Selected {
  const { text } = selected;
  const from = text.lastIndexOf("\n", selected.start - 1) + 1;
  const lineEnd = text.indexOf("\n", selected.end);
  const to = lineEnd === -1 ? text.length : lineEnd;
  const lines = text.slice(from, to).split("\n");
  const all = lines.every((line) => line.startsWith(prefix));
  const changed = lines.map((line) => (all ? line.slice(prefix.length) : prefix + line)).join("\n");
  const end = from + changed.length;
  return { text: text.slice(0, from) + changed + text.slice(to), start: lines.length > 1 ? from : end, end };
}

/** Makes the selected words a link. */
export function makeLink(selected: Selected, href: string): Selected {
  const { text, start, end } = selected;
  const link = `[${text.slice(start, end)}](${href})`;
  return { text: text.slice(0, start) + link + text.slice(end), start: start + link.length, end: start + link.length };
}

/** Replaces the selection. */
export function insertText(selected: Selected, insert: string): Selected {
  const caret = selected.start + insert.length;
  return {
    text: selected.text.slice(0, selected.start) + insert + selected.text.slice(selected.end),
    start: caret,
    end: caret,
  };
}
