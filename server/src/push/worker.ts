/** The part of the worker that sends notifications: it looks through the log under a lease, and any number of workers send. */
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { startRounds } from "../rounds.ts";
import { holderName } from "../worker/progress.ts";
import { startDelivering } from "./sender/deliver.ts";
import { type Followed, followStretch, leaveLease } from "./sender/follow.ts";
import { openWatchers } from "./sender/watchers.ts";

const waits_ms: Readonly<Record<Followed, number>> = {
  more: limits.pushBreath_ms,
  done: limits.pushPause_ms,
  elsewhere: limits.pushPoll_ms,
};

/** Starts it; gives the function that ends it. */
export async function startPushing(ctx: Context): Promise<() => Promise<void>> {
  const holder = holderName(ctx.seams);
  const endDelivering = startDelivering(ctx, holder);
  const watchers = openWatchers(ctx);
  let seen = -1;
  let last: Followed = "done";

  async function act(): Promise<void> {
    const head = ctx.log.hub.head();
    // While nothing is written nothing is asked, and while nobody has a pusher the log is not read.
    if (head === seen && last === "done") return;
    const since = await watchers.refresh();
    last = since === undefined ? "done" : await followStretch(ctx, holder, { watchers, since });
    seen = head;
  }

  const end = startRounds(ctx, {
    wait_ms: () => waits_ms[last],
    act,
    failed: "the log could not be looked through for notifications",
  });
  return async () => {
    await end();
    await endDelivering();
    await leaveLease(ctx, holder).catch(() => {});
  };
}
