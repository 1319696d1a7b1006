// Glob patterns as Matrix has them: `*` is any run of characters, `?` is exactly one.
// Specification: appendices, "Glob-style matching".
//
// A pattern comes from a user and the text from another one, so no pair of them may be slow. The pattern is run as an
// automaton whose states are the bits of a few words ("i tokens have matched" is bit i): one pass over the text, a
// fixed amount of work for each character, nothing to go back to. Almost every text is told apart earlier, by not
// holding a literal piece of the pattern.

/** Says whether a text matches. The text must be lower-cased by the caller, who may share it among many patterns. */
export type GlobMatcher = (lowerCased: string) => boolean;

type Automaton = {
  words: number;
  /** For each character of the pattern, the states that it leads into. */
  into: Map<number, Uint32Array>;
  /** The states that any character leads into: those behind a `?`. */
  intoByAny: Uint32Array;
  /** The states that stay while any character passes: those with a `*` behind them. */
  stay: Uint32Array;
  accept: number;
};

/** How much of the pattern's longest literal piece a text must hold before the automaton runs. */
const probe_characters = 8;

/** Matches the whole text, without regard to case. */
export function globForWhole(pattern: string): GlobMatcher {
  const folded = pattern.toLowerCase();
  if (!/[*?]/.test(folded)) return (text) => text === folded;
  const automaton = build(folded);
  const probe = probeOf(folded);
  return (text) => text.includes(probe) && run(automaton, text, false);
}

/**
 * Matches some part of the text that begins and ends at a word boundary, without regard to case. A boundary is an end
 * of the text, and either side of a character outside `[A-Za-z0-9_]`. Specification: push, "event_match".
 */
export function globForWords(pattern: string): GlobMatcher {
  const folded = pattern.toLowerCase();
  const automaton = build(folded);
  const probe = probeOf(folded);
  return (text) => text.includes(probe) && run(automaton, text, true);
}

/** As `globForWords`, for a text in which `*` and `?` are themselves. */
export function containsWords(lowerCasedText: string, words: string): boolean {
  const folded = words.toLowerCase();
  if (folded === "") return false;
  for (let at = lowerCasedText.indexOf(folded); at >= 0; at = lowerCasedText.indexOf(folded, at + 1)) {
    if (isBoundary(lowerCasedText, at) && isBoundary(lowerCasedText, at + folded.length)) return true;
  }
  return false;
}

function build(pattern: string): Automaton {
  const tokens = Array.from(pattern).filter((character, at, all) => character !== "*" || all[at - 1] !== "*");
  const count = tokens.filter((token) => token !== "*").length;
  const words = Math.floor(count / 32) + 1;
  const automaton: Automaton = {
    words,
    into: new Map(),
    intoByAny: new Uint32Array(words),
    stay: new Uint32Array(words),
    accept: count,
  };
  for (const token of tokens) {
    const key = token.codePointAt(0) ?? 0;
    if (token !== "*" && token !== "?" && !automaton.into.has(key)) automaton.into.set(key, new Uint32Array(words));
  }
  let state = 0;
  for (const token of tokens) {
    if (token === "*") setBit(automaton.stay, state);
    else setTransition(automaton, token, ++state);
  }
  return automaton;
}

function setTransition(automaton: Automaton, token: string, state: number): void {
  if (token === "?") {
    setBit(automaton.intoByAny, state);
    for (const mask of automaton.into.values()) setBit(mask, state);
  } else {
    const mask = automaton.into.get(token.codePointAt(0) ?? 0);
    if (mask !== undefined) setBit(mask, state);
  }
}

function run(automaton: Automaton, text: string, inWords: boolean): boolean {
  const { words, into, intoByAny, stay, accept } = automaton;
  const states = new Uint32Array(words);
  for (let at = 0; ;) {
    if (inWords ? isBoundary(text, at) : at === 0) setBit(states, 0);
    const end = at >= text.length;
    if (hasBit(states, accept) && (end || (inWords && isBoundary(text, at)))) return true;
    if (end) return false;
    const character = text.codePointAt(at) ?? 0;
    const mask = into.get(character) ?? intoByAny;
    let carry = 0;
    for (let word = 0; word < words; word++) {
      const before = states[word] as number;
      states[word] = (((before << 1) | carry) & (mask[word] as number)) | (before & (stay[word] as number));
      carry = before >>> 31;
    }
    at += character > 0xffff ? 2 : 1;
  }
}

function probeOf(pattern: string): string {
  const pieces = pattern.split(/[*?]+/);
  const longest = pieces.reduce((best, piece) => (piece.length > best.length ? piece : best), "");
  return longest.slice(0, probe_characters);
}

function isBoundary(text: string, at: number): boolean {
  return at === 0 || at >= text.length || !isWord(text.charCodeAt(at - 1)) || !isWord(text.charCodeAt(at));
}

function isWord(code: number): boolean {
  const isDigit = code >= 48 && code <= 57;
  const isUpper = code >= 65 && code <= 90;
  const isLower = code >= 97 && code <= 122;
  return isLower || isDigit || isUpper || code === 95;
}

function setBit(bits: Uint32Array, bit: number): void {
  bits[bit >>> 5] = (bits[bit >>> 5] as number) | (1 << (bit & 31));
}

function hasBit(bits: Uint32Array, bit: number): boolean {
  return ((bits[bit >>> 5] as number) & (1 << (bit & 31))) !== 0;
}
