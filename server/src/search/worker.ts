/** The part of the worker that keeps the index of what people wrote. Any number of processes run it; one at a time does the work. */
import type { Context } from "../context.ts";
import { asError } from "../errors.ts";
import type { LogEntry } from "../log/entry.ts";
import { limits } from "../limits.ts";
import { pause } from "../seams.ts";
import { holderName } from "../worker/progress.ts";
import { indexStretch, leaveLease, noteCurrent, takeLease } from "./project.ts";

/** Starts it; gives the function that ends it. */
export async function startIndexing(ctx: Context): Promise<() => Promise<void>> {
  const ending = new AbortController();
  const holder = holderName(ctx.seams);
  const running = run(ctx, holder, ending.signal);
  return async () => {
    ending.abort();
    await running;
    await leaveLease(ctx, holder).catch(() => {});
  };
}

async function run(ctx: Context, holder: string, signal: AbortSignal): Promise<void> {
  const news = openNews(ctx, signal);
  while (!signal.aborted) {
    let done: Done = "nothing";
    news.forget();
    try {
      done = await turn(ctx, holder);
    } catch (thrown) {
      if (!signal.aborted)
        ctx.logger.warn({ err: asError(thrown) }, "the search index could not be kept; it is tried again");
    }
    // What was sent meanwhile is gathered, and while it catches up the processors are left to others.
    await pause(ctx.seams, limits.searchBreath_ms, signal).catch(() => {});
    if (done === "elsewhere") await pause(ctx.seams, limits.searchPause_ms, signal).catch(() => {});
    if (done === "nothing") await news.next();
  }
}

/** "elsewhere": another process keeps the index. */
type Done = "elsewhere" | "nothing" | "more";

/** One stretch, where this process has the lease and there is anything. */
async function turn(ctx: Context, holder: string): Promise<Done> {
  const progress = await takeLease(ctx, holder);
  if (!progress) return "elsewhere";
  const head = ctx.log.hub.head();
  ctx.metrics.searchLag.set(Math.max(0, head - progress.position));
  if (head <= progress.position && progress.asOf_ms !== null) {
    await noteCurrent(ctx, holder, progress);
    return "nothing";
  }
  const isMore = await indexStretch(ctx, holder, progress);
  if (!isMore) ctx.metrics.searchLag.set(0);
  return isMore ? "more" : "nothing";
}

/** Waits for events, and no longer than a while: the lease is to be kept. */
function openNews(ctx: Context, signal: AbortSignal): { forget(): void; next(): Promise<void> } {
  let woken = new AbortController();
  ctx.log.hub.listen((entries) => {
    if (entries.some(isOfRooms)) woken.abort();
  });
  return {
    forget: () => void (woken = new AbortController()),
    next: () => pause(ctx.seams, limits.searchPause_ms, AbortSignal.any([signal, woken.signal])).catch(() => {}),
  };
}

function isOfRooms({ kind }: LogEntry): boolean {
  return kind === "event" || kind === "removal";
}
