/**
 * How far each service was sent the log, and who sends. The states of a row:
 *
 *   idle      no body: everything up to `position` was sent
 *   sending   a body: a transaction is on its way, and may have arrived
 *   waiting   a body and `retry_at`: the last try failed
 *
 * Every change names the holder and the transaction that it is about: a worker that stood still and lost its lease changes nothing.
 */
import type { Context } from "../context.ts";
import type { Db } from "../db/database.ts";
import { readForks, readHead } from "../log/queries.ts";
import { stillHolds } from "../log/for-projections.ts";
import { limits } from "../limits.ts";

export interface Place {
  serviceId: string;
  position: number;
  epoch: number;
  transaction: number;
  body: string | null;
  reaches: number | null;
  failures: number;
  /** Until the next try is due; 0 where it is, or nothing failed. */
  retryIn_ms: number;
}

const PLACE = `service_id as "serviceId", position, epoch, transaction, body, reaches, failures,
  greatest(0, coalesce(ceil(extract(epoch from retry_at - clock_timestamp()) * 1000), 0))::bigint as "retryIn_ms"`;

/** Writes down where a service begins that is new: at the end of the log as it is now. */
export async function beginServices(ctx: Context, serviceIds: readonly string[]): Promise<void> {
  const { position, epoch } = await readHead(ctx.db.log);
  await ctx.db.appservice.change(
    `insert into appservice.services (service_id, position, epoch)
     select n.service_id, $2, $3 from unnest($1::text[]) n(service_id) on conflict do nothing`,
    [serviceIds, position, epoch],
  );
}

/** Takes the lease on a service, or keeps it; undefined while another worker has it. */
export function takePlace(db: Db, serviceId: string, holder: string): Promise<Place | undefined> {
  return db.one<Place>(
    `update appservice.services set holder = $2, held_until = clock_timestamp() + $3 * interval '1 millisecond'
     where service_id = $1 and (holder is null or holder = $2 or held_until < clock_timestamp()) returning ${PLACE}`,
    [serviceId, holder, limits.serviceLease_ms],
  );
}

/** Gives the lease back, so that the next worker need not wait for its end. */
export async function leavePlace(db: Db, serviceId: string, holder: string): Promise<void> {
  await db.change(
    "update appservice.services set holder = null, held_until = null where service_id = $1 and holder = $2",
    [serviceId, holder],
  );
}

/** Nothing up to there was for the service. */
export async function passOver(
  db: Db,
  place: Place,
  { holder, upTo }: { holder: string; upTo: number },
): Promise<void> {
  await db.change(
    `update appservice.services set position = $4
     where service_id = $1 and holder = $2 and position = $3 and body is null`,
    [place.serviceId, holder, place.position, upTo],
  );
}

/** Begins a transaction; undefined where somebody else has the lease by now. */
export function beginTransaction(
  db: Db,
  place: Place,
  { holder, body, reaches }: { holder: string; body: string; reaches: number },
): Promise<Place | undefined> {
  return db.one<Place>(
    `update appservice.services set transaction = transaction + 1, body = $4, reaches = $5
     where service_id = $1 and holder = $2 and transaction = $3 and body is null returning ${PLACE}`,
    [place.serviceId, holder, place.transaction, body, reaches],
  );
}

/** The service has it. */
export async function endTransaction(db: Db, place: Place): Promise<void> {
  await db.change(
    `update appservice.services set position = greatest(position, reaches), body = null, reaches = null, failures = 0, retry_at = null,
       failing_since = null, error = null, sent_at = now()
     where service_id = $1 and transaction = $2 and body is not null`,
    [place.serviceId, place.transaction],
  );
}

/** A try failed; the same transaction is sent again, later and later. Gives how long the wait is. */
export async function failTransaction(ctx: Context, place: Place, error: string): Promise<number> {
  const wait_ms = retryAfter_ms(place.failures);
  await ctx.db.appservice.change(
    `update appservice.services set failures = failures + 1, error = $3, failing_since = coalesce(failing_since, now()),
       retry_at = clock_timestamp() + $4 * interval '1 millisecond'
     where service_id = $1 and transaction = $2 and body is not null`,
    [place.serviceId, place.transaction, error, wait_ms],
  );
  return wait_ms;
}

/** The service was just reached: what waits for it is sent soon. */
export async function retryNow(db: Db, serviceId: string): Promise<void> {
  await db.change("update appservice.services set retry_at = null where service_id = $1 and retry_at is not null", [
    serviceId,
  ]);
}

/** 1 s, 2 s, 4 s and so on, up to a minute. */
export function retryAfter_ms(failures: number): number {
  return Math.min(limits.serviceRetryMost_ms, limits.serviceRetryFirst_ms * 2 ** Math.min(failures, 20));
}

/** Where the log went on differently below the place, after a fail-over or a restore, the service goes on from there. */
export async function followFork(ctx: Context, place: Place, epoch: number): Promise<Place> {
  if (place.epoch === epoch) return place;
  let { position } = place;
  if (!(await stillHolds(ctx.db.log, place, epoch))) {
    const forks = await readForks(ctx.db.log);
    const head = await readHead(ctx.db.log);
    for (let each = place.epoch + 1; each <= epoch; each++)
      position = Math.min(position, forks.get(each) ?? head.position);
  }
  await ctx.db.appservice.change(
    "update appservice.services set epoch = $2, position = least(position, $3) where service_id = $1 and epoch = $4",
    [place.serviceId, epoch, position, place.epoch],
  );
  return { ...place, position, epoch };
}
