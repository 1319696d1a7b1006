/** What operators do with events that are stored: a replay makes deliveries wait again, for whoever has the lease. */
import type { Db } from "../db/database.ts";
import { handledTypes, type HandlerName, handlersOf } from "./handlers.ts";

/** Each type with each of its handlers, as two columns. */
const pairs = handledTypes.flatMap((type) => handlersOf(type).map((handler) => ({ type, handler })));
const types = pairs.map(({ type }) => type);
const handlers = pairs.map(({ handler }) => handler);

export interface Range {
  from_ms: number;
  to_ms: number;
  type?: string | undefined;
}

/**
 * All handlers of an event run anew, those too that this version has and the one that stored it had not. A run of what was applied
 * changes nothing. Gives how many; undefined where there is no such event.
 */
export async function replayEvent(db: Db, eventId: string): Promise<number | undefined> {
  const event = await db.one("select 1 as found from billing.events where event_id = $1", [eventId]);
  return event && replay(db, { eventId, from_ms: null, to_ms: null, type: null });
}

/** The same for events that were made in a time. */
export function replayRange(db: Db, { from_ms, to_ms, type }: Range): Promise<number> {
  return replay(db, { eventId: null, from_ms, to_ms, type: type ?? null });
}

/** How many events a range has. */
export async function countRange(db: Db, { from_ms, to_ms, type }: Range): Promise<number> {
  const row = await db.one<{ count: number }>(
    `select count(*) as count from billing.events
     where created_at >= to_timestamp($1::double precision / 1000) and created_at < to_timestamp($2::double precision / 1000)
       and ($3::text is null or type = $3)`,
    [from_ms, to_ms, type ?? null],
  );
  return row?.count ?? 0;
}

type Chosen = { eventId: string | null; from_ms: number | null; to_ms: number | null; type: string | null };

/** What waits already is due at once. */
function replay(db: Db, { eventId, from_ms, to_ms, type }: Chosen): Promise<number> {
  return db.change(
    `insert into billing.deliveries as d (event_id, handler)
     select e.event_id, known.handler
     from billing.events e join unnest($1::text[], $2::text[]) as known (type, handler) on known.type = e.type
     where ($3::text is null or e.event_id = $3)
       and ($4::double precision is null or e.created_at >= to_timestamp($4::double precision / 1000))
       and ($5::double precision is null or e.created_at < to_timestamp($5::double precision / 1000))
       and ($6::text is null or e.type = $6)
     on conflict (event_id, handler) do update
     set state = 'waiting', attempts = 0, due_at = clock_timestamp(), settled_at = null, last_error = null,
       waiting_since = case when d.state = 'waiting' then d.waiting_since else clock_timestamp() end`,
    [types, handlers, eventId, from_ms, to_ms, type],
  );
}

export interface DeliveryName {
  eventId: string;
  handler: HandlerName;
}

/** A dead letter waits again. Gives whether there was one. */
export async function retryDead(db: Db, { eventId, handler }: DeliveryName): Promise<boolean> {
  const changed = await db.change(
    `update billing.deliveries
     set state = 'waiting', attempts = 0, due_at = clock_timestamp(), waiting_since = clock_timestamp(), settled_at = null
     where event_id = $1 and handler = $2 and state = 'dead'`,
    [eventId, handler],
  );
  return changed > 0;
}

/** A dead letter is not to be handled. Gives whether there was one. */
export async function discardDead(db: Db, { eventId, handler }: DeliveryName): Promise<boolean> {
  const changed = await db.change(
    `update billing.deliveries set state = 'discarded', settled_at = clock_timestamp()
     where event_id = $1 and handler = $2 and state = 'dead'`,
    [eventId, handler],
  );
  return changed > 0;
}

/** The provider's list is read as soon as somebody has the lease (again, where it is being read), back to `since_ms` where that is given. */
export async function readStreamSoon(db: Db, since_ms: number | undefined): Promise<void> {
  await db.change(
    `update billing.stream
     set looked_at = null, asked = asked + 1,
       -- Null is from the beginning, and nothing is before that.
       read_until = case when read_until is not null then least(read_until, to_timestamp($1::double precision / 1000)) end`,
    [since_ms ?? null],
  );
}
