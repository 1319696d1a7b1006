/**
 * Reading a recovery key that a person types or pastes.
 *
 * A recovery key is 32 random bytes in the "Cryptographic key representation" of the specification's appendices: two
 * fixed bytes, the key, and one byte that makes the XOR of all bytes zero, written in base58 as twelve groups of four.
 * Spaces, dashes and line ends mean nothing. Case does mean something in base58, so it cannot be ignored; but four
 * characters that look like others are never used, so they are read as the ones that were meant.
 *
 * One parity byte says that a key is mistyped but not where. Where the account's check value is known (`isRight`), the
 * place is found by trying: of all keys that differ in one character, or in two that changed places, exactly one fits.
 */
import { decodeRecoveryKey } from "matrix-js-sdk/lib/crypto-api/recovery-key.js";

export type KeyBytes = Uint8Array<ArrayBuffer>;

export const GROUPS = 12;
const GROUP_LENGTH = 4;
const KEY_LENGTH = GROUPS * GROUP_LENGTH;
const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/** What base58 leaves out, and what a person meant who typed it. */
const LOOKALIKES: Record<string, string> = { "0": "o", O: "o", I: "i", l: "L" };
/** The two fixed bytes make every key begin with these characters. */
const BEGINNING = "Es";

export type KeyReading =
  | { kind: "empty" }
  /** Nothing is wrong so far; `groups` are complete. */
  | { kind: "incomplete"; groups: number }
  | { kind: "tooLong"; extra: number }
  /** A character that no recovery key has. Groups count from 1. */
  | { kind: "badCharacter"; group: number; character: string }
  | { kind: "badBeginning" }
  /** All letters have one case, which no real key has: caps lock, or a keyboard that changes letters. */
  | { kind: "oneCase" }
  /** The parity does not fit: somewhere a character is wrong. */
  | { kind: "mistyped" }
  | { kind: "complete"; key: KeyBytes };

/** What can be said of the input from itself alone; cheap enough for every key press. */
export function readRecoveryKey(input: string): KeyReading {
  const typed = input.replaceAll(/[\s\p{Dash}]/gu, "");
  if (typed === "") return { kind: "empty" };
  const text = withoutLookalikes(typed);
  const characters = Array.from(text);
  const bad = characters.findIndex((character) => !ALPHABET.includes(character));
  if (bad >= 0) return { kind: "badCharacter", group: groupAt(bad), character: characters[bad] ?? "" };
  if (!BEGINNING.startsWith(text.slice(0, BEGINNING.length))) {
    return isOneCase(text) ? { kind: "oneCase" } : { kind: "badBeginning" };
  }
  if (text.length < KEY_LENGTH) return { kind: "incomplete", groups: Math.floor(text.length / GROUP_LENGTH) };
  if (text.length > KEY_LENGTH) return { kind: "tooLong", extra: text.length - KEY_LENGTH };
  const key = decode(text);
  if (key) return { kind: "complete", key };
  return isOneCase(text) ? { kind: "oneCase" } : { kind: "mistyped" };
}

/**
 * The group (from 1) in which a mistyped key is wrong, or null when more than one character is.
 *
 * @param isRight whether a key is the account's; it is asked about a few dozen candidates at most.
 */
export async function mistypedGroup(
  input: string,
  isRight: (key: KeyBytes) => Promise<boolean>,
): Promise<number | null> {
  const text = withoutLookalikes(input.replaceAll(/[\s\p{Dash}]/gu, ""));
  if (text.length !== KEY_LENGTH) return null;
  for (const [place, candidate] of corrections(text)) {
    const key = decode(candidate);
    if (key && (await isRight(key))) return groupAt(place);
  }
  return null;
}

/** The key in groups of four, as it is shown. */
export function groupsOf(encoded: string): string[] {
  return encoded.replaceAll(/\s/g, "").match(/.{1,4}/g) ?? [];
}

/** Whether `input` is what stands in these groups of the key; a paste of the whole key counts too. Groups count from 1. */
export function matchesGroups(encoded: string, groups: readonly number[], input: string): boolean {
  const typed = withoutLookalikes(input.replaceAll(/[\s\p{Dash}]/gu, ""));
  const all = groupsOf(encoded);
  return typed === all.join("") || typed === groups.map((group) => all[group - 1] ?? "").join("");
}

/** Every text that differs from `text` in one character, or in two neighbours that changed places, with the place. */
function* corrections(text: string): Generator<[place: number, candidate: string]> {
  for (let place = 0; place < text.length; place++) {
    const before = text.slice(0, place);
    const after = text.slice(place + 1);
    for (const character of ALPHABET) {
      if (character !== text[place]) yield [place, before + character + after];
    }
    const next = text[place + 1];
    if (next !== undefined && next !== text[place])
      yield [place, before + next + (text[place] ?? "") + text.slice(place + 2)];
  }
}

function decode(text: string): KeyBytes | null {
  try {
    return decodeRecoveryKey(text);
  } catch {
    return null;
  }
}

function withoutLookalikes(text: string): string {
  return text.replaceAll(/[0OIl]/g, (character) => LOOKALIKES[character] ?? character);
}

function isOneCase(text: string): boolean {
  // The look-alikes have been given their one possible case, so they say nothing about the keyboard.
  const letters = text.replaceAll(/[^a-zA-Z]|[oiL]/g, "");
  return letters.length > 0 && (letters === letters.toLowerCase() || letters === letters.toUpperCase());
}

function groupAt(place: number): number {
  return Math.floor(place / GROUP_LENGTH) + 1;
}
