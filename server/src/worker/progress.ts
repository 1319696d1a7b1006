/**
 * Parts of the worker that follow the log. Any number of processes run such a part, and one at a time does its work: the row `progress`
 * of the part's schema says how far it came, and who goes on until when. The lease bounds for how long nobody works after a process has
 * died. That nothing is written twice is sure by something else: what a stretch of the log means is written in one transaction with the
 * new position, and only by who holds the lease, from where he began.
 */
import { hostname } from "node:os";
import type { Context } from "../context.ts";
import type { Transaction } from "../db/database.ts";
import { randomToken, type Seams } from "../seams.ts";

export interface Place {
  position: number;
  /** The history epoch of the position. */
  epoch: number;
  /** Whether anybody has the lease. */
  isHeld: boolean;
}

/** From a place, which `take` gave, up to another one. */
export interface Step {
  holder: string;
  from: Place;
  upTo: number;
  epoch: number;
  /** When the log was read (ms since 1970) and nothing was left behind `upTo`; null where something was. For a row with `as_of`. */
  asOf_ms?: number | null;
}

export interface ProgressOptions {
  schema: "graph" | "push" | "search";
  /** What the row tells beside the place, as SQL. */
  columns?: readonly string[];
  lease_ms: number;
}

/** The lease went to another worker, or somebody set the part back: what was read is not written. */
class Overtaken extends Error {}

/** How a process names itself in leases: nobody else has the name, and an operator finds the machine by it. */
export function holderName(seams: Seams): string {
  return `${hostname()} ${randomToken(seams, 6)}`;
}

/** What a part does with its row. */
export function progressIn<P extends Place>({ schema, columns = [], lease_ms }: ProgressOptions) {
  const row = `${schema}.progress`;
  const told = ["position", "epoch", 'coalesce(held_until > now(), false) as "isHeld"', ...columns].join(", ");

  async function readProgress(ctx: Context): Promise<P> {
    const progress = await ctx.db[schema].one<P>(`select ${told} from ${row}`);
    if (!progress) throw new Error(`${row} has no row`);
    return progress;
  }

  /** Takes the lease, or keeps it. Undefined while another worker has it. */
  function takeLease(ctx: Context, holder: string): Promise<P | undefined> {
    return ctx.db[schema].one<P>(
      `update ${row} set holder = $1, held_until = now() + $2 * interval '1 millisecond'
       where holder is null or holder = $1 or held_until < now() returning ${told}`,
      [holder, lease_ms],
    );
  }

  /** Gives the lease back, so that the next worker need not wait for its end. */
  async function leaveLease(ctx: Context, holder: string): Promise<void> {
    await ctx.db[schema].query(`update ${row} set holder = null, held_until = null where holder = $1`, [holder]);
  }

  /** Writes what a stretch means, and with it how far the log was followed. False where the worker was overtaken: nothing is written. */
  async function advance(ctx: Context, step: Step, write: (db: Transaction) => Promise<void>): Promise<boolean> {
    const { holder, from, upTo, epoch, asOf_ms } = step;
    const isTimed = asOf_ms !== undefined;
    const asOf = isTimed ? ", as_of = coalesce(to_timestamp($6::double precision / 1000), as_of)" : "";
    const sql = `update ${row} set position = $3, epoch = $4, held_until = now() + $5 * interval '1 millisecond'${asOf}
      where holder = $1 and position = $2`;
    const params = [holder, from.position, upTo, epoch, lease_ms, ...(isTimed ? [asOf_ms] : [])];
    try {
      await ctx.db[schema].transaction(async (db) => {
        if ((await db.change(sql, params)) === 0) throw new Overtaken();
        await write(db);
      });
      return true;
    } catch (thrown) {
      if (!(thrown instanceof Overtaken)) throw thrown;
      return false;
    }
  }

  return { readProgress, takeLease, leaveLease, advance };
}
