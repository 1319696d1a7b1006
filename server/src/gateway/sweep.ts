/**
 * What is done for all connections from time to time: heartbeats, a note that their sessions are in use, and an end for those whose
 * other end is gone.
 */
import type { Timer } from "../seams.ts";
import { limits } from "../limits.ts";
import { endingOf, isChanged } from "../auth/sessions.ts";
import { goAway, refusal } from "./closing.ts";
import type { Follower } from "./follower.ts";
import type { Gateway } from "./gateway.ts";
import { isClear } from "./outlet.ts";
import { tellHead } from "./phases.ts";

/** Sends the heartbeats that are due and closes what is dead, again and again. */
export function startSweep(gateway: Gateway): Timer {
  const { ctx, registry } = gateway;
  return ctx.seams.every(limits.streamSweep_ms, () => {
    const now_ms = ctx.seams.monotonic_ms();
    // G8: a session may have ended that nobody here has heard of.
    const isBlind = now_ms - ctx.log.hub.heard_ms() > limits.streamBlind_ms;
    for (const follower of registry.all())
      if (isBlind) follower.close(goAway(limits.streamRetry_ms + ctx.seams.randomInt(limits.streamRetrySpread_ms)));
      else look(gateway, follower, now_ms);
  });
}

function look(gateway: Gateway, follower: Follower, now_ms: number): void {
  const { outlet, heard_ms, toldAt_ms } = follower;
  if (!outlet.socket.writableNeedDrain) outlet.stuckSince_ms = 0;
  else if (outlet.stuckSince_ms === 0) outlet.stuckSince_ms = now_ms;
  const isStuck = outlet.stuckSince_ms > 0 && now_ms - outlet.stuckSince_ms > limits.streamStuck_ms;
  if (isStuck || now_ms - heard_ms > limits.streamSilence_ms) return follower.close(goAway(0));
  if (now_ms - follower.seenAt_ms >= limits.streamSeen_ms) {
    follower.seenAt_ms = now_ms;
    gateway.ctx.noteSeen(follower.session.id, follower.address);
  }
  const isDue = follower.isOwedHead ? isClear(outlet) : now_ms - toldAt_ms >= limits.streamHeartbeat_ms;
  if (isDue && follower.phase === "stream") tellHead(gateway, follower);
}

/** G8: whose session ends is told so at once, and learns nothing more; whose may do more or less than before comes again. */
export function closeEndedSessions({ ctx, registry }: Gateway): void {
  ctx.log.hub.listen((entries) => {
    for (const entry of entries) {
      if (entry.kind !== "session") continue;
      for (const follower of registry.ofUser(entry.userId as string)) {
        const ending = endingOf(entry, follower.session, ctx.log);
        if (ending) follower.close(refusal(ending));
        else if (isChanged(entry, follower.session, ctx.log)) follower.close(goAway(0));
      }
    }
  });
}
