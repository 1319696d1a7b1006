// A large server for the access graph: its events go into the log as they are, which no client could do in that time.

import type { Context } from "../../server/src/context.ts";
import type { NewEntry } from "../../server/src/log/entry.ts";

export const PEOPLE = 10_000;
export const ROOMS = 2_000;
export const MEMBERSHIPS = 200_000;
const AT_ONCE = 500;
const START_MS = 1_700_000_000_000;

export const person = (i: number): string => `@person${i % PEOPLE}:localhost`;
export const room = (i: number): string => `!room${i % ROOMS}:localhost`;

/** Accounts with a device each, rooms of which every tenth is a space that lets its members into nine others, and who is in them. */
export async function fillWorld({ db, log }: Pick<Context, "db" | "log">): Promise<void> {
  await db.auth.query(
    `insert into auth.accounts (user_id, is_admin) select '@person' || i || ':localhost', i < 3 from generate_series(0, $1::integer - 1) i`,
    [PEOPLE],
  );
  await db.auth.query(
    `insert into auth.sessions (user_id, device_id, created_at, last_seen_at)
     select '@person' || i || ':localhost', 'LAPTOP', now() - interval '200 days', now() - i % 180 * interval '1 day' from generate_series(0, $1::integer - 1) i`,
    [PEOPLE],
  );
  await fillExports(db);
  let entries: NewEntry[] = [];
  const flush = async () => {
    const batch = entries;
    entries = [];
    const appended = await log.append({ lane: "fill", entries: batch });
    if (appended.outcome !== "appended") throw new Error(`the log answered ${appended.outcome}`);
  };
  let count = 0;
  for (const event of events()) {
    entries.push(entryOf(event, ++count));
    if (entries.length >= AT_ONCE) await flush();
  }
  await flush();
}

/** Of every fiftieth person and every tenth room, fetched by one of twenty; and legal access to as many. */
async function fillExports(db: Context["db"]): Promise<void> {
  await db.console.query(
    `insert into console.exports (job_id, user_id, room_id, created_by, ready_at, expires_at)
     select i + 1, case when i % 2 = 0 then '@person' || i * 25 || ':localhost' end, case when i % 2 = 1 then '!room' || i * 5 || ':localhost' end,
       '@person' || i % 20 || ':localhost', now(), now() + interval '7 days' from generate_series(0, 399) i`,
  );
  await db.console.query(
    `insert into console.export_fetches (job_id, fetched_by, device_id)
     select i + 1, '@person' || i % 20 || ':localhost', 'LAPTOP' from generate_series(0, 399) i`,
  );
  await db.console.query(
    `insert into console.legal_access (user_id, room_id, holder, case_reference, reason, granted_by, ends_at)
     select user_id, room_id, created_by, 'case ' || job_id, 'an order', '@person0:localhost', now() + interval '90 days' from console.exports`,
  );
}

interface Event {
  roomId: string;
  type: string;
  key: string;
  sender: string;
  content: Record<string, unknown>;
}

function* events(): Generator<Event> {
  for (let i = 0; i < ROOMS; i++) {
    const [roomId, sender] = [room(i), person(i * 5)];
    const isSpace = i % 10 === 0;
    yield {
      roomId,
      type: "m.room.create",
      key: "",
      sender,
      content: { room_version: "11", ...(isSpace ? { type: "m.space" } : {}) },
    };
    yield { roomId, type: "m.room.member", key: sender, sender, content: { membership: "join" } };
    yield {
      roomId,
      type: "m.room.power_levels",
      key: "",
      sender,
      content: { users: { [sender]: 100, [person(i * 5 + 1)]: 50 } },
    };
    const allow = [{ type: "m.room_membership", room_id: room(i - (i % 10)) }];
    const rule = isSpace ? { join_rule: i % 100 === 0 ? "public" : "invite" } : { join_rule: "restricted", allow };
    yield { roomId, type: "m.room.join_rules", key: "", sender, content: rule };
    if (!isSpace)
      yield { roomId: room(i - (i % 10)), type: "m.space.child", key: roomId, sender, content: { via: ["localhost"] } };
  }
  const each = MEMBERSHIPS / ROOMS - 1;
  for (let i = 0; i < ROOMS; i++)
    for (let n = 1; n <= each; n++) {
      const who = person(i * 5 + n * 97);
      yield {
        roomId: room(i),
        type: "m.room.member",
        key: who,
        sender: who,
        content: { membership: "join", displayname: `Person ${i} ${n}` },
      };
    }
}

function entryOf({ roomId, type, key, sender, content }: Event, count: number): NewEntry {
  const [event_id, ts] = [`$graph${count}`, START_MS + count * 1_000];
  const body = JSON.stringify({ content, event_id, origin_server_ts: ts, sender, state_key: key, type });
  const special = {
    ...(type === "m.room.create" ? { room_version: "11" } : {}),
    ...(type === "m.room.member" ? { membership: "join" } : {}),
  };
  return { kind: "event", room: roomId, user: sender, event_id, type, state_key: key, ts, body, ...special };
}
