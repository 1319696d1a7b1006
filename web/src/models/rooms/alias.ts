/** The address that a channel's name suggests: lower case, letters and digits, words joined by dashes. */
export function aliasFor(name: string): string {
  return name
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/\p{M}+/gu, "")
    .replaceAll(/[^\p{L}\p{N}._-]+/gu, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 60);
}
