/** A room in which much is said at once costs its members one write each for all of it, and the server one encoding. */
import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";
import { type Person, registerPerson } from "../../../testkit/src/http.ts";
import { createRoom, type TestRoom } from "../../../testkit/src/room.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { eventsIn, openStream, type StreamClient } from "../../../testkit/src/stream.ts";
import { limits } from "../limits.ts";
import { randomToken, realSeams, type Seams } from "../seams.ts";

const MEMBERS = 30;
const MESSAGES = 50;

/** Appends messages in one statement, so that they reach the gateway at one moment. */
async function sayAtOnce({ ctx }: TestServer, sender: Person, roomId: string): Promise<string[]> {
  const ids = Array.from({ length: MESSAGES }, () => `$${randomToken(realSeams, 32)}`);
  const entries = ids.map((eventId, i) => {
    const event = {
      content: { msgtype: "m.text", body: `${i}` },
      event_id: eventId,
      origin_server_ts: i,
      sender: sender.userId,
      type: "m.room.message",
    };
    const about = { room: roomId, user: sender.userId, event_id: eventId, type: event.type, ts: i };
    return { kind: "event" as const, ...about, body: JSON.stringify(event) };
  });
  await ctx.log.append({ lane: roomId, entries });
  return ids;
}

/** Notes the buffers that are written to sockets of this process and hold the text. */
function watchWrites(text: string): { written: Buffer[] } & Disposable {
  const { write } = Socket.prototype;
  const written: Buffer[] = [];
  Socket.prototype.write = function (this: Socket, ...given: unknown[]) {
    if (Buffer.isBuffer(given[0]) && given[0].includes(text)) written.push(given[0]);
    return (write as (...given: unknown[]) => boolean).apply(this, given);
  };
  return { written, [Symbol.dispose]: () => void (Socket.prototype.write = write) };
}

/** What is written to the members of a room while `say` says something in it; gives the writes, after all was read. */
async function writesWhile(
  say: (server: TestServer, writer: Person, room: TestRoom) => Promise<string[]>,
  seams: Seams = realSeams,
) {
  await using server = await startTestServer({ seams });
  const writer = await registerPerson(server.url, "writer");
  const room = await createRoom(writer);
  const streams: StreamClient[] = [];
  for (let i = 0; i < MEMBERS; i++) {
    const member = await registerPerson(server.url, `member${i}`);
    await room.change(member, "join");
    const { next_batch: since } = await member.call("GET", "/_matrix/client/v3/sync");
    streams.push(await openStream(server.url, member, { since, set_presence: "offline" }));
  }
  await Promise.all(streams.map((stream) => stream.until((frame) => frame.type === "heartbeat")));
  // With the first message each member's counts are read: from then on all are told alike.
  const first = await room.say(writer, "first");
  const has = (id: string) => (frame: object) => JSON.stringify(frame).includes(id);
  await Promise.all(streams.map((stream) => stream.until(has(first))));
  using watch = watchWrites('"type":"sync"');
  const ids = await say(server, writer, room);
  await Promise.all(streams.map((stream) => stream.until(has(ids.at(-1) as string))));
  for (const { frames } of streams) {
    const received = eventsIn(frames, room.id).map((event) => event.event_id as string);
    assert.deepEqual(received.slice(-ids.length), ids);
  }
  for (const stream of streams) stream[Symbol.dispose]();
  return watch.written;
}

test("what comes into a room at once is encoded once, and written once to each socket", async () => {
  let looks = 0;
  const written = await writesWhile((server, writer, room) => {
    const { tail } = server.ctx.log;
    const { ofRoom } = tail;
    // Whoever counts or encodes what is new in the room takes it from there.
    tail.ofRoom = (...given) => {
      looks += 1;
      return ofRoom(...given);
    };
    return sayAtOnce(server, writer, room.id);
  });
  assert.equal(written.length, MEMBERS, "one write for each socket");
  assert.equal(new Set(written).size, 1, "the same bytes for all");
  assert.equal(looks, MEMBERS + 1, "one for each member's counts, and one to encode it for all");
});

/** Rounds that rest until they are let go, on a clock that stands still. */
function restingRounds(tick_ms: number) {
  const held: (() => void)[] = [];
  const rounds = { areHeld: false, underWay: 0 };
  const seams: Seams = {
    ...realSeams,
    monotonic_ms: () => 1_000_000,
    after(delay_ms, action) {
      if (delay_ms !== tick_ms) return realSeams.after(delay_ms, action);
      if (rounds.areHeld) return { cancel: () => {}, at: held.push(action) };
      rounds.underWay += 1;
      return realSeams.after(delay_ms, () => {
        rounds.underWay -= 1;
        action();
      });
    },
  };
  const hold = async () => {
    while (rounds.underWay > 0) await new Promise(setImmediate);
    rounds.areHeld = true;
  };
  return { seams, hold, held };
}

test("what is said while a round rests goes out together with the next, in one write for each socket", async (t) => {
  t.mock.property(limits, "streamTick_ms", 13 as never);
  const { seams, hold, held } = restingRounds(13);
  const written = await writesWhile(async (_server, writer, room) => {
    await hold();
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.push(await room.say(writer, `${i}`));
    assert.equal(held.length, 1, "there is one next round");
    held[0]?.();
    return ids;
  }, seams);
  assert.equal(written.length, MEMBERS);
});

test("control of G13: a write for each message is seen as that", async () => {
  const written = await writesWhile(async (_server, writer, room) => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      ids.push(await room.say(writer, `${i}`));
      await later();
    }
    return ids;
  });
  assert.ok(written.length > 2 * MEMBERS);
});

/** Resolves when what was said has had its round. */
function later(): Promise<void> {
  return new Promise((resolve) => void realSeams.after(2 * limits.streamRest_ms, resolve));
}
