/** Offers `text` as a file to save. */
export function saveTextFile(name: string, text: string): void {
  saveBlob(name, new Blob([text], { type: "text/plain" }));
}

/** Offers what is in the blob as a file to save. */
export function saveBlob(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
