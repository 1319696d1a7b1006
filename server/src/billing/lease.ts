/**
 * Who does the work of billing: one process at a time. The lease is a row that runs out by the database's clock. It bounds for how
 * long nobody works after a process has died; it does not keep two from working at once, since a process may stand still at any
 * moment and go on much later. That is what the fence is for: a number that grows whenever the lease changes hands, and that every
 * transaction of a worker holds on to while it writes.
 */
import type { Db } from "../db/database.ts";
import { limits } from "../limits.ts";

/** Somebody else has the lease now, or nobody: what was begun is theirs. */
export class LeaseLost extends Error {
  constructor() {
    super("The lease of billing has passed on.");
    this.name = "LeaseLost";
  }
}

export interface Lease {
  holder: string;
  fence: number;
}

type Writer = Omit<Db, "transaction">;

/** Takes the lease, or keeps it for longer; undefined while another process has it. */
export async function takeLease(db: Db, holder: string, lease_ms: number): Promise<Lease | undefined> {
  const row = await db.one<{ fence: number }>(
    `update billing.lease
     set fence = fence + case when holder = $1 and expires_at > clock_timestamp() then 0 else 1 end,
       holder = $1, expires_at = clock_timestamp() + $2 * interval '1 millisecond'
     where holder = $1 or expires_at <= clock_timestamp()
     returning fence`,
    [holder, lease_ms],
  );
  return row && { holder, fence: row.fence };
}

/** Lets the next process begin at once. */
export async function leaveLease(db: Db, { holder, fence }: Lease): Promise<void> {
  await db.change("update billing.lease set expires_at = '-infinity', holder = null where holder = $1 and fence = $2", [
    holder,
    fence,
  ]);
}

/**
 * Several statements in one transaction, all of them before anybody else gets the lease or none at all. Throws LeaseLost. A process
 * that stands still in the middle loses its transaction soon, so that it keeps nobody waiting.
 */
export function fenced<T>(db: Db, { fence }: Lease, run: (db: Writer) => Promise<T>): Promise<T> {
  return db.transaction(async (transaction) => {
    await transaction.query("select set_config('idle_in_transaction_session_timeout', $1, true)", [
      `${limits.billingTransaction_ms}`,
    ]);
    const held = await transaction.one(
      "select 1 as held from billing.lease where fence = $1 and expires_at > clock_timestamp() for share",
      [fence],
    );
    if (!held) throw new LeaseLost();
    return run(transaction);
  });
}
