// A gateway under load, as a process of its own: a server with rooms of so many members, into which messages are appended
// without a pause and without HTTP, so that what is measured is the way out. Prints one line of JSON when it is ready, begins
// at the first byte on its standard input, and ends when that ends.

import { performance } from "node:perf_hooks";
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
  const lanes = Array.from({ length: IN_FLIGHT }, (_, lane) =>
    write(server.ctx, {
      roomId: rooms[lane % ROOMS] as string,
      person: people[lane % 8] as Person,
      stopping: stopping.signal,
    }),
  );
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
async function write(ctx: Context, { roomId, person, stopping }: Writing): Promise<void> {
  while (!stopping.aborted) {
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
}

if (import.meta.main) await main();
