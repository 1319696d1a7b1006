// Writers to the log inside of a server, as a process of its own: what is measured is the log and its database, without HTTP.
// With --send so many a second are sent by the clock as HTTP and the stream send them, through the queue where the settings have one;
// otherwise each writer appends again when its last entry is committed. The settings are those of a server. Prints a line when it is ready, begins at the first byte on its standard input, then
// prints a line of JSON with the times of what was appended since the line before, and ends when its input does.

import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { readConfig } from "../../server/src/config.ts";
import type { Context } from "../../server/src/context.ts";
import { sendEvent } from "../../server/src/messages/send.ts";
import { randomToken, realSeams } from "../../server/src/seams.ts";
import { startServer } from "../../server/src/server.ts";
import { connect } from "./http.ts";
import { createRoom, type User } from "./matrix.ts";
import { prepareUsers } from "./users.ts";

const { values } = parseArgs({ options: { send: { type: "string" } } });
const TEXT = "a message of the usual length, as people write them all day";
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
  const stopped = stopping.signal;
  const writers =
    values.send === undefined
      ? Array.from({ length: IN_FLIGHT }, (_, writer) =>
          write(server.ctx, { roomId: roomIds[writer % ROOMS] as string, user, took, stopped }),
        )
      : [pace(server.ctx, { roomIds, user, took, stopped, perSecond: Number(values.send) })];
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

interface Pacing extends Omit<Writing, "roomId"> {
  roomIds: readonly string[];
  perSecond: number;
}

/** Sends by the clock, whether or not earlier ones are answered. */
async function pace(ctx: Context, { roomIds, user, took, stopped, perSecond }: Pacing): Promise<void> {
  const session = await ctx.authenticate(user.accessToken);
  const start_ms = performance.now();
  const failed = Promise.withResolvers<never>();
  const content = { msgtype: "m.text", body: TEXT };
  const sendOne = async (count: number): Promise<void> => {
    const from_ms = performance.now();
    const roomId = roomIds[count % roomIds.length] as string;
    await sendEvent(ctx, { session, roomId, type: "m.room.message", txnId: `t${count}`, content });
    took(performance.now() - from_ms);
  };
  const inFlight = new Set<Promise<void>>();
  for (let count = 0; !stopped.aborted;) {
    const due = ((performance.now() - start_ms) / 1_000) * perSecond;
    for (; count <= due; count++) {
      const sent = sendOne(count).catch(failed.reject);
      inFlight.add(sent);
      void sent.then(() => inFlight.delete(sent));
    }
    await Promise.race([sleep(1), failed.promise]);
  }
  await Promise.all(inFlight);
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
    const content = { msgtype: "m.text", body: TEXT };
    const ts = Date.now();
    const event = { content, event_id: eventId, origin_server_ts: ts, sender: user.userId, type: "m.room.message" };
    const entry = { kind: "event" as const, room: roomId, user: user.userId, event_id: eventId, type: event.type, ts };
    await ctx.log.append({ lane: roomId, entries: [{ ...entry, body: JSON.stringify(event) }] });
    took(performance.now() - from_ms);
  }
}

await main();
