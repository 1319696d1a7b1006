/**
 * Events on their way to their handlers. A delivery is taken, with its attempt counted before anything is done, so that one that ends
 * the process every time comes to its end too; it is run; and it is settled in the transaction that makes its changes.
 */
import { ZodError } from "zod";
import type { Db } from "../db/database.ts";
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Seams } from "../seams.ts";
import { prepare, type Write } from "./apply.ts";
import type { Preparing } from "./apply.ts";
import { eventSchema } from "./events.ts";
import type { HandlerName } from "./handlers.ts";
import { fenced, type Lease, LeaseLost } from "./lease.ts";

export interface Delivering {
  db: Db;
  stripe: Preparing["stripe"];
  seams: Seams;
  /** Told of each step, so that a test can end the process there. */
  reached(step: string): void;
  /** Told what became of a run. */
  settled(handler: HandlerName, outcome: "changed" | "unchanged" | "failed" | "dead"): void;
}

interface Taken {
  event_id: string;
  handler: HandlerName;
  attempts: number;
  takes: number;
  body: string;
}

/** Runs the delivery that has waited longest, if one is due. Gives whether there was one. Throws LeaseLost. */
export async function deliverNext(parts: Delivering, lease: Lease): Promise<boolean> {
  const taken = await take(parts.db, lease);
  if (!taken) return false;
  parts.reached("delivery taken");
  try {
    if (taken.attempts > limits.billing_attempts)
      throw new Hopeless("Whoever ran it ended before it was done, every time.");
    const write = await prepare(taken.handler, eventSchema.parse(JSON.parse(taken.body)), parts);
    parts.reached("delivery prepared");
    const isChanged = await settle(parts, lease, { taken, write });
    parts.reached("delivery settled");
    parts.settled(taken.handler, isChanged ? "changed" : "unchanged");
  } catch (thrown) {
    if (thrown instanceof LeaseLost) throw thrown;
    await fail(parts, lease, { taken, thrown });
  }
  return true;
}

/** An operator has to look. */
class Hopeless extends Error {}

function take(db: Db, { fence }: Lease): Promise<Taken | undefined> {
  return db.one<Taken>(
    `with held as materialized (
       select 1 from billing.lease where fence = $1 and expires_at > clock_timestamp() for share
     ), due as materialized (
       select event_id, handler from billing.deliveries
       where state = 'waiting' and due_at <= clock_timestamp() and exists (select 1 from held)
       order by due_at, event_id, handler limit 1 for update skip locked
     )
     update billing.deliveries d
     set attempts = d.attempts + 1, takes = d.takes + 1, due_at = clock_timestamp() + $2 * interval '1 millisecond'
     from due join billing.events e on e.event_id = due.event_id
     where d.event_id = due.event_id and d.handler = due.handler
     returning d.event_id, d.handler, d.attempts, d.takes, e.body`,
    [fence, limits.billingVisibility_ms],
  );
}

/** Overtaken: an operator settled it meanwhile, or replayed it. What the run would have changed is taken back. */
class Overtaken extends Error {}

function settle(
  { db, reached }: Delivering,
  lease: Lease,
  { taken, write }: { taken: Taken; write: Write },
): Promise<boolean> {
  return fenced(db, lease, async (transaction) => {
    const isChanged = await write(transaction);
    reached("delivery written");
    const settled = await transaction.change(
      `update billing.deliveries
       set state = 'handled', changes = changes + $4, last_error = null, settled_at = clock_timestamp()
       where event_id = $1 and handler = $2 and takes = $3 and state = 'waiting'`,
      [taken.event_id, taken.handler, taken.takes, isChanged ? 1 : 0],
    );
    if (settled === 0) throw new Overtaken("The delivery was settled by somebody else.");
    reached("delivery marked");
    return isChanged;
  });
}

async function fail(
  parts: Delivering,
  lease: Lease,
  { taken, thrown }: { taken: Taken; thrown: unknown },
): Promise<void> {
  if (thrown instanceof Overtaken) return;
  const isDead = thrown instanceof ZodError || thrown instanceof Hopeless || taken.attempts >= limits.billing_attempts;
  const wait_ms = retryAfter_ms(parts.seams, taken.attempts, thrown);
  await fenced(parts.db, lease, (transaction) =>
    transaction.change(
      `update billing.deliveries
       set state = $4, last_error = $5, due_at = clock_timestamp() + $6 * interval '1 millisecond',
         settled_at = case when $4 = 'dead' then clock_timestamp() end
       where event_id = $1 and handler = $2 and takes = $3 and state = 'waiting'`,
      [taken.event_id, taken.handler, taken.takes, isDead ? "dead" : "waiting", reasonOf(thrown), wait_ms],
    ),
  );
  parts.settled(taken.handler, isDead ? "dead" : "failed");
}

/** Why something failed, for operators. */
export function reasonOf(thrown: unknown): string {
  const text =
    thrown instanceof ZodError ? `The event is not what its type says: ${wrongIn(thrown)}.` : asError(thrown).message;
  return text.slice(0, limits.billingReason_characters);
}

function wrongIn({ issues }: ZodError): string {
  return issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
}

/** Twice as long after each attempt, half of it by chance; longer where Stripe says so. */
export function retryAfter_ms(seams: Seams, attempts: number, thrown: unknown): number {
  const most_ms = Math.min(limits.billingRetryMost_ms, limits.billingRetryLeast_ms * 2 ** (attempts - 1));
  const wait_ms = most_ms / 2 + seams.randomInt(Math.ceil(most_ms / 2) + 1);
  const { headers } = thrown as { headers?: Record<string, string> };
  const asked_ms = Number(headers?.["retry-after"] ?? 0) * 1_000;
  return Math.max(wait_ms, Math.min(asked_ms || 0, limits.billingRetryMost_ms));
}
