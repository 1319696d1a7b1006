/** What is asked of billing's tables by those who look at it. Times are in milliseconds. */
import type { Reader } from "../db/database.ts";
import type { StateOf } from "./objects.ts";
import type { UsageKind } from "./usage.ts";

export interface Backlog {
  /** How long the oldest that is waiting has waited, in seconds; 0 where nothing is. */
  oldest_s: number;
  waiting: number;
  dead: number;
  /** Since the provider's list was read; 0 where it never was. */
  streamAge_s: number;
}

/** How far behind the work is. */
export async function backlog(db: Reader): Promise<Backlog> {
  const row = await db.one<Backlog>(
    `select w.waiting, extract(epoch from coalesce(clock_timestamp() - least(w.oldest, u.oldest), interval '0'))::double precision as "oldest_s",
       (select count(*) from billing.deliveries where state = 'dead') as dead,
       (select coalesce(extract(epoch from clock_timestamp() - looked_at), 0)::double precision from billing.stream) as "streamAge_s"
     from (select count(*) as waiting, min(waiting_since) as oldest from billing.deliveries where state = 'waiting') w,
       (select min(measured_at) as oldest from billing.usage where state = 'waiting') u`,
  );
  if (!row) throw new Error("A statement without from-clauses that are empty gave no row.");
  return row;
}

export interface Work {
  /** When the provider's list was read. */
  stream_ts: number | null;
  /** Until when somebody has the lease; null where nobody has. */
  lease_ts: number | null;
  /** Payments that failed in the last 30 days. */
  failed_payments: number;
}

export async function readWork(db: Reader): Promise<Work> {
  const row = await db.one<Work>(
    `select (select (extract(epoch from looked_at) * 1000)::bigint from billing.stream) as stream_ts,
       (select (extract(epoch from expires_at) * 1000)::bigint from billing.lease
        where holder is not null and expires_at > clock_timestamp()) as lease_ts,
       (select count(*) from billing.payment_failures where failed_at > now() - interval '30 days') as failed_payments`,
  );
  if (!row) throw new Error("A statement without a from-clause gave no row.");
  return row;
}

/** The subscription that goes on, or else the one that was made last. */
export function readPlan(db: Reader): Promise<{ id: string; state: StateOf<"subscription"> } | undefined> {
  return db.one(
    `select object_id as id, state from billing.objects where kind = 'subscription' and not is_gone
     order by state ->> 'status' not in ('canceled', 'incomplete_expired') desc, created_at desc limit 1`,
  );
}

export async function readCustomer(db: Reader): Promise<StateOf<"customer"> | undefined> {
  const row = await db.one<{ state: StateOf<"customer"> }>(
    "select state from billing.objects where kind = 'customer' and not is_gone limit 1",
  );
  return row?.state;
}

export interface CountedUsage {
  kind: UsageKind;
  day: string;
  measured: number;
  quantity: number;
  state: "waiting" | "reported" | "superseded";
  last_error: string | null;
  reported_ts: number | null;
}

/** What was counted last, of each kind. */
export function readUsage(db: Reader): Promise<CountedUsage[]> {
  return db.query(
    `select distinct on (kind) kind, day::text, measured, quantity, state, last_error,
       (extract(epoch from reported_at) * 1000)::bigint as reported_ts
     from billing.usage order by kind, day desc`,
  );
}

export interface Page {
  after: readonly [number, string] | undefined;
  limit: number;
}

export interface ListedInvoice {
  id: string;
  created_ts: number;
  is_gone: boolean;
  state: StateOf<"invoice">;
}

/** The newest first. */
export function listInvoices(
  db: Reader,
  { after, limit, status }: Page & { status: string | undefined },
): Promise<ListedInvoice[]> {
  return db.query(
    `select object_id as id, (extract(epoch from created_at) * 1000)::bigint as created_ts, is_gone, state
     from billing.objects
     where kind = 'invoice' and ($1::text is null or state ->> 'status' = $1)
       and ($2::double precision is null or (created_at, object_id) < (to_timestamp($2::double precision / 1000), $3::text))
     order by created_at desc, object_id desc limit $4`,
    [status ?? null, after?.[0] ?? null, after?.[1] ?? null, limit],
  );
}

export interface EventFilter {
  state: string | undefined;
  type: string | undefined;
  source: string | undefined;
  /** The id of an event, or of what it is about. */
  q: string | undefined;
}

export interface ListedDelivery {
  handler: string;
  state: "waiting" | "handled" | "dead" | "discarded";
  attempts: number;
  changes: number;
  due_ts: number;
  settled_ts: number | null;
  last_error: string | null;
}

export interface ListedEvent {
  event_id: string;
  type: string;
  object_id: string;
  source: "webhook" | "stream";
  created_ts: number;
  received_ts: number;
  /** That of the delivery that needs most attention; "unhandled" where nobody handles the type. */
  state: "dead" | "waiting" | "handled" | "discarded" | "unhandled";
  deliveries: ListedDelivery[];
}

/** The newest first. */
export function listEvents(db: Reader, { after, limit, ...filter }: Page & EventFilter): Promise<ListedEvent[]> {
  return db.query(
    `select e.event_id, e.type, e.object_id, e.source, s.state, s.deliveries,
       (extract(epoch from e.created_at) * 1000)::bigint as created_ts,
       (extract(epoch from e.received_at) * 1000)::bigint as received_ts
     from billing.events e cross join lateral (
       select case when bool_or(state = 'dead') then 'dead' when bool_or(state = 'waiting') then 'waiting'
           when bool_or(state = 'handled') then 'handled' when count(*) > 0 then 'discarded' else 'unhandled' end as state,
         coalesce(json_agg(json_build_object('handler', handler, 'state', state, 'attempts', attempts, 'changes', changes,
           'due_ts', (extract(epoch from due_at) * 1000)::bigint,
           'settled_ts', (extract(epoch from settled_at) * 1000)::bigint, 'last_error', last_error) order by handler), '[]') as deliveries
       from billing.deliveries where event_id = e.event_id
     ) s
     where ($1::text is null or s.state = $1) and ($2::text is null or e.type = $2) and ($3::text is null or e.source = $3)
       and ($4::text is null or e.event_id = $4 or e.object_id = $4)
       and ($5::double precision is null or (e.created_at, e.event_id) < (to_timestamp($5::double precision / 1000), $6::text))
     order by e.created_at desc, e.event_id desc limit $7`,
    [
      filter.state ?? null,
      filter.type ?? null,
      filter.source ?? null,
      filter.q || null,
      after?.[0] ?? null,
      after?.[1] ?? null,
      limit,
    ],
  );
}

export interface DeadLetter {
  event_id: string;
  handler: string;
  type: string;
  object_id: string;
  attempts: number;
  last_error: string | null;
  settled_ts: number | null;
}

/** By the ids of their events, and of one event by handler. */
export function listDead(
  db: Reader,
  { after, limit }: { after: readonly [string, string] | undefined; limit: number },
): Promise<DeadLetter[]> {
  return db.query(
    `select d.event_id, d.handler, e.type, e.object_id, d.attempts, d.last_error,
       (extract(epoch from d.settled_at) * 1000)::bigint as settled_ts
     from billing.deliveries d join billing.events e on e.event_id = d.event_id
     where d.state = 'dead' and ($1::text is null or (d.event_id, d.handler) > ($1, $2::text))
     order by d.event_id, d.handler limit $3`,
    [after?.[0] ?? null, after?.[1] ?? null, limit],
  );
}
