/** The part of the worker that keeps the access graph. Any number of processes run it; one at a time does the work. */
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { startRounds } from "../rounds.ts";
import { holderName } from "../worker/progress.ts";
import { markSenders, putAccounts, putRecent } from "./accounts.ts";
import { bringMirror } from "./age/mirror.ts";
import { putTaken } from "./taken.ts";
import { leaveLease, type Progress, projectStretch, takeLease } from "./project.ts";

/** Starts it; gives the function that ends it. */
export async function startGraph(ctx: Context): Promise<() => Promise<void>> {
  const ending = new AbortController();
  const holder = holderName(ctx.seams);
  let isMore = false;
  let seen = -1;
  let looked_ms = Number.NEGATIVE_INFINITY;
  const end = startRounds(ctx, {
    // Also while it catches up it leaves the processors to others between two stretches: sending goes first.
    wait_ms: () => (isMore ? limits.graphBreath_ms : limits.graphPause_ms),
    async act() {
      const head = ctx.log.hub.head();
      // While nothing is written nothing is asked, but for who is new or was seen; that keeps the lease too.
      if (!isMore && head === seen && ctx.seams.monotonic_ms() - looked_ms < limits.graphRecent_ms) return;
      // What fails is tried again.
      isMore = false;
      seen = -1;
      isMore = await turn(ctx, holder, ending.signal);
      seen = head;
      looked_ms = ctx.seams.monotonic_ms();
    },
    failed: "the access graph could not be kept; it is tried again",
    isAtOnce: true,
  });
  return async () => {
    ending.abort();
    await end();
    await leaveLease(ctx, holder).catch(() => {});
  };
}

/** One stretch, where this process has the lease. Gives whether there is more to do at once. */
export async function turn(ctx: Context, holder: string, signal: AbortSignal): Promise<boolean> {
  const progress = await takeLease(ctx, holder);
  if (!progress) return false;
  const isNews = ctx.log.hub.head() > progress.position || progress.asOf_ms === null;
  const isMore = isNews && (await projectStretch(ctx, holder, progress));
  if (isMore || signal.aborted) return isMore;
  await lookThroughAccounts(ctx, progress, signal);
  if (!progress.mirrored) await bringMirror(ctx);
  if (progress.rebuilding) await finishRebuild(ctx);
  return false;
}

/** How long the last look through all accounts took that this process had. */
const wholeLook_ms = new WeakMap<Context, number>();

/**
 * When all accounts are due after they were looked through in so much time: seldom where they are very many, or this alone would cost
 * as much as hundreds of sends a second.
 */
export function wholeLookAfter_ms(took_ms: number): number {
  return Math.min(limits.graphAccountsMost_ms, Math.max(limits.graphAccounts_ms, took_ms * limits.graphAccountsRest));
}

/** All of them now and then; in between those who are new, or of whom something was just seen. */
async function lookThroughAccounts(
  ctx: Context,
  { accounts_ms, recent_ms }: Progress,
  signal: AbortSignal,
): Promise<void> {
  const now_ms = ctx.seams.now_ms();
  const isWhole = accounts_ms === null || now_ms - accounts_ms >= wholeLookAfter_ms(wholeLook_ms.get(ctx) ?? 0);
  if (!isWhole && now_ms - (recent_ms ?? 0) < limits.graphRecent_ms) return;
  const from_ms = ctx.seams.monotonic_ms();
  if (isWhole) await putAccounts(ctx, () => !signal.aborted);
  else await putRecent(ctx, (recent_ms ?? accounts_ms) - limits.graphOverlap_ms);
  await putTaken(ctx, isWhole ? 0 : (recent_ms ?? accounts_ms) - limits.graphOverlap_ms);
  await markSenders(ctx);
  if (isWhole) wholeLook_ms.set(ctx, ctx.seams.monotonic_ms() - from_ms);
  const column = isWhole ? "accounts_at = now(), recent_at = now()" : "recent_at = now()";
  await ctx.db.graph.query(`update graph.progress set ${column}`);
}

async function finishRebuild(ctx: Context): Promise<void> {
  await ctx.db.graph.query(
    `update graph.progress set rebuilding = false, rebuild_ms = floor(extract(epoch from now() - rebuilt_at) * 1000)
     where rebuilding and as_of is not null`,
  );
}
