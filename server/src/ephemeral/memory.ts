/** The store of a single process: plain maps. What it does in one turn of the loop, the others do in one atomic step. */
import { LRUCache } from "lru-cache";
import { atMost } from "../bounded.ts";
import { limits } from "../limits.ts";
import type { Seams } from "../seams.ts";
import type { Ephemeral, PresenceState, Upload } from "./ephemeral.ts";
import { openShared } from "./shared.ts";
import {
  type Bucket,
  type News,
  type PresenceOperation,
  type Spending,
  type Store,
  TYPING_USERS,
  type TypingOperation,
} from "./store.ts";

interface Room {
  id: string;
  /** Until when each of them types. */
  users: Map<string, number>;
  changed: number;
}

interface Person {
  id: string;
  sessions: Map<string, { state: PresenceState; until_ms: number }>;
  state: PresenceState;
  status: string | null;
  active_ms: number;
  changed: number;
}

/** Typing and presence in memory alone, without anything around it: for one process, and for tests of what stands on it. */
export function openMemoryEphemeral(seams: Seams): Ephemeral {
  return openShared({ store: openMemoryStore(seams), seams, logger: { warn() {} } });
}

/** Opens the memory; nothing of it outlives the process. */
export function openMemoryStore(seams: Pick<Seams, "now_ms">): Store {
  const uploads = new LRUCache<string, Upload>({
    ...atMost(limits.uploads),
    ttl: limits.uploadKept_ms,
    perf: clockOf(seams),
  });
  return {
    name: "memory",
    isShared: false,
    exchange: openExchange(seams),
    spend: openBuckets(seams),
    async setUploads(all) {
      for (const upload of all) uploads.set(upload.id, upload);
    },
    upload: async (id) => uploads.get(id),
    async close() {},
  };
}

function clockOf(seams: Pick<Seams, "now_ms">) {
  return { now: () => seams.now_ms() };
}

function openExchange({ now_ms }: Pick<Seams, "now_ms">): Store["exchange"] {
  const rooms = new LRUCache<string, Room>(atMost(limits.typing_rooms));
  const people = new LRUCache<string, Person>(atMost(limits.presence_users));
  const born = now_ms();
  let number = born;
  /** Nothing is over before this; it may be earlier than what it once stood for. */
  let end_ms = Number.POSITIVE_INFINITY;

  const until = (after_ms: number) => {
    end_ms = Math.min(end_ms, now_ms() + after_ms);
    return now_ms() + after_ms;
  };

  function endOver(now: number): Set<Room | Person> {
    const changed = new Set<Room | Person>();
    if (now < end_ms) return changed;
    for (const room of rooms.values())
      for (const [user, until_ms] of room.users) if (until_ms <= now && room.users.delete(user)) changed.add(room);
    for (const person of people.values())
      for (const [session, { until_ms }] of person.sessions)
        if (until_ms <= now && person.sessions.delete(session) && settle(person)) changed.add(person);
    end_ms = nextEnd(rooms.values(), people.values());
    return changed;
  }

  function type({ room: roomId, user, timeout_ms }: TypingOperation): Room | undefined {
    const room = rooms.get(roomId) ?? { id: roomId, users: new Map<string, number>(), changed: 0 };
    const isChange = timeout_ms > 0 ? !room.users.has(user) : room.users.has(user);
    if (timeout_ms > 0) room.users.set(user, until(timeout_ms));
    else room.users.delete(user);
    if (isChange) rooms.set(roomId, room);
    return isChange ? room : undefined;
  }

  function be(operation: PresenceOperation): Person | undefined {
    const person = people.get(operation.user) ?? newPerson(operation.user, now_ms());
    people.set(operation.user, person);
    const { state, session, timeout_ms, idle_ms, active_ms, status } = operation;
    if (state === "offline" || timeout_ms <= idle_ms) person.sessions.delete(session);
    else person.sessions.set(session, { state, until_ms: until(timeout_ms - idle_ms) });
    if (active_ms !== undefined) person.active_ms = Math.max(person.active_ms, now_ms() - active_ms);
    const isChange = settle(person) || person.changed === 0 || (status !== undefined && status !== person.status);
    if (status !== undefined) person.status = status;
    return isChange ? person : undefined;
  }

  return async ({ operations, after, born: known }) => {
    const before = number;
    const changed = endOver(now_ms());
    for (const each of operations) {
      const one = "room" in each ? type(each) : be(each);
      if (one) changed.add(one);
    }
    // Raised for what has changed, above everything before.
    if (changed.size > 0) number = Math.max(number + 1, now_ms());
    for (const each of changed) each.changed = number;
    const isWhole = known !== born;
    const from = isWhole ? 0 : after;
    const all = from === before ? changed : [...rooms.values(), ...people.values()];
    return {
      born,
      isWhole,
      upTo: number,
      isChanged: changed.size > 0,
      now_ms: now_ms(),
      end_ms: Number.isFinite(end_ms) ? end_ms : undefined,
      ...newsOf(all, from),
    };
  };
}

function newPerson(id: string, now: number): Person {
  return { id, sessions: new Map(), state: "offline", status: null, active_ms: now, changed: 0 };
}

/** What the sessions say together. Gives whether it differs from before. */
function settle(person: Person): boolean {
  const states = new Set([...person.sessions.values()].map(({ state }) => state));
  const state = states.has("online") ? "online" : states.size > 0 ? "unavailable" : "offline";
  const differs = state !== person.state;
  person.state = state;
  return differs;
}

function newsOf(all: Iterable<Room | Person>, after: number): Pick<News, "after" | "typing" | "presence"> {
  const news: Pick<News, "after" | "typing" | "presence"> = { after, typing: [], presence: [] };
  for (const each of all)
    if (each.changed <= after) continue;
    else if ("users" in each) news.typing.push([each.id, [...each.users.keys()].slice(0, TYPING_USERS), each.changed]);
    else news.presence.push([each.id, each.state, each.status, each.active_ms, each.changed]);
  return news;
}

function nextEnd(rooms: Iterable<Room>, people: Iterable<Person>): number {
  let end = Number.POSITIVE_INFINITY;
  for (const { users } of rooms) for (const until_ms of users.values()) end = Math.min(end, until_ms);
  for (const { sessions } of people) for (const { until_ms } of sessions.values()) end = Math.min(end, until_ms);
  return end;
}

function openBuckets({ now_ms }: Pick<Seams, "now_ms">): Store["spend"] {
  const buckets = new LRUCache<string, { tokens: number; at_ms: number }>(atMost(limits.buckets));

  function spendOne({ name, burst, perSecond, tokens, isSpent }: Spending): Bucket {
    const bucket = buckets.get(name) ?? { tokens: burst, at_ms: now_ms() };
    buckets.set(name, bucket);
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, now_ms() - bucket.at_ms) / 1_000) * perSecond);
    bucket.at_ms = now_ms();
    const isTaken = isSpent || bucket.tokens >= tokens;
    if (isTaken) bucket.tokens = Math.max(-burst, bucket.tokens - tokens);
    return { isTaken, tokens: bucket.tokens };
  }

  return async (spendings) => spendings.map(spendOne);
}
