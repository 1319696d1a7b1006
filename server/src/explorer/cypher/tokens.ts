/**
 * Cypher as words: exactly as Apache AGE takes a text apart (src/backend/parser/ag_scanner.l), so that what is found here, a clause that
 * writes or the end of a comment, is what the database finds. Of bytes above 127 all are letters, and only six characters are blanks.
 */
import { matrixError, type MatrixError } from "../../errors.ts";

export type TokenKind = "word" | "quoted" | "string" | "number" | "parameter" | "symbol" | "comment";

export interface Token {
  kind: TokenKind;
  /** As it is written. */
  text: string;
  /** Where it begins, in UTF-16 units. */
  at: number;
}

const patterns: readonly (readonly [TokenKind | "blank", RegExp])[] = [
  ["blank", /[\t\n\v\f\r ]+/y],
  ["comment", /\/\/[^\n\r]*/y],
  ["comment", /\/\*[^]*?\*\//y],
  ["string", /'(?:[^'\\]|\\[^])*'|"(?:[^"\\]|\\[^])*"/y],
  ["quoted", /`(?:[^`]|``)*`/y],
  // A range (0..1) is two numbers with dots between.
  ["number", /0[Xx][0-9A-Fa-f]+|(?:[0-9]+(?:\.(?!\.)[0-9]*)?|\.[0-9]+)(?:[Ee][+-]?[0-9]+)?/y],
  ["parameter", /\$[A-Z_a-z\u0080-\uffff][$0-9A-Z_a-z\u0080-\uffff]*/y],
  ["word", /[A-Z_a-z\u0080-\uffff][$0-9A-Z_a-z\u0080-\uffff]*/y],
  ["symbol", /\?\||\?&|\|\||<>|<=|>=|\.\.|\+=|=~|::|[?%()*+,\-.:;<=>[\]^{|}]|\/(?!\*)/y],
];

/** Comments are among them. Throws M_INVALID_PARAM, with where it is, for what is no Cypher and where something is left open. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const found = match(text, at);
    if (!found) throw syntaxError(whatIsOpen(text, at), at);
    if (found.kind !== "blank") tokens.push({ kind: found.kind, text: found.text, at });
    at += found.text.length;
  }
  return tokens;
}

function match(text: string, at: number) {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) return { kind, text: found };
  }
}

function whatIsOpen(text: string, at: number): string {
  if (text.startsWith("/*", at)) return "This comment is not closed.";
  if (/['"]/.test(text.charAt(at))) return "This text is not closed.";
  if (text.charAt(at) === "`") return "This name is not closed.";
  return `"${text.charAt(at)}" means nothing here.`;
}

/** What the editor shows with a caret: `position` counts UTF-16 units from 0. */
export function syntaxError(message: string, position: number): MatrixError {
  return matrixError("M_INVALID_PARAM", message, { fields: { position } });
}

/** Whether it is this word, in any case. */
export function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === "word" && token.text.toUpperCase() === word;
}

export function isSymbol(token: Token | undefined, symbol: string): boolean {
  return token?.kind === "symbol" && token.text === symbol;
}

/** A name without its backquotes. */
export function nameIn({ kind, text }: Token): string {
  return kind === "quoted" ? text.slice(1, -1).replaceAll("``", "`") : text;
}
