/** What a person writes in a room or a thread, and its way into the room. */
import type { MatrixClient, Room } from "matrix-js-sdk";
import { createStore } from "zustand/vanilla";
import { type Draft, EMPTY_DRAFT } from "../composer/draft.ts";
import { loadDraft, saveDraft } from "../composer/storage.ts";
import type { ComposerModel } from "../room/model.ts";
import { contentOf } from "./edits.ts";
import { personIn } from "./person.ts";
import { parts } from "./safe.ts";
import type { Uploads } from "./uploads.ts";

/** A draft is written this long after the last key. */
const SAVE_MS = 300;
/** "Is typing" is told at most this often, and lasts a little longer. */
const TYPING_EVERY_MS = 4_000;
const TYPING_FOR_MS = 6_000;
const SUGGESTED = 8;

/** Markdown is read only when something is sent; it is fetched when the first composer opens. */
const loadContent = () => import("../composer/content.ts");

export interface ComposerOptions {
  client: MatrixClient;
  room: Room;
  uploads: Uploads;
  rootId?: string;
}

export function openComposer({ client, room, uploads, rootId }: ComposerOptions): ComposerModel {
  const { roomId } = room;
  const store = createStore<Draft>(() => loadDraft(roomId, rootId));
  /** What stood here before an edit began. */
  let aside: Draft | null = null;
  let saving: ReturnType<typeof setTimeout> | undefined;
  const typing = typingTeller(client, roomId);
  void loadContent().catch(() => undefined);
  const set = (draft: Draft) => {
    store.setState(draft, true);
    clearTimeout(saving);
    saving = setTimeout(() => saveDraft(draft, roomId, rootId), SAVE_MS);
  };
  const finish = () => {
    set(aside ?? EMPTY_DRAFT);
    aside = null;
  };
  const comeBack = (draft: Draft) => {
    if (draft.editing) aside = store.getState();
    set(draft.editing ? draft : withText(draft, store.getState().text));
  };
  return {
    store,
    edit: (change) => set({ ...store.getState(), ...change }),
    replyTo: (replyTo) => set({ ...store.getState(), replyTo, editing: undefined }),
    startEditing(eventId, draft) {
      if (!store.getState().editing) aside = store.getState();
      set({ ...draft, editing: { id: eventId } });
    },
    cancel() {
      if (store.getState().editing) finish();
      else set({ ...store.getState(), replyTo: undefined });
    },
    send() {
      const draft = store.getState();
      if (draft.text.trim() === "") return;
      finish();
      typing(false);
      const options = { replySender: draft.replyTo?.sender?.id, before: namedBefore(room, draft) };
      const thread = draft.editing ? null : (rootId ?? null);
      loadContent().then(
        // What the server refuses, or the connection keeps back, stands in the timeline with its reason.
        ({ messageContent }) =>
          client.sendMessage(roomId, thread, messageContent(draft, options) as never).catch(() => undefined),
        // Without the part of the app that reads Markdown, what was written comes back here.
        () => comeBack(draft),
      );
    },
    attach: (files, caption) => uploads.add(files, { rootId, caption }),
    typing,
    suggest: (sign, term) => (sign === "@" ? people(client, room, term) : rooms(client, term)),
  };
}

/** The draft, and what was written after it. */
function withText(draft: Draft, text: string): Draft {
  return text.trim() === "" ? draft : { ...draft, text: `${draft.text}\n${text}` };
}

/** Whom the message named before it was changed: they need not be told again. */
function namedBefore(room: Room, { editing }: Draft): string[] {
  const event = editing && room.findEventById(editing.id);
  const users = event && parts(contentOf(event)["m.mentions"])["user_ids"];
  return Array.isArray(users) ? users.filter((id) => typeof id === "string") : [];
}

function typingTeller(client: MatrixClient, roomId: string): (active: boolean) => void {
  let told_ms = 0;
  return (active) => {
    const now = Date.now();
    if (active ? now - told_ms < TYPING_EVERY_MS : told_ms === 0) return;
    told_ms = active ? now : 0;
    // Nobody misses it when it does not arrive.
    client.sendTyping(roomId, active, TYPING_FOR_MS).catch(() => undefined);
  };
}

type Suggestion = ReturnType<ComposerModel["suggest"]>[number];

function people(client: MatrixClient, room: Room, term: string): Suggestion[] {
  const wanted = term.toLowerCase();
  const me = client.getSafeUserId();
  return room
    .getMembers()
    .filter((member) => (member.membership === "join" || member.membership === "invite") && member.userId !== me)
    .map((member) => ({ person: personIn(room, member.userId), recent: member.getLastModifiedTime() }))
    .filter(({ person }) => person.name.toLowerCase().includes(wanted) || person.id.toLowerCase().includes(wanted))
    .toSorted(
      (a, b) =>
        Number(startsWith(b.person.name, wanted)) - Number(startsWith(a.person.name, wanted)) || b.recent - a.recent,
    )
    .slice(0, SUGGESTED)
    .map(({ person }) => ({ id: person.id, name: person.name, detail: person.id, avatarMxc: person.avatarMxc }));
}

function rooms(client: MatrixClient, term: string): Suggestion[] {
  const wanted = term.toLowerCase();
  return client
    .getVisibleRooms()
    .flatMap((room) => {
      const alias = room.getCanonicalAlias();
      return alias && room.getMyMembership() === "join" && `${room.name} ${alias}`.toLowerCase().includes(wanted)
        ? [{ id: alias, name: alias, detail: room.name }]
        : [];
    })
    .slice(0, SUGGESTED);
}

function startsWith(name: string, wanted: string): boolean {
  return name.toLowerCase().startsWith(wanted);
}
