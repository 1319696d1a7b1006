/**
 * What people have decided of what others learn from their devices: global account data of the type `io.parley.privacy`, which any
 * client may set. docs/protocol/delivery.md, "What people decide".
 */
import type { Context } from "../context.ts";
import { readAccountDataOf } from "../log/queries.ts";

export const PRIVACY = "io.parley.privacy";

/** Whether senders learn that a device has their messages; whether its reports of what it could read count. */
export type Told = "delivery_receipts" | "decryption_reports";

/** Who of these people has switched it off. What is not said, or is no `false`, is on. */
export async function whoRefuses(ctx: Context, what: Told, userIds: readonly string[]): Promise<ReadonlySet<string>> {
  const people = [...new Set(userIds)];
  const stored = await readAccountDataOf(ctx.db.log, PRIVACY, people);
  return new Set(people.filter((_, i) => isOff(stored[i], what)));
}

function isOff(stored: string | undefined, what: Told): boolean {
  if (stored === undefined) return false;
  return (JSON.parse(stored) as Partial<Record<Told, unknown>>)[what] === false;
}
