/** `1 person`, `3 people`; the plural is the word with an s unless another is given. */
export function count(number: number, word: string, plural = `${word}s`): string {
  return `${number.toLocaleString()} ${number === 1 ? word : plural}`;
}

/** Names in a sentence, at most `limit`: `Ana`, `Ana and Kenji`, `Ana, Kenji and 3 others`. */
export function names(list: string[], limit = 3): string {
  const shown = list.slice(0, limit);
  const rest = list.length - shown.length;
  if (rest > 0) return `${shown.join(", ")} and ${count(rest, "other")}`;
  const last = shown.pop() ?? "";
  return shown.length === 0 ? last : `${shown.join(", ")} and ${last}`;
}

/** One or two letters for a picture that is not there: `Ana Duarte` → `AD`, `deploy-bot` → `D`. */
export function initials(name: string): string {
  const words = name
    .replace(/^[@#!]/, "")
    .split(/\s+/)
    .filter(Boolean);
  const first = firstLetter(words[0] ?? "");
  const last = words.length > 1 ? firstLetter(words.at(-1) ?? "") : "";
  return (first + last).toLocaleUpperCase() || "?";
}

function firstLetter(word: string): string {
  return /[\p{L}\p{N}]/u.exec(word)?.[0] ?? "";
}

/** A number between 0 and `buckets` - 1 that is always the same for the same text: which colour a person has. */
export function bucketOf(text: string, buckets: number): number {
  let hash = 2166136261;
  for (const unit of text) hash = Math.imul(hash ^ (unit.codePointAt(0) ?? 0), 16777619);
  return (hash >>> 0) % buckets;
}

/** The server part of a Matrix identifier: `@ana:example.org` → `example.org`. */
export function serverOf(id: string): string {
  return id.slice(id.indexOf(":") + 1);
}

/** The readable part of a Matrix identifier: `@ana:example.org` → `ana`. */
export function localpart(id: string): string {
  const colon = id.indexOf(":");
  return id.slice(1, colon === -1 ? undefined : colon);
}
