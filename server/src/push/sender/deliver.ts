/** Sends what is queued: many pushers at a time, each by one worker and in order. See queue.ts for its states. */
import { readModeration } from "../../auth/moderation.ts";
import type { Context } from "../../context.ts";
import { asError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { startRounds, type Wake } from "../../rounds.ts";
import { onDue } from "../../worker/due.ts";
import { tellBrowser } from "../web/send.ts";
import { tellGateway, type Told } from "./gateway.ts";
import { pushMetrics } from "./metrics.ts";
import { notificationOf } from "./notification.ts";
import {
  claimPushers,
  dropQueued,
  type HeldPusher,
  nextDue,
  nextOf,
  noteSent,
  postpone,
  type Queued,
  release,
  removePusher,
} from "./queue.ts";

/**
 * Sends what is due, when it is. Who is through with one pusher looks for the next. Gives what ends it, and resolves when what is under
 * way is over.
 */
export function startDelivering(ctx: Context, holder: string): () => Promise<void> {
  const sending = new Set<Promise<void>>();
  let wait_ms: number = limits.pushLook_ms;
  let look: Wake = () => {};

  function take(pusher: HeldPusher): void {
    const run = deliverAll(ctx, { ...pusher, holder })
      .catch((thrown: unknown) => failed(ctx, thrown))
      .finally(() => {
        sending.delete(run);
        look(0);
      });
    sending.add(run);
  }

  async function claim(): Promise<void> {
    wait_ms = limits.pushPoll_ms;
    const free = limits.pushesAtOnce - sending.size;
    const claimed = free > 0 ? await claimPushers(ctx, holder, free) : [];
    claimed.forEach(take);
    wait_ms = claimed.length < free ? await nextDue(ctx) : limits.pushLook_ms;
  }

  const end = startRounds(ctx, {
    wait_ms: () => wait_ms,
    act: claim,
    failed: "notifications could not be sent",
    isAtOnce: true,
    wokenBy(wake) {
      look = wake;
      return onDue(ctx, "push", wake);
    },
  });
  return async () => {
    await end();
    while (sending.size > 0) await Promise.all(sending);
  };
}

function failed(ctx: Context, thrown: unknown): void {
  if (!ctx.stopping.aborted) ctx.logger.warn({ reason: asError(thrown).message }, "notifications could not be sent");
}

type Held = HeldPusher & { holder: string };

/** Sends a pusher's queue until it is empty, its gateway fails, or the process ends. */
export async function deliverAll(ctx: Context, pusher: Held): Promise<void> {
  for (let batch = await nextOf(ctx, pusher); batch.length > 0; batch = await nextOf(ctx, pusher))
    for (const queued of batch) {
      const goesOn = !ctx.stopping.aborted && (await deliver(ctx, pusher, queued));
      if (goesOn) continue;
      if (ctx.stopping.aborted) await release(ctx, pusher);
      return;
    }
  await release(ctx, pusher);
}

/** Gives whether to go on with the next one. */
async function deliver(ctx: Context, pusher: Held, queued: Queued): Promise<boolean> {
  const { sends } = pushMetrics(ctx);
  const count = (outcome: string) => sends.inc({ kind: pusher.kind, outcome });
  const tell = queued.isOld ? undefined : await tellingOf(ctx, pusher, queued);
  if (!tell) {
    await dropQueued(ctx, queued);
    count("dropped");
    return true;
  }
  let told: Told;
  try {
    told = await tell();
  } catch (thrown) {
    if (ctx.stopping.aborted) return false;
    count("failed");
    const after_ms = await postpone(ctx, pusher);
    ctx.logger.info({ app: pusher.appId, after_ms, reason: asError(thrown).message }, "a push gateway failed");
    return false;
  }
  count(told);
  if (told === "sent") return noteSent(ctx, pusher, queued);
  await removePusher(ctx, pusher);
  return false;
}

/** A browser must show something for each message, so an app there may want none of numbers alone. */
function isWanted({ kind, data }: Held, { what }: Queued): boolean {
  return (
    what !== "counts" || kind !== "webpush" || (JSON.parse(data) as { events_only?: unknown }).events_only !== true
  );
}

/** Sends it when it is called; undefined where there is nothing to tell. Who is locked reads nothing, and so is told nothing. */
async function tellingOf(ctx: Context, pusher: Held, queued: Queued): Promise<(() => Promise<Told>) | undefined> {
  const notification = await notificationOf(ctx, pusher, queued);
  if (!notification || !isWanted(pusher, queued)) return undefined;
  if ((await readModeration(ctx, pusher.userId))?.locked !== false) return undefined;
  return () => (pusher.kind === "webpush" ? tellBrowser : tellGateway)(ctx, pusher, notification);
}
