/** How texts are compared in searches: without case, accents, and different ways to write the same character. */

/** The text as searches see it. It has no NUL, so the database can hold it. */
export function fold(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/[\u0300-\u036f\0]/g, "")
    .toLowerCase()
    .toWellFormed();
}

/** The words of a text, each once: runs of letters and digits. */
export function wordsOf(text: string): string[] {
  return [...new Set(fold(text).match(/[\p{L}\p{N}\p{M}]+/gu))];
}
