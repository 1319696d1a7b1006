/** Drafts on this device. They hold what a person typed, so they go when the session ends. */
import { type Draft, EMPTY_DRAFT } from "./draft.ts";

const PREFIX = "parley.draft.";
const listeners = new Set<(roomId: string) => void>();

/** The draft of a room, or of a thread of it. */
export function loadDraft(roomId: string, threadId?: string): Draft {
  const stored = localStorage.getItem(keyOf(roomId, threadId));
  if (!stored) return EMPTY_DRAFT;
  try {
    const { text, mentions, replyTo } = JSON.parse(stored) as Draft;
    return typeof text === "string" && Array.isArray(mentions) ? { text, mentions, replyTo } : EMPTY_DRAFT;
  } catch {
    return EMPTY_DRAFT;
  }
}

/** Keeps a draft, or forgets it when there is nothing in it. Edits are not kept: their text is in the room. */
export function saveDraft(draft: Draft, roomId: string, threadId?: string): void {
  const key = keyOf(roomId, threadId);
  const before = localStorage.getItem(key) !== null;
  const keep = draft.text.trim() !== "" && !draft.editing;
  if (keep)
    localStorage.setItem(key, JSON.stringify({ text: draft.text, mentions: draft.mentions, replyTo: draft.replyTo }));
  else localStorage.removeItem(key);
  if (before !== keep) for (const listener of listeners) listener(roomId);
}

/** Whether the room's own composer holds something. */
export function hasDraft(roomId: string): boolean {
  return localStorage.getItem(keyOf(roomId)) !== null;
}

/** Forgets every draft: the session has ended. */
export function clearDrafts(): void {
  for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
}

/** Tells when a room gets its first draft or loses it; answers the function that stops it. */
export function onDraftChange(listener: (roomId: string) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function keyOf(roomId: string, threadId?: string): string {
  return PREFIX + (threadId ? `${roomId} ${threadId}` : roomId);
}
