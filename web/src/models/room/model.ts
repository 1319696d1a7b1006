/** The model of one room; `client/` and the `/dev` page each implement it. */
import type { Draft } from "../composer/draft.ts";
import type { Mention } from "../format/mention.ts";
import type { Store } from "../messenger.ts";
import type { Presence, RoomKind } from "../rooms/entry.ts";
import type { Person, Quote } from "../timeline/item.ts";
import type { Row } from "../timeline/rows.ts";

export interface TrustTag {
  tone: "ok" | "neutral" | "warn" | "none";
  /** `Encrypted · all verified`, `Ana has a new device`, `Not encrypted`. */
  text: string;
  detail: string;
}

export interface RoomInfo {
  id: string;
  name: string;
  kind: RoomKind;
  topic: string;
  alias?: string | undefined;
  avatarMxc?: string | undefined;
  membership: "join" | "invite" | "knock" | "leave" | "ban";
  inviter?: Person | undefined;
  encrypted: boolean;
  memberCount: number;
  trust: TrustTag;
  peer?: string | undefined;
  /** The sentence under the composer while somebody types; empty when nobody does. */
  typing: string;
  /** Why the person cannot write here; null when they can. */
  cannotPost: string | null;
  /** The room that replaces this one. */
  replacedBy?: string | undefined;
  can: { invite: boolean; rename: boolean; setTopic: boolean; kick: boolean; ban: boolean; changeRoles: boolean };
}

export type Role = "admin" | "moderator" | "member";

export interface Member extends Person {
  membership: "join" | "invite" | "ban";
  role: Role;
  powerLevel: number;
  presence?: Presence | undefined;
  isMe: boolean;
  /** The own power level is higher, so the role can be changed and the person removed. */
  manageable: boolean;
}

export interface MembersSnapshot {
  loaded: boolean;
  members: Member[];
}

export interface TimelineSnapshot {
  rows: Row[];
  /** False until the first events are there to be shown. */
  ready: boolean;
  hasOlder: boolean;
  loadingOlder: boolean;
  /** Why older messages could not be loaded. */
  error: string | null;
  /** Unread messages of others when the room was opened, at or after the New line. */
  unreadAtOpen: number;
}

/** `waiting` is sent by itself when the connection is back. */
export type Outcome = "sent" | "waiting";

export interface TimelineModel {
  store: Store<TimelineSnapshot>;
  /** Starts to listen and answers the function that stops it. */
  activate(): () => void;
  loadOlder(): Promise<void>;
  /** Loads older messages until the event is there; false when it cannot be found. */
  reach(eventId: string): Promise<boolean>;
  /** Reacts, or takes the reaction away. Rejects with the reason when the server refuses it; so does `redact`. */
  toggleReaction(eventId: string, key: string): Promise<Outcome>;
  redact(eventId: string, reason?: string): Promise<Outcome>;
  retry(key: string): Promise<void>;
  discard(key: string): void;
  cancelUpload(key: string): void;
  retryDecryption(eventId: string): Promise<void>;
  /** Says that everything up to this event has been seen: receipt and read marker. */
  markRead(eventId: string): void;
  /** Text, mentions and the rest of one's own message, to change it. */
  draftOf(eventId: string): Draft | null;
  /** The newest own message that can be changed. */
  lastEditable(): string | null;
  permalink(eventId: string): string;
}

export interface ComposerModel {
  store: Store<Draft>;
  /** Keeps what is typed; written to storage shortly after. */
  edit(change: Partial<Pick<Draft, "text" | "mentions">>): void;
  replyTo(quote: Quote): void;
  /** Puts an own message into the composer. What was typed comes back after sending or cancelling. */
  startEditing(eventId: string, draft: Draft): void;
  /** Ends a reply or an edit. */
  cancel(): void;
  /** Sends what stands there; nothing happens when it is empty. */
  send(): void;
  /** Sends files with their own progress rows. `caption` goes with the first. */
  attach(files: File[], caption?: string): void;
  /** Tells the room whether the person types; may be called on each key. */
  typing(active: boolean): void;
  /** People and rooms that match what stands after `@` or `#`, the best eight. */
  suggest(sign: "@" | "#", term: string): (Mention & { detail: string; avatarMxc?: string | undefined })[];
}

export interface RoomModel {
  id: string;
  info: Store<RoomInfo>;
  timeline: TimelineModel;
  composer: ComposerModel;
  /** Threads by their first message; each has its own timeline and composer. */
  thread(rootId: string): ThreadModel;
  members: Store<MembersSnapshot>;
  loadMembers(): Promise<void>;
  activate(): () => void;
  /** Says that everything in the room has been seen. */
  markAllRead(): void;
  invite(people: string[]): Promise<void>;
  remove(userId: string, reason: string): Promise<void>;
  ban(userId: string, reason: string): Promise<void>;
  unban(userId: string): Promise<void>;
  setRole(userId: string, role: Role): Promise<void>;
  setName(name: string): Promise<void>;
  setTopic(topic: string): Promise<void>;
}

export interface ThreadModel {
  rootId: string;
  timeline: TimelineModel;
  composer: ComposerModel;
}
