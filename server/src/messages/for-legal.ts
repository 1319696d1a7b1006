/** What the log has of a room, for an export under legal access: what was encrypted is. */
import type { Context } from "../context.ts";
import type { Gathered } from "../person/export-job.ts";
import type { Page } from "../person/section.ts";

export function sectionsOfRoom(roomId: string): readonly Gathered[] {
  return [
    {
      name: "members",
      about: "Who is or was in the room, or was invited.",
      read: (ctx, { after, limit }) => read(ctx, MEMBERS, [roomId, after, limit]),
    },
    {
      name: "events",
      about:
        "Everything that was sent into the room and is kept, in its order. What was encrypted is, since the server has no key.",
      read: (ctx, { after, limit }) => read(ctx, EVENTS, [roomId, Number(after || 0), limit]),
    },
    {
      name: "receipts",
      about: "How far each member has read, as far as they told everybody.",
      read: (ctx, { after, limit }) => read(ctx, RECEIPTS, [roomId, after, limit]),
    },
  ];
}

const MEMBERS = `select user_id as key, json_build_object('user_id', user_id, 'membership', membership)::text as record
  from log.members where room_id = $1 and user_id collate "C" > $2 order by user_id collate "C" limit $3`;
const EVENTS = `select position::text as key, body as record from log.entries
  where kind = 'event' and room_id = $1 and position > $2 order by position limit $3`;
const RECEIPT = `user_id || ' ' || type || ' ' || thread_id`;
const RECEIPTS = `select ${RECEIPT} as key,
    json_build_object('user_id', user_id, 'type', type, 'thread_id', nullif(thread_id, ''), 'event_id', event_id, 'ts', ts)::text as record
  from log.receipts where room_id = $1 and type <> 'm.read.private' and (${RECEIPT}) collate "C" > $2 order by (${RECEIPT}) collate "C" limit $3`;

async function read(
  ctx: Context,
  sql: string,
  parameters: readonly [roomId: string, after: string | number, limit: number],
): Promise<Page> {
  const rows = await ctx.db.log.query<{ key: string; record: string }>(sql, [...parameters]);
  const next = rows.length === parameters[2] ? rows.at(-1)?.key : undefined;
  return { records: rows.map(({ record }) => record), next };
}
