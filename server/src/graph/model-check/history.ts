/** Random histories of a small server, for the tests of the access graph: events as they stand in the log, and devices. */
import type { Context } from "../../context.ts";
import type { NewEntry } from "../../log/entry.ts";

export interface Happened {
  position: number;
  eventId: string;
  room: string;
  type: string;
  /** Undefined: a message. */
  stateKey: string | undefined;
  sender: string;
  ts: number;
  content: Record<string, unknown>;
  redacts?: string;
}

export interface SimulatedDevice {
  userId: string;
  deviceId: string;
  created_ms: number;
  lastSeen_ms: number;
  ended: boolean;
  /** Whether it has keys, and whether its owner has signed them. */
  keys: "none" | "unsigned" | "signed";
}

/** Of a person or of a room. */
export interface Subject {
  user: string | null;
  room: string | null;
}

export interface SimulatedExport extends Subject {
  id: number;
  by: string;
  ts: number;
  fetches: { user: string; device: string | null }[];
}

export interface SimulatedAccess extends Subject {
  id: number;
  holder: string;
  ends: number;
}

export interface History {
  people: string[];
  rooms: string[];
  admins: string[];
  auditors: string[];
  exports: SimulatedExport[];
  accesses: SimulatedAccess[];
  events: Happened[];
  devices: SimulatedDevice[];
}

/** Numbers that look random, the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const START_MS = 1_700_000_000_000;
const STEPS = 320;

interface Telling {
  ctx: Context;
  history: History;
  random: () => number;
  pick: <T>(list: readonly T[]) => T;
  /** Counts what happens: names the event, and tells its time. */
  count: number;
}

/** Lets it happen on this server, and tells what did. `onSignedUp` is called before the first event. */
export async function tellHistory(ctx: Context, seed: number, onSignedUp: () => Promise<void>): Promise<History> {
  const random = randomOf(seed);
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T;
  const name = (sign: string, i: number) => `${sign}s${seed}x${i}:localhost`;
  const history: History = {
    people: Array.from({ length: 9 }, (_, i) => name("@", i)),
    rooms: Array.from({ length: 8 }, (_, i) => name("!", i)),
    admins: [],
    auditors: [],
    exports: [],
    accesses: [],
    events: [],
    devices: [],
  };
  history.admins = history.people.slice(0, 2);
  history.auditors = history.people.slice(2, 3);
  const telling: Telling = { ctx, history, random, pick, count: 0 };
  await signUp(telling);
  await onSignedUp();
  for (const room of history.rooms) await found(telling, room);
  for (let step = 0; step < STEPS; step++) await happen(telling);
  return history;
}

async function signUp({ ctx, history, random }: Telling): Promise<void> {
  for (const userId of history.people) {
    await ctx.db.auth.query("insert into auth.accounts (user_id, is_admin) values ($1, $2)", [
      userId,
      history.admins.includes(userId),
    ]);
    if (history.auditors.includes(userId))
      await ctx.db.console.query("insert into console.operators (user_id, role) values ($1, 'auditor')", [userId]);
    for (let i = 0; i < 1 + Math.floor(random() * 3); i++) {
      const created_ms = START_MS + Math.floor(random() * STEPS) * 1_000;
      const device = {
        userId,
        deviceId: `D${i}`,
        created_ms,
        lastSeen_ms: created_ms + Math.floor(random() * STEPS) * 1_000,
        ended: false,
        keys: (["none", "unsigned", "signed"] as const)[Math.floor(random() * 3)] as SimulatedDevice["keys"],
      };
      history.devices.push(device);
      await ctx.db.auth.query(
        "insert into auth.sessions (user_id, device_id, created_at, last_seen_at) values ($1, $2, to_timestamp($3::float8 / 1000), to_timestamp($4::float8 / 1000))",
        [userId, device.deviceId, device.created_ms, device.lastSeen_ms],
      );
      await uploadKeys(ctx, device);
    }
  }
}

async function uploadKeys({ db }: Context, { userId, deviceId, keys }: SimulatedDevice): Promise<void> {
  await db.keys.query(
    "insert into keys.cross_signing (user_id, usage, public_key, keys) values ($1, 'self_signing', 'k' || $1, '{}') on conflict do nothing",
    [userId],
  );
  if (keys === "none") return;
  await db.keys.query("insert into keys.devices (user_id, device_id, identity, keys) values ($1, $2, 'i', '{}')", [
    userId,
    deviceId,
  ]);
  // Somebody else's signature says nothing.
  const signer = keys === "signed" ? userId : "@other:localhost";
  await db.keys.query(
    "insert into keys.signatures (user_id, target, signer, signer_key, signature) values ($1, $2, $3, 'ed25519:k' || $3, 's')",
    [userId, deviceId, signer],
  );
}

async function found(telling: Telling, room: string): Promise<void> {
  const { pick, random, history } = telling;
  const sender = pick(history.people);
  const isNew = random() < 0.5;
  const more = isNew && random() < 0.3 ? { additional_creators: [pick(history.people)] } : {};
  const space = random() < 0.3 ? { type: "m.space" } : {};
  const before = random() < 0.3 ? { predecessor: { room_id: pick(history.rooms) } } : {};
  const create = { room_version: isNew ? "12" : "11", ...space, ...before, ...more };
  await append(telling, { room, type: "m.room.create", stateKey: "", sender, content: create });
  await append(telling, { room, type: "m.room.member", stateKey: sender, sender, content: { membership: "join" } });
}

const MEMBERSHIPS = ["join", "join", "join", "invite", "invite", "leave", "leave", "ban", "knock"];
const RULES = ["public", "invite", "knock", "restricted", "restricted", "knock_restricted", "private"];
const VISIBILITIES = ["shared", "joined", "invited", "world_readable", "nonsense"];

/** Something. Nobody authorises it: the graph must say what the events say, whoever sent them. */
async function happen(telling: Telling): Promise<void> {
  const { pick, random, history } = telling;
  const [room, sender] = [pick(history.rooms), pick(history.people)];
  const say = (type: string, stateKey: string, content: Record<string, unknown>) =>
    append(telling, { room, type, stateKey, sender, content });
  const dice = random();
  if (dice < 0.5) return say("m.room.member", pick(history.people), memberOf(telling));
  if (dice < 0.54) return take(telling);
  if (dice < 0.6)
    return append(telling, { room, type: "m.room.message", stateKey: undefined, sender, content: { body: "…" } });
  if (dice < 0.7) return say("m.room.join_rules", "", { join_rule: pick(RULES), allow: allowOf(telling) });
  if (dice < 0.78) return say("m.room.history_visibility", "", { history_visibility: pick(VISIBILITIES) });
  if (dice < 0.88) return say("m.room.power_levels", "", levelsOf(telling));
  const via = random() < 0.7 ? { via: ["localhost"] } : {};
  if (dice < 0.92) return say("m.space.child", pick(history.rooms), via);
  if (dice < 0.935) return say("m.space.parent", pick(history.rooms), via);
  if (dice < 0.955) return say("m.room.tombstone", "", { replacement_room: pick(history.rooms) });
  if (dice < 0.965) return say("m.room.encryption", "", { algorithm: "m.megolm.v1.aes-sha2" });
  if (dice < 0.98) return redact(telling, sender);
  return signOut(telling);
}

function memberOf({ pick, random, history }: Telling): Record<string, unknown> {
  const membership = pick(MEMBERSHIPS);
  const by = random() < 0.3 ? { join_authorised_via_users_server: pick(history.people) } : {};
  return { membership, ...by };
}

/** What may be redacted without a change of who is where: what nests, and what says that a room was replaced. */
async function redact(telling: Telling, sender: string): Promise<void> {
  const told = telling.history.events.filter(({ type }) => type.startsWith("m.space.") || type === "m.room.tombstone");
  if (told.length === 0) return;
  const { eventId: redacts, room } = telling.pick(told);
  await append(telling, { room, type: "m.room.redaction", stateKey: undefined, sender, content: { redacts }, redacts });
}

function allowOf({ pick, random, history }: Telling): unknown[] {
  const conditions = Array.from({ length: 1 + Math.floor(random() * 2) }, () => ({
    type: "m.room_membership",
    room_id: pick(history.rooms),
  }));
  return random() < 0.2 ? [...conditions, { type: "other" }, null, { type: "m.room_membership" }] : conditions;
}

function levelsOf({ pick, random, history }: Telling): Record<string, unknown> {
  const users = Object.fromEntries(
    history.people.filter(() => random() < 0.3).map((userId) => [userId, pick([0, 10, 50, 100])]),
  );
  const some = (name: string, values: number[]) => (random() < 0.4 ? { [name]: pick(values) } : {});
  const events = random() < 0.4 ? { events: { "m.room.power_levels": pick([0, 50, 100]) } } : {};
  return {
    users,
    ...some("users_default", [0, 10, 50]),
    ...some("invite", [0, 50]),
    ...some("state_default", [50, 100]),
    ...events,
  };
}

async function signOut({ ctx, pick, history }: Telling): Promise<void> {
  const device = pick(history.devices);
  device.ended = true;
  await ctx.db.auth.query("select auth.end_sessions($1, $2, null)", [device.userId, [device.deviceId]]);
}

/** Somebody exports something, or fetches what was exported; legal access is granted, or ended. */
async function take(telling: Telling): Promise<void> {
  const { ctx, pick, random, history } = telling;
  const ts = START_MS + ++telling.count * 1_000;
  const isOfRoom = random() < 0.5;
  const of: Subject = isOfRoom ? { user: null, room: pick(history.rooms) } : { user: pick(history.people), room: null };
  const [by, dice] = [pick(history.people), random()];
  if (dice < 0.45) {
    // Numbers of jobs go on from one history to the next.
    const row = await ctx.db.console.one<{ id: number }>(
      `insert into console.exports (job_id, user_id, room_id, created_by, ready_at, expires_at)
       select coalesce(max(job_id), 0) + 1, $1, $2, $3, to_timestamp($4::float8 / 1000), now() + interval '7 days' from console.exports
       returning job_id as id`,
      [of.user, of.room, by, ts],
    );
    history.exports.push({ ...of, id: (row as { id: number }).id, by, ts, fetches: [] });
  } else if (dice < 0.75 && history.exports.length > 0) {
    const export_ = pick(history.exports);
    const device = history.devices.find(({ userId }) => userId === by)?.deviceId ?? null;
    await ctx.db.console.query(
      "insert into console.export_fetches (job_id, fetched_by, device_id, fetched_at) values ($1, $2, $3, to_timestamp($4::float8 / 1000))",
      [export_.id, by, device, ts],
    );
    export_.fetches.push({ user: by, device });
  } else if (dice < 0.92 || history.accesses.length === 0) {
    const ends = ts + 200_000;
    const row = await ctx.db.console.one<{ id: number }>(
      `insert into console.legal_access (user_id, room_id, holder, case_reference, reason, granted_by, granted_at, ends_at)
       values ($1, $2, $3, 'case', 'an order', $3, to_timestamp($4::float8 / 1000), to_timestamp($5::float8 / 1000)) returning access_id as id`,
      [of.user, of.room, by, ts, ends],
    );
    history.accesses.push({ ...of, id: (row as { id: number }).id, holder: by, ends });
  } else {
    const access = pick(history.accesses);
    access.ends = Math.min(access.ends, ts);
    const sql =
      "update console.legal_access set ended_at = to_timestamp($2::float8 / 1000) where access_id = $1 and ended_at is null";
    await ctx.db.console.query(sql, [access.id, ts]);
  }
}

async function append(telling: Telling, event: Omit<Happened, "position" | "ts" | "eventId">): Promise<void> {
  const { ctx, history } = telling;
  const { room, type, stateKey, sender, content, redacts } = event;
  const ts = START_MS + ++telling.count * 1_000;
  const event_id = `$${room.slice(1)}n${telling.count}`;
  const state = stateKey === undefined ? {} : { state_key: stateKey };
  const body = JSON.stringify({ content, event_id, origin_server_ts: ts, sender, ...state, type });
  const special = {
    ...(redacts === undefined ? {} : { redacts }),
    ...(type === "m.room.create" ? { room_version: content["room_version"] as string } : {}),
    ...(type === "m.room.member" ? { membership: content["membership"] as string } : {}),
  };
  const entry: NewEntry = { kind: "event", room, user: sender, event_id, type, ts, body, ...state, ...special };
  const appended = await ctx.log.append({ lane: room, entries: [entry] });
  if (appended.outcome !== "appended") throw new Error(appended.outcome);
  history.events.push({
    ...event,
    eventId: event_id,
    ts,
    position: (appended.entries[0] as { position: number }).position,
  });
}
