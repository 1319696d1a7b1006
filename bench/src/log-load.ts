// Writers to the log inside of a server, as a process of its own: what is measured is the log and its database, without HTTP.
// The settings are those of a server. Prints a line when it is ready, begins at the first byte on its standard input, then
// prints a line of JSON with the times of what was appended since the line before, and ends when its input does.

import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { readConfig } from "../../server/src/config.ts";
import type { Context } from "../../server/src/context.ts";
import { randomToken, realSeams } from "../../server/src/seams.ts";
import { startServer } from "../../server/src/server.ts";
import { connect } from "./http.ts";
import { createRoom, type User } from "./matrix.ts";
import { prepareUsers } from "./users.ts";

const ROOMS = 64;
/** Entries on their way into the log at any time. */
const IN_FLIGHT = 512;
const TELL_EVERY_MS = 100;

async function main(): Promise<void> {
  const server = await startServer(readConfig(process.env));
  const [user] = (await prepareUsers({ origin: server.url, count: 1, progress() {} })) as [User];
  const roomIds = await makeRooms(server.url, user);
  const stopping = new AbortController();
  const ended = new Promise<void>((resolve) => process.stdin.once("end", resolve));
  process.stdout.write("ready\n");
  await new Promise((resolve) => process.stdin.once("data", resolve));
  let times_ms: number[] = [];
  const took = (ms: number) => times_ms.push(ms);
  const writers = Array.from({ length: IN_FLIGHT }, (_, writer) =>
    write(server.ctx, { roomId: roomIds[writer % ROOMS] as string, user, took, stopped: stopping.signal }),
  );
  const telling = (async () => {
    while (!stopping.signal.aborted) {
      await sleep(TELL_EVERY_MS);
      process.stdout.write(`[${times_ms.map((ms) => ms.toFixed(2)).join()}]\n`);
      times_ms = [];
    }
  })();
  await Promise.race([ended, ...writers]); // a writer ends before that only by an error
  stopping.abort();
  await Promise.all([...writers, telling]);
  await server.stop();
}

async function makeRooms(origin: string, user: User): Promise<string[]> {
  const connection = connect(origin);
  const roomIds: string[] = [];
  for (let room = 0; room < ROOMS; room++) roomIds.push(await createRoom(connection, user, `Log ${room}`));
  await connection.destroy();
  return roomIds;
}

interface Writing {
  roomId: string;
  user: User;
  took: (time_ms: number) => void;
  stopped: AbortSignal;
}

/** One message after the other, each when the one before is committed. */
async function write(ctx: Context, { roomId, user, took, stopped }: Writing): Promise<void> {
  while (!stopped.aborted) {
    const from_ms = performance.now();
    const eventId = `$${randomToken(realSeams, 32)}`;
    const content = { msgtype: "m.text", body: "a message of the usual length, as people write them all day" };
    const ts = Date.now();
    const event = { content, event_id: eventId, origin_server_ts: ts, sender: user.userId, type: "m.room.message" };
    const entry = { kind: "event" as const, room: roomId, user: user.userId, event_id: eventId, type: event.type, ts };
    await ctx.log.append({ lane: roomId, entries: [{ ...entry, body: JSON.stringify(event) }] });
    took(performance.now() - from_ms);
  }
}

await main();
