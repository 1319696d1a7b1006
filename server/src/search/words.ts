/**
 * The words of texts and of what is searched for, for every language alike: folded (without case and accents), and without stems or
 * lists of common words, since nobody says in which language a message is. The beginning of a word finds it. Where a script has no
 * spaces between words, each character counts as one, and what is searched for as a phrase of them.
 */
import { fold } from "../directory/fold.ts";
import { limits } from "../limits.ts";

const SCRIPTS = ["Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar"];
const UNSPACED = `[${SCRIPTS.map((script) => `\\p{Script=${script}}`).join("")}]`;
const RUN = /[\p{L}\p{N}\p{M}]+/gu;
const PIECE = new RegExp(`${UNSPACED}\\p{M}*|(?:(?!${UNSPACED})[\\p{L}\\p{N}\\p{M}])+`, "gu");
const IS_UNSPACED = new RegExp(`^${UNSPACED}`, "u");

function piecesOf(run: string): string[] {
  return (run.match(PIECE) ?? []).map((piece) => piece.slice(0, limits.searchWord_characters).toWellFormed());
}

const runsOf = (text: string): string[] => fold(text).slice(0, limits.searchText_characters).match(RUN) ?? [];

// Nothing but ASCII: what the rules above come to, in a third of the time. Every message goes through this.
const IS_PLAIN = /^[\p{ASCII}--\0]*$/v;
const PLAIN_RUN = /[a-z0-9]+/g;

/** All words of a text. */
function piecesIn(text: string): string[] {
  if (!IS_PLAIN.test(text)) return runsOf(text).flatMap(piecesOf);
  const runs = text.slice(0, limits.searchText_characters).toLowerCase().match(PLAIN_RUN) ?? [];
  return runs.map((run) => run.slice(0, limits.searchWord_characters));
}

/** A lexeme as PostgreSQL reads it. */
function quoted(lexeme: string): string {
  return `'${lexeme.replace(/['\\]/g, "$&$&")}'`;
}

/** What stands for the room among the words. */
export function roomLexeme(roomId: string): string {
  return quoted(roomId.replaceAll("\0", "").toWellFormed());
}

/** The text as a `tsvector`; undefined where it has no words. */
export function vectorOf(text: string, roomId: string): string | undefined {
  const places = new Map<string, number[]>();
  let place = 0;
  for (const word of piecesIn(text)) {
    if (++place > limits.searchText_words) break;
    const known = places.get(word);
    if (known) known.push(place);
    else places.set(word, [place]);
  }
  if (places.size === 0) return undefined;
  const words = [...places].map(([word, at]) => `${quoted(word)}:${at.map(marked).join(",")}`);
  return [roomLexeme(roomId), ...words].join(" ");
}

/**
 * The first few places of each word are marked, and how well a text is found goes by these alone: the work grows with the square of the
 * number of places, and a text may repeat its words hundreds of times. Phrases are found at all places.
 */
function marked(place: number, index: number): string {
  return index < limits.searchRanked_places ? `${place}A` : String(place);
}

/** What is searched for: all of its parts must be there. */
export interface Term {
  parts: readonly Part[];
}

interface Part {
  /** One behind the other. */
  pieces: readonly string[];
  /** Whether more may follow the last of them. */
  isOpen: boolean;
}

/** Reads what somebody typed: words, and phrases in quotes. */
export function readTerm(text: string): Term {
  const parts: Part[] = [];
  for (const [all, phrase] of text.slice(0, limits.searchTerm_characters).matchAll(/"([^"]+)"|[^"]+/g)) {
    if (phrase !== undefined) parts.push({ pieces: runsOf(phrase).flatMap(piecesOf), isOpen: false });
    else for (const run of runsOf(all)) parts.push(partOf(piecesOf(run)));
  }
  return { parts: withinLimits(parts) };
}

function withinLimits(parts: readonly Part[]): Part[] {
  let left = limits.searchTerm_pieces;
  return parts
    .filter(({ pieces }) => pieces.length > 0)
    .slice(0, limits.searchTerm_words)
    .map((part) => {
      const pieces = part.pieces.slice(0, left);
      left -= pieces.length;
      return { ...part, pieces };
    })
    .filter(({ pieces }) => pieces.length > 0);
}

function partOf(pieces: readonly string[]): Part {
  const last = pieces.at(-1) ?? "";
  return { pieces, isOpen: !IS_UNSPACED.test(last) && last.length >= limits.searchPrefix_characters };
}

/** The term as a `tsquery`: with words that only begin so, or without. */
export function queryOf({ parts }: Term, { withBeginnings }: { withBeginnings: boolean }): string {
  const texts = parts.map(({ pieces, isOpen }) => {
    const open = isOpen && withBeginnings ? ":*" : "";
    return `(${pieces.map(quoted).join(" <-> ")}${open})`;
  });
  return texts.join(" & ");
}

/** The words of the text, in lower case as they stand there, by which the term found it. Specification: "highlights". */
export function highlightsOf(text: string, { parts }: Term): string[] {
  const runs = new Set(text.toLowerCase().match(RUN));
  const phrases = parts.filter(({ pieces }) => pieces.some((piece) => IS_UNSPACED.test(piece)));
  const found = [...runs].filter((run) => {
    const pieces = runsOf(run).flatMap(piecesOf);
    return parts.some((part) => !phrases.includes(part) && pieces.some((piece) => isIn(part, piece)));
  });
  return [...found, ...phrases.map(({ pieces }) => pieces.join("").normalize("NFC"))];
}

function isIn({ pieces, isOpen }: Part, word: string): boolean {
  return pieces.includes(word) || (isOpen && word.startsWith(pieces.at(-1) as string));
}
