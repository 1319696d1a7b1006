/** What a policy would delete if it were in force: the same question that a run asks, counted. */
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { countExpirable } from "../media/expire.ts";
import { countExpired, databaseNow, type ExpiredCount } from "./expired.ts";
import { heldUploaders, openHolds } from "./holds.ts";
import { type Lifetime, nextLifetimes, type ServerPolicy } from "./policy.ts";

export interface Simulated {
  messages: number;
  rooms: number;
  oldest_ts: number | null;
  /** The rooms that lose the most, with the most first. */
  largest: readonly (ExpiredCount & { lifetime_ms: number; source: string })[];
  /** Files that are over their time; those that something points to are kept, and only a run finds out which. */
  files: number;
  bytes: number;
}

const LARGEST = 50;

/** Counts what the policy of the server would delete now, with what is said of rooms as it is. */
export async function simulate(ctx: Context, server: ServerPolicy, signal: AbortSignal): Promise<Simulated> {
  const now_ms = await databaseNow(ctx);
  const holds = await openHolds(ctx);
  const found: (ExpiredCount & { lifetime_ms: number; source: string })[] = [];
  for (let after = ""; ;) {
    signal.throwIfAborted();
    const rooms = await nextLifetimes(ctx, server, { after, limit: limits.retentionStep_rooms });
    const due = rooms.filter(({ roomId, lifetime_ms }) => lifetime_ms !== null && !holds.rooms.includes(roomId));
    const lifetimes = new Map(due.map((room) => [room.roomId, room]));
    const asked = due.map(({ roomId, lifetime_ms }) => ({ roomId, before_ms: now_ms - (lifetime_ms as number) }));
    const counts = await countExpired(ctx, { rooms: asked, heldUsers: holds.users });
    found.push(...counts.map((count) => described(count, lifetimes.get(count.roomId) as Lifetime)));
    if (rooms.length < limits.retentionStep_rooms) break;
    after = rooms.at(-1)?.roomId as string;
  }
  const files = await filesOver(ctx, server, { now_ms, held: await heldUploaders(ctx) });
  return {
    messages: found.reduce((sum, { messages }) => sum + messages, 0),
    rooms: found.length,
    oldest_ts: found.reduce<number | null>((oldest, { oldest_ts }) => Math.min(oldest ?? oldest_ts, oldest_ts), null),
    largest: found.toSorted((a, b) => b.messages - a.messages).slice(0, LARGEST),
    ...files,
  };
}

function described(count: ExpiredCount, { lifetime_ms, source }: Lifetime) {
  return { ...count, lifetime_ms: lifetime_ms as number, source };
}

async function filesOver(
  ctx: Context,
  { mediaLifetime_ms }: ServerPolicy,
  { now_ms, held }: { now_ms: number; held: readonly string[] },
): Promise<{ files: number; bytes: number }> {
  if (mediaLifetime_ms === null) return { files: 0, bytes: 0 };
  return countExpirable(ctx, { before_ms: now_ms - mediaLifetime_ms, held });
}
