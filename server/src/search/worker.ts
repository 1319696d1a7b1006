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
    let turned: Turn = { done: "nothing", behind_entries: 0 };
    const from_ms = ctx.seams.monotonic_ms();
    news.forget();
    try {
      turned = await turn(ctx, holder);
    } catch (thrown) {
      if (!signal.aborted)
        ctx.logger.warn({ err: asError(thrown) }, "the search index could not be kept; it is tried again");
    }
    const rest_ms = restAfter_ms(turned.behind_entries, ctx.seams.monotonic_ms() - from_ms);
    await pause(ctx.seams, rest_ms, signal).catch(() => {});
    if (turned.done === "elsewhere") await pause(ctx.seams, limits.searchPause_ms, signal).catch(() => {});
    if (turned.done === "nothing") await news.next();
  }
}

/**
 * How long it rests after so much work, at whose beginning the log was ahead by so many entries. What is sent meanwhile is gathered. And
 * sending goes first: to index a message takes the machine about as long as to send it, so while very much is sent, less of it is
 * indexed at once, and the rest later.
 */
export function restAfter_ms(behind_entries: number, worked_ms: number): number {
  if (behind_entries < limits.searchBusy_entries) return limits.searchBreath_ms;
  return Math.min(limits.searchRest_ms, Math.max(limits.searchBreath_ms, worked_ms * limits.searchRest));
}

interface Turn {
  /** "elsewhere": another process keeps the index. */
  done: "elsewhere" | "nothing" | "more";
  /** When it began. */
  behind_entries: number;
}

/** One stretch, where this process has the lease and there is anything. */
async function turn(ctx: Context, holder: string): Promise<Turn> {
  const progress = await takeLease(ctx, holder);
  if (!progress) return { done: "elsewhere", behind_entries: 0 };
  const behind_entries = Math.max(0, ctx.log.hub.head() - progress.position);
  ctx.metrics.searchLag.set(behind_entries);
  if (behind_entries === 0 && progress.asOf_ms !== null) {
    await noteCurrent(ctx, holder, progress);
    return { done: "nothing", behind_entries };
  }
  const isMore = await indexStretch(ctx, holder, progress);
  if (!isMore) ctx.metrics.searchLag.set(0);
  return { done: isMore ? "more" : "nothing", behind_entries };
}

/** Waits for events, and no longer than a while: the lease is to be kept. */
function openNews(ctx: Context, signal: AbortSignal): { forget(): void; next(): Promise<void> } {
  let woken = new AbortController();
  ctx.log.hub.listen((entries) => {
    // To abort what is aborted makes an exception with its stack all the same, for each run of the log.
    if (!woken.signal.aborted && entries.some(isOfRooms)) woken.abort();
  });
  return {
    forget: () => void (woken = new AbortController()),
    next: () => pause(ctx.seams, limits.searchPause_ms, AbortSignal.any([signal, woken.signal])).catch(() => {}),
  };
}

function isOfRooms({ kind }: LogEntry): boolean {
  return kind === "event" || kind === "removal";
}
