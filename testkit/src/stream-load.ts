// A gateway under load, as a process of its own: a server with rooms of so many members, into which messages are appended
// without HTTP, so that what is measured is the way out: without a pause, or so many in a second as the argument says. Prints one line of JSON when it is ready, begins
// at the first byte on its standard input, and ends when that ends.

import { performance } from "node:perf_hooks";
import { setTimeout as wait } from "node:timers/promises";
import { realSeams } from "../../server/src/seams.ts";
import { randomToken } from "../../server/src/seams.ts";
import type { Context } from "../../server/src/context.ts";
import { type Person, registerPerson } from "./http.ts";
import { startTestServer } from "./server.ts";

/** What the process prints when it is ready. */
export type StreamLoad = { origin: string; pid: number; users: { userId: string; accessToken: string }[] };

const MEMBERS = 100;
const ROOMS = 4;
/** Messages on their way into the log at any time. */
const IN_FLIGHT = 64;

async function main(): Promise<void> {
  await using server = await startTestServer();
  const people: Person[] = [];
  for (let i = 0; i < MEMBERS; i++) people.push(await registerPerson(server.url, `member${i}`));
  const rooms: string[] = [];
  for (let i = 0; i < ROOMS; i++) rooms.push(await roomOf(people));
  const users = people.map(({ userId, token }) => ({ userId, accessToken: token }));
  process.stdout.write(`${JSON.stringify({ origin: server.url, pid: process.pid, users } satisfies StreamLoad)}\n`);
  const stopping = new AbortController();
  const ended = new Promise<void>((resolve) => process.stdin.once("end", resolve));
  await new Promise((resolve) => process.stdin.once("data", resolve));
  const writing = (lane: number): Writing => ({
    roomId: rooms[lane % ROOMS] as string,
    person: people[lane % 8] as Person,
    stopping: stopping.signal,
  });
  const perSecond = Number(process.argv[2] ?? 0);
  const lanes =
    perSecond > 0
      ? [writeByTheClock(server.ctx, perSecond, writing)]
      : Array.from({ length: IN_FLIGHT }, (_, lane) => write(server.ctx, writing(lane)));
  await ended;
  stopping.abort();
  await Promise.all(lanes);
}

async function roomOf(people: readonly Person[]): Promise<string> {
  const [owner, ...others] = people as [Person, ...Person[]];
  const { room_id } = await owner.call("POST", "/_matrix/client/v3/createRoom", { preset: "public_chat" });
  for (const each of others)
    await each.call("POST", `/_matrix/client/v3/join/${encodeURIComponent(room_id as string)}`);
  return room_id as string;
}

type Writing = { roomId: string; person: Person; stopping: AbortSignal };

/** One message after the other; each says when it was handed in, on the clock that processes share. */
async function write(ctx: Context, writing: Writing): Promise<void> {
  while (!writing.stopping.aborted) await writeOne(ctx, writing);
}

const BEAT_MS = 5;

/** As many as are due, whatever became of those before. */
async function writeByTheClock(ctx: Context, perSecond: number, writing: (lane: number) => Writing): Promise<void> {
  const began_ms = performance.now();
  const { stopping } = writing(0);
  for (let sent = 0; !stopping.aborted; await wait(BEAT_MS)) {
    const due = ((performance.now() - began_ms) / 1_000) * perSecond;
    for (; sent < due; sent++) void writeOne(ctx, writing(sent));
  }
}

async function writeOne(ctx: Context, { roomId, person }: Writing): Promise<void> {
  const eventId = `$${randomToken(realSeams, 32)}`;
  const at_ms = (performance.timeOrigin + performance.now()).toFixed(1);
  const content = { msgtype: "m.text", body: `at ${at_ms} a message of the usual length, as people write them` };
  const ts = Date.now();
  const event = { content, event_id: eventId, origin_server_ts: ts, sender: person.userId, type: "m.room.message" };
  const entry = {
    kind: "event" as const,
    room: roomId,
    user: person.userId,
    event_id: eventId,
    type: event.type,
    ts,
  };
  await ctx.log.append({ lane: roomId, entries: [{ ...entry, body: JSON.stringify(event) }] });
}

if (import.meta.main) await main();
