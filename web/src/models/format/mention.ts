/** A person or room that the writer chose from the list at the caret; `name` is what stands in the text after the sign. */
export interface Mention {
  id: string;
  name: string;
}

/** How a mention is written in the composer. */
export function signed(mention: Mention): string {
  return mention.id.startsWith("@") ? `@${mention.name}` : mention.name;
}
