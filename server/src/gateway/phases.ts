/**
 * What a client is told, from its token on: one generator, whose phases are the same after a second, after a night, and after
 * every piece of news that is for this client alone.
 *
 *   backfill   answers for what came since, one after the other, each as /sync would give it, and each when the socket has
 *              taken the last one
 *   cut-over   the client has been told everything that was handed out: from this look to its place in the rounds nothing
 *              waits, so nothing can come between, and nothing is told twice
 *   stream     the pump tells it what is new, until there is something of its own; then back to backfill
 */
import { ignoredUsersOf } from "../account/ignored-users.ts";
import { formatToken } from "../log/token.ts";
import type { Memberships } from "../rooms/cache.ts";
import { build } from "../sync/sync.ts";
import { askOf, type Follower } from "./follower.ts";
import type { Gateway } from "./gateway.ts";
import { isClear, send, type Stand, whenClear } from "./outlet.ts";
import { textFrame } from "./wire.ts";

/** A frame for this client alone. */
export interface OwnFrame {
  text: string;
  /** Where the client stands without it. */
  before: Stand;
}

/** The client's own frames, and its time in the rounds between them. Ends when the follower is over; throws what /sync throws. */
export async function* follow(gateway: Gateway, follower: Follower): AsyncGenerator<OwnFrame> {
  while (follower.phase !== "over") {
    yield* backfill(gateway, follower);
    const memberships = await gateway.ctx.rooms.memberships(follower.session.userId);
    if (cutOver(gateway, follower, memberships)) await stream(follower);
  }
}

async function* backfill(gateway: Gateway, follower: Follower): AsyncGenerator<OwnFrame> {
  while (isHere(follower)) {
    await whenClear(follower.outlet);
    if (!isHere(follower)) return;
    const frame = await nextAnswer(gateway, follower);
    if (frame && isHere(follower)) yield frame;
    if (isLevel(gateway, follower)) return;
  }
}

/** The phase of a connection changes while others wait; this asks anew. */
function isHere(follower: Follower): boolean {
  return follower.phase !== "over";
}

/** Builds the next answer and moves the follower behind it; undefined where it would say nothing. */
async function nextAnswer({ ctx, parts }: Gateway, follower: Follower): Promise<OwnFrame | undefined> {
  const before = follower.stand;
  // Taken before the answer is built: what comes meanwhile is told once more rather than never.
  const seen = ctx.ephemeral.clock();
  follower.ignored = await ignoredUsersOf(ctx, follower.session.userId);
  const answer = await build(ctx, parts, { ask: askOf(follower), since: before.position });
  const isWorthIt = answer.hasNews || follower.isFirst || follower.fullState || follower.resync;
  const resync = follower.resync ? '"resync":true,' : "";
  follower.stand = { position: answer.upTo, ephemeral: seen };
  follower.isFirst = false;
  follower.fullState = false;
  follower.resync = false;
  return isWorthIt ? { text: `{"type":"sync",${resync}"sync":${answer.json(seen)}}`, before } : undefined;
}

function isLevel({ pump }: Gateway, { stand }: Follower): boolean {
  const { position, ephemeral } = pump.stand();
  return stand.position >= position && stand.ephemeral >= ephemeral;
}

/** False where a round came in between: then there is more to tell first. */
function cutOver(gateway: Gateway, follower: Follower, memberships: Memberships): boolean {
  if (!isHere(follower) || !isLevel(gateway, follower)) return false;
  const joined = [...memberships].filter(([, { membership }]) => membership === "join");
  gateway.pump.join(follower, new Set(joined.map(([roomId]) => roomId)));
  if (follower.isOwedHead) tellHead(gateway, follower);
  follower.onLevel?.();
  follower.onLevel = null;
  return true;
}

function stream(follower: Follower): Promise<void> {
  return new Promise((resolve) => (follower.leave = resolve));
}

/**
 * Tells the client how far it has been told everything: with a heartbeat, now, or when it takes part in the rounds. One that is
 * being told other things, or does not take them, gets them first.
 */
export function tellHead({ ctx, pump }: Gateway, follower: Follower): void {
  const { stand, outlet } = follower;
  follower.toldAt_ms = ctx.seams.monotonic_ms();
  follower.isOwedHead = follower.phase !== "stream" || !isClear(outlet);
  if (follower.isOwedHead) return;
  const { position, ephemeral } = pump.stand();
  const token = formatToken({
    epoch: ctx.log.epoch,
    position: Math.max(stand.position, position),
    ephemeral: Math.max(stand.ephemeral, ephemeral),
  });
  send(outlet, textFrame(`{"type":"heartbeat","next_batch":"${token}"}`), stand);
}
