/** Lists as files. */

export type CsvValue = string | number | boolean | null | undefined;

/** Identifiers of users begin with @, which a spreadsheet would take for a formula; as long as they are nothing more, they stay. */
const USER_ID = /^@[\w.=/+-]+:[\w.:[\]-]+$/;
const NUMBER = /^-?\d+(\.\d+)?$/;

/**
 * One cell. A text that a spreadsheet would run as a formula gets an apostrophe before it: names and reasons are written by anybody.
 */
export function csvCell(value: CsvValue): string {
  const text = value === null || value === undefined ? "" : String(value);
  const isFormula = /^[=+\-@\t\r\n＝＋－＠]/.test(text) && !NUMBER.test(text) && !USER_ID.test(text);
  const safe = isFormula ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A table in the form of RFC 4180, with its head. */
export function csvOf(head: readonly string[], rows: readonly (readonly CsvValue[])[]): string {
  return [head, ...rows].map((row) => `${row.map((value) => csvCell(value)).join(",")}\r\n`).join("");
}

/** Lets the browser save a file. */
export function saveFile(name: string, type: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser has taken the bytes when the click returns; the address may go with the next task.
  setTimeout(() => URL.revokeObjectURL(address), 1_000);
}
