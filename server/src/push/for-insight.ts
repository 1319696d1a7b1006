/** How notifications fare, in numbers alone. */
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";

export interface PushNumbers {
  /** Devices that asked for notifications. */
  pushers: number;
  /** Of these, whose gateway has taken nothing for `limits.pushFailing_ms`. */
  failing: number;
  /** Of these, to whom something should have been sent `limits.pushLate_ms` ago: no worker comes to it. */
  late: number;
}

export async function countPushers(ctx: Context): Promise<PushNumbers> {
  const row = await ctx.db.push.one<PushNumbers>(
    `select count(*) as pushers,
       count(*) filter (where failing_since < now() - $1 * interval '1 millisecond') as failing,
       count(*) filter (where due_at < now() - $2 * interval '1 millisecond' and (held_until is null or held_until < now())) as late
     from push.pushers`,
    [limits.pushFailing_ms, limits.pushLate_ms],
  );
  return row ?? { pushers: 0, failing: 0, late: 0 };
}
