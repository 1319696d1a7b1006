import type { Context } from "../context.ts";

/** Waits until this process has the entry that a function of the keys schema appended last, if it appended one. */
export async function reached(ctx: Context, position: number | null | undefined): Promise<void> {
  if (position != null) await ctx.log.reached(position);
}
