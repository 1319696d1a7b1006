/** What a Cypher text is, as far as one must know before it runs: what it gives, whether it writes, and its form without values. */
import { limits } from "../../limits.ts";
import { BEFORE_BRACKETS, FUNCTIONS } from "./functions.ts";
import { isSymbol, isWord, nameIn, syntaxError, type Token, tokensOf } from "./tokens.ts";

export interface Shape {
  /** A name for each column that it gives; none where it gives nothing. */
  columns: readonly string[];
  /** Its clauses that change the graph, such as CREATE, in their order. */
  writes: readonly string[];
  /** The names of its parameters. */
  parameters: readonly string[];
  /** The text without comments, and with `?` for every value: what may be kept of it where values may be personal. */
  form: string;
}

const WRITES = ["CREATE", "MERGE", "SET", "REMOVE", "DELETE", "DETACH"] as const;

/** Throws M_INVALID_PARAM, with its position, for what is no Cypher and for what is not run here. */
export function shapeOf(text: string): Shape {
  if (text.length > limits.cypher_characters)
    throw syntaxError(`The text is longer than ${limits.cypher_characters} characters.`, limits.cypher_characters);
  const tokens = tokensOf(text).filter(({ kind }) => kind !== "comment");
  if (tokens.length === 0) throw syntaxError("There is nothing to run.", 0);
  refuseForeign(tokens);
  const depths = depthsOf(tokens);
  return {
    columns: columnsOf(text, tokens, depths),
    writes: writesOf(tokens),
    parameters: [...new Set(tokens.filter(({ kind }) => kind === "parameter").map((each) => each.text.slice(1)))],
    form: formOf(tokens),
  };
}

/**
 * AGE calls any function of the database that is named with its schema, and takes brackets away before it looks: `(pg_catalog).f()` and
 * `pg_catalog.(f())` are that too, and such a function may do anything. So behind a dot stands no bracket and no call. Without a schema it
 * calls whatever has a name that begins with `age_` in its own; among these are parts of itself that do not look at what they are given, and
 * end the whole server (`materialize_vle_path(1)`). So only what is meant for people is called. A `;` would begin another statement.
 */
function refuseForeign(tokens: readonly Token[]): void {
  for (const [i, token] of tokens.entries()) {
    const [next, open] = [tokens[i + 1], tokens[i + 2]];
    const isCallBehindDot = isSymbol(next, "(") || (next && isName(next) && isSymbol(open, "("));
    if (isSymbol(token, ".") && isCallBehindDot)
      throw syntaxError(
        "Functions of the database itself are not called here: only those of Cypher, and behind a dot stands the name of a property.",
        (next as Token).at,
      );
    if (isName(token) && isSymbol(next, "(") && !isCallable(token))
      throw syntaxError(`There is no function ${nameIn(token)} here: only those of Cypher are called.`, token.at);
    if (isSymbol(token, ";") && i < tokens.length - 1) throw syntaxError("One query at a time.", token.at);
    if (isWord(token, "EXPLAIN") && i === 0) throw syntaxError("Ask for the plan in place of EXPLAIN.", token.at);
  }
}

function isCallable(token: Token): boolean {
  const name = nameIn(token).toLowerCase();
  return FUNCTIONS.has(name) || (token.kind === "word" && BEFORE_BRACKETS.has(name));
}

function isName({ kind }: Token): boolean {
  return kind === "word" || kind === "quoted";
}

const OPENS = "([{";
const CLOSES = ")]}";

/** How many brackets each token is in. Throws where they do not match. */
function depthsOf(tokens: readonly Token[]): number[] {
  const open: Token[] = [];
  const depths = tokens.map((token) => {
    if (token.kind !== "symbol") return open.length;
    if (OPENS.includes(token.text)) return open.push(token) - 1;
    if (!CLOSES.includes(token.text)) return open.length;
    const opened = open.pop();
    if (!opened || OPENS.indexOf(opened.text) !== CLOSES.indexOf(token.text))
      throw syntaxError(`"${token.text}" closes nothing.`, token.at);
    return open.length;
  });
  const [first] = open.slice(-1);
  if (first) throw syntaxError(`"${first.text}" is not closed.`, first.at);
  return depths;
}

/** A word behind a dot or a colon is a property or a label, and one before a colon in a map is its key. */
function isClause(tokens: readonly Token[], i: number): boolean {
  const before = tokens[i - 1];
  return !isSymbol(before, ".") && !isSymbol(before, ":") && !isSymbol(before, "|") && !isSymbol(tokens[i + 1], ":");
}

function writesOf(tokens: readonly Token[]): string[] {
  return tokens.flatMap((token, i) => {
    const word = token.kind === "word" && WRITES.find((each) => each === token.text.toUpperCase());
    return word && isClause(tokens, i) ? [word] : [];
  });
}

function columnsOf(text: string, tokens: readonly Token[], depths: readonly number[]): string[] {
  const isOutside = (i: number) => depths[i] === 0 && isClause(tokens, i);
  // Of a UNION the first part gives the names, as in SQL.
  const union = tokens.findIndex((token, i) => isWord(token, "UNION") && isOutside(i));
  const end = union === -1 ? tokens.length : union;
  const start = tokens.slice(0, end).findLastIndex((token, i) => isWord(token, "RETURN") && isOutside(i));
  if (start === -1) return [];
  const items = itemsOf(tokens, depths, { start: start + 1, end });
  return unique(items.map((item) => columnName(text, item)));
}

const ENDS = ["ORDER", "SKIP", "LIMIT"];

/** What stands between the commas behind RETURN. */
function itemsOf(tokens: readonly Token[], depths: readonly number[], { start, end }: { start: number; end: number }) {
  const first = isWord(tokens[start], "DISTINCT") ? start + 1 : start;
  const items: Token[][] = [[]];
  for (let i = first; i < end; i++) {
    const token = tokens[i] as Token;
    const isOutside = depths[i] === 0;
    if (isOutside && (isSymbol(token, ";") || (ENDS.some((word) => isWord(token, word)) && isClause(tokens, i)))) break;
    if (isOutside && isSymbol(token, ",")) items.push([]);
    else items.at(-1)?.push(token);
  }
  if (items.length > limits.cypherColumns)
    throw syntaxError(`A query gives at most ${limits.cypherColumns} columns.`, tokens[start]?.at ?? 0);
  return items;
}

function columnName(text: string, item: readonly Token[]): string {
  const [first] = item;
  const last = item.at(-1);
  if (!first || !last) throw syntaxError("RETURN lacks what to give.", text.length);
  if (isSymbol(first, "*") && item.length === 1)
    throw syntaxError("RETURN * is not understood here: name what to give, as in RETURN n, r.", first.at);
  if (item.length > 2 && isWord(item.at(-2), "AS") && isName(last)) return nameIn(last);
  return text.slice(first.at, last.at + last.text.length).replaceAll(/\s+/g, " ");
}

function unique(names: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name} (${count})`;
  });
}

/** `MATCH (n:Person {name: ?}) RETURN n`: labels and names of properties are the graph's form, values are somebody's. */
function formOf(tokens: readonly Token[]): string {
  const words = tokens.map((token, i) => {
    const value = token.kind === "string" || token.kind === "number" ? "?" : token.text;
    const before = tokens[i - 1];
    const touches = before !== undefined && before.at + before.text.length === token.at;
    return touches || i === 0 ? value : ` ${value}`;
  });
  return words.join("").slice(0, limits.cypherForm_characters);
}
