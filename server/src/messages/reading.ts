/** Who reads which room, and what of it they get to see. */
import { ignoredUsersOf } from "../account/ignored-users.ts";
import type { Context } from "../context.ts";
import type { Reader } from "../db/database.ts";
import { matrixError } from "../errors.ts";
import type { LogEntry } from "../log/entry.ts";
import { readEvent } from "../log/queries.ts";
import { formatToken, parseToken } from "../log/token.ts";
import { readableRoom, type Sight, sightOf } from "../rooms/access.ts";
import type { RoomState } from "../rooms/state.ts";

export interface Reading {
  ctx: Context;
  /** Where the room is read: a replica of the database that has all of it that this process has seen, or the primary. */
  db: Reader;
  room: RoomState;
  session: { id: number; userId: string };
  sight: Sight;
  /** Whom the reader ignores: of these only state events are told. Specification: "Ignoring Users". */
  ignored: ReadonlySet<string>;
}

/** A room that the person may read. Throws M_FORBIDDEN for any other, and for one that does not exist. */
export async function readingOf(ctx: Context, roomId: string, session: Reading["session"]): Promise<Reading> {
  const { room } = await readableRoom(ctx, roomId, session.userId);
  return readingIn(ctx, room, session);
}

/** An event that the person may see. Throws M_NOT_FOUND for any other: whether there is one is nobody else's business. */
export async function visibleEvent(
  ctx: Context,
  session: Reading["session"],
  { roomId, eventId }: { roomId: string; eventId: string },
): Promise<{ reading: Reading; entry: LogEntry }> {
  const room = await ctx.rooms.find(roomId);
  const entry = room && (await findEvent(ctx, room, eventId));
  if (room && entry?.roomId === room.roomId) {
    const reading = await readingIn(ctx, room, session);
    if (reading.sight.sees(entry)) return { reading, entry };
  }
  throw matrixError("M_NOT_FOUND", "There is no such event, or you may not see it.");
}

/** The client may know an event that this process has not seen yet, so what a replica does not have is looked for once more. */
async function findEvent(ctx: Context, room: RoomState, eventId: string): Promise<LogEntry | undefined> {
  const db = ctx.replicas.at(lastOf(ctx, room));
  return (await readEvent(db, eventId)) ?? readEvent(ctx.db.log, eventId);
}

/** A position at which everything of the room stands in the log that this process knows of. */
function lastOf({ log }: Context, room: RoomState): number {
  return Math.max(log.tail.lastOfRoom(room.roomId) || log.tail.floor(), room.position);
}

/** The same reading, of a database that has everything up to `positions` too: where the client's tokens stand. */
export function notBefore(reading: Reading, ...positions: readonly (number | undefined)[]): Reading {
  const { ctx, room } = reading;
  return { ...reading, db: ctx.replicas.at(Math.max(lastOf(ctx, room), ...positions.map((each) => each ?? 0))) };
}

/** A room of which it is known already that the person may read it. */
export async function readingIn(ctx: Context, room: RoomState, session: Reading["session"]): Promise<Reading> {
  const sight = await sightOf(ctx, room, session.userId);
  return {
    ctx,
    db: ctx.replicas.at(lastOf(ctx, room)),
    room,
    session,
    sight,
    ignored: await ignoredUsersOf(ctx, session.userId),
  };
}

/** Whether the event is one that the reader wants to see, as far as its sender goes. */
export function isHeard({ ignored }: Reading, entry: LogEntry): boolean {
  return entry.stateKey !== null || !ignored.has(entry.userId as string);
}

/**
 * A condition of SQL on `alias`: the event is seen, and not sent by somebody who is ignored. Its three parameters, from the
 * given one on, are `sightValues`.
 */
export function seenAndHeard(alias: string, parameter: number): string {
  const [first, last, ignored] = [parameter, parameter + 1, parameter + 2].map((each) => `$${each}`);
  return `(${alias}.state_key is not null or not ${alias}.user_id = any(${ignored}::text[])) and exists (
    select 1 from unnest(${first}::bigint[], ${last}::bigint[]) as seen(first, last) where ${alias}.position between seen.first and seen.last)`;
}

/** The values for `seenAndHeard`. */
export function sightValues({ sight, ignored }: Reading): unknown[] {
  return [sight.ranges.map(({ first }) => first), sight.ranges.map(({ last }) => last), [...ignored]];
}

/** The position of a client's token. Throws M_INVALID_PARAM where it is none, or is of a history that is no longer this one. */
export async function positionOf(ctx: Context, token: string, parameter: string): Promise<number> {
  const parsed = parseToken(token, parameter);
  if (!(await ctx.log.holdsNow(parsed)))
    throw matrixError(
      "M_INVALID_PARAM",
      `"${parameter}" is from before the server was restored from a backup. Leave it out to start over.`,
    );
  return parsed.position;
}

/** The token just behind a position. */
export function tokenFor(ctx: Context, position: number): string {
  return formatToken({ epoch: ctx.log.epoch, position });
}
