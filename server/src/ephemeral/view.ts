/**
 * What this process knows of the store: typing and presence, up to a number. Syncs read it, and it answers from memory.
 * News come from exchanges with the store and, a little earlier, from other replicas over the bus; both are applied here, and
 * news that do not follow what is known are refused, so that nothing is skipped.
 */
import { LRUCache } from "lru-cache";
import { atMost } from "../bounded.ts";
import { limits } from "../limits.ts";
import type { Seams } from "../seams.ts";
import type { Change, Ephemeral, Presence } from "./ephemeral.ts";
import type { News } from "./store.ts";

export interface View extends Pick<Ephemeral, "clock" | "typing" | "presence" | "presenceChanges" | "listen"> {
  /** Where it stands, for the next exchange. */
  stand(): { after: number; born: number };
  /**
   * Takes the news, and tells of each difference. False where something is missing between what is known and them, or where
   * they are the whole of a moment that others have overtaken.
   */
  apply(news: News): boolean;
  /** Nobody knows any more who types, and what comes next has to be everything. */
  goBlind(): void;
  /** The person gave a sign of life in this process. */
  noteActive(userId: string): void;
}

interface Typing {
  users: readonly string[];
  changed: number;
}

type Tell = (change: Change) => void;

export function openView(seams: Pick<Seams, "now_ms">): View {
  const listeners: Tell[] = [];
  const tell: Tell = (change) => {
    for (const listener of listeners) listener(change);
  };
  const rooms = new LRUCache<string, Typing>(atMost(limits.typing_rooms));
  const people = openPeople();
  let clock = 0;
  let born = 0;

  return {
    clock: () => clock,
    stand: () => ({ after: clock, born }),
    typing: (roomId) => rooms.peek(roomId),
    presence: people.get,
    presenceChanges: people.changes,
    listen: (listener) => void listeners.push(listener),
    noteActive: (userId) => people.noteActive(userId, seams.now_ms()),
    apply(news) {
      const isSame = news.born === born;
      if (news.isWhole ? isSame && news.upTo < clock : !isSame || news.after > clock) return false;
      // What differs although its number is an old one, or is gone from the whole, has changed at some time until now.
      const mark = Math.max(news.upTo, clock + 1);
      const told = [
        ...applyTyping(rooms, news, { clock, mark }),
        ...people.apply(news, { clock, mark, skew_ms: seams.now_ms() - news.now_ms }),
      ];
      born = news.born;
      clock = news.isWhole && told.some(({ changed }) => changed > news.upTo) ? mark : Math.max(clock, news.upTo);
      for (const { change } of told) tell(change);
      return true;
    },
    goBlind() {
      born = 0;
      const typed = [...rooms].filter(([, { users }]) => users.length > 0);
      if (typed.length > 0) clock += 1;
      for (const [roomId] of typed) rooms.set(roomId, { users: [], changed: clock });
      for (const [roomId] of typed) tell({ roomId });
    },
  };
}

interface Told {
  change: Change;
  changed: number;
}

interface Numbers {
  clock: number;
  mark: number;
}

/** The number under which a difference is told: its own where that is news, else one above all that was told. */
function numberOf(changed: number, { clock, mark }: Numbers): number {
  return changed > clock ? changed : mark;
}

function applyTyping(rooms: LRUCache<string, Typing>, news: News, numbers: Numbers): Told[] {
  const told: Told[] = [];
  const set = (roomId: string, users: readonly string[], number: number) => {
    const known = rooms.peek(roomId);
    if (sameUsers(known?.users ?? [], users)) return;
    const changed = numberOf(number, numbers);
    rooms.set(roomId, { users, changed });
    told.push({ change: { roomId }, changed });
  };
  for (const [roomId, users, number] of news.typing)
    if (news.isWhole || number > (rooms.peek(roomId)?.changed ?? 0)) set(roomId, users, number);
  if (!news.isWhole) return told;
  const named = new Set(news.typing.map(([roomId]) => roomId));
  const gone = [...rooms.keys()].filter((roomId) => !named.has(roomId));
  for (const roomId of gone) set(roomId, [], 0);
  return told;
}

function sameUsers(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((userId) => others.includes(userId));
}

/** The people, and in which order they changed. */
function openPeople() {
  const people = new LRUCache<string, Presence>(atMost(limits.presence_users));
  /** Ascending; what has changed again since stands here twice, and counts once. */
  let order: { userId: string; changed: number }[] = [];

  function put(userId: string, presence: Presence): void {
    people.set(userId, presence);
    order.push({ userId, changed: presence.changed });
  }

  function tidy(): void {
    if (order.length > 2 * people.size + 1_000)
      order = order.filter(({ userId, changed }) => people.peek(userId)?.changed === changed);
  }

  return {
    get: (userId: string): Presence | undefined => people.get(userId),

    *changes(after: number): Iterable<{ userId: string; presence: Presence }> {
      const all = order;
      for (let at = firstAbove(all, after); at < all.length; at++) {
        const { userId, changed } = all[at] as { userId: string; changed: number };
        const presence = people.peek(userId);
        if (presence?.changed === changed) yield { userId, presence };
      }
    },

    noteActive(userId: string, now_ms: number): void {
      const known = people.get(userId);
      if (known?.state === "online") known.lastActive_ms = now_ms;
    },

    apply(news: News, { skew_ms, ...numbers }: Numbers & { skew_ms: number }): Told[] {
      const next: [string, Presence][] = [];
      for (const [userId, state, statusMessage, active_ms, number] of news.presence) {
        const known = people.peek(userId);
        if (!news.isWhole && number <= (known?.changed ?? 0)) continue;
        const lastActive_ms = Math.max(active_ms + skew_ms, known?.lastActive_ms ?? 0);
        const isSame = known?.state === state && known.statusMessage === statusMessage;
        const changed = isSame ? known.changed : numberOf(number, numbers);
        if (isSame) known.lastActive_ms = lastActive_ms;
        else next.push([userId, { state, statusMessage, lastActive_ms, changed }]);
      }
      if (news.isWhole) next.push(...goneOf(people, news, numbers.mark));
      for (const [userId, presence] of next.toSorted(([, a], [, b]) => a.changed - b.changed)) put(userId, presence);
      tidy();
      return next.map(([userId, { changed }]) => ({ change: { userId }, changed }));
    },
  };
}

/** Who was here and is not among everybody who is. */
function goneOf(people: LRUCache<string, Presence>, news: News, mark: number): [string, Presence][] {
  const named = new Set(news.presence.map(([userId]) => userId));
  return [...people.entries()]
    .filter(([userId, { state }]) => state !== "offline" && !named.has(userId))
    .map(([userId, presence]) => [userId, { ...presence, state: "offline", changed: mark }]);
}

function firstAbove(order: readonly { changed: number }[], after: number): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((order[middle] as { changed: number }).changed > after) high = middle;
    else low = middle + 1;
  }
  return low;
}
