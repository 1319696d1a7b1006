import type { Mention } from "../format/mention.ts";
import type { Quote } from "../timeline/item.ts";

/** What stands in a composer and has not been sent. */
export interface Draft {
  text: string;
  /** People and rooms chosen from the list at the caret. */
  mentions: Mention[];
  replyTo?: Quote | undefined;
  /** The message that is being changed; its text came from there. */
  editing?: { id: string } | undefined;
}

export const EMPTY_DRAFT: Draft = { text: "", mentions: [] };

/** Whether nothing would be lost if the draft went away. */
export function isEmpty(draft: Draft): boolean {
  return draft.text.trim() === "" && !draft.replyTo && !draft.editing;
}
