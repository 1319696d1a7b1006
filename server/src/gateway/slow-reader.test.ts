/** A client that does not read costs a bounded amount of memory, is told anew what was dropped, and hurts nobody else. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, connect, type Socket } from "node:net";
import { Writable } from "node:stream";
import { test } from "node:test";
import WebSocket from "ws";
import { type Json, type Person, registerPerson } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { checkFrame } from "../../../testkit/src/stream-schema.ts";
import { eventsIn, openStream, untilEvent } from "../../../testkit/src/stream.ts";
import { soon, soonFound } from "../../../testkit/src/wait.ts";
import { limits } from "../limits.ts";
import { isClear, type KeptTogether, openOutlet, send, whenClear } from "./outlet.ts";

/** Both ends of a connection over the loopback; the far one does not read until it is resumed. */
async function connection(): Promise<{ near: Socket; far: Socket } & Disposable> {
  const server = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection");
  const near = connect((server.address() as { port: number }).port, "127.0.0.1");
  const [far] = (await accepted) as [Socket];
  server.close();
  return {
    near,
    far,
    [Symbol.dispose]() {
      near.destroy();
      far.destroy();
    },
  };
}

const at = (position: number) => ({ position, ephemeral: 0 });

test("what waits for a socket never exceeds the limit; what is dropped is said with where the client stands", async () => {
  using pair = await connection();
  const outlet = openOutlet(pair.near, { bytes: 0 });
  const frame = Buffer.alloc(100_000, "x");
  let sent = 0;
  let dropped: { position: number } | undefined;
  let firstKept: number | undefined;
  while (dropped === undefined) {
    if (!isClear(outlet)) firstKept ??= sent;
    dropped = send(outlet, frame, at(sent++));
    assert.ok(outlet.kept_bytes <= limits.streamKept_bytes);
    assert.ok(sent < 1_000, "it keeps without end");
  }
  assert.equal(dropped.position, firstKept, "the client stands before the first frame that was not written");
  assert.equal(outlet.kept, null);
  let read_bytes = 0;
  pair.far.on("data", (data: Buffer) => (read_bytes += data.length)).resume();
  await soon("the socket takes again", whenClear(outlet));
  assert.equal(send(outlet, frame, at(sent)), undefined, "it goes on when the socket takes again");
  await soonFound("all that was written is read", () => read_bytes >= ((firstKept ?? 0) + 1) * frame.length);
});

test("control of G12: without the limit what waits for a socket grows past it", async () => {
  using pair = await connection();
  const outlet = openOutlet(pair.near, { bytes: 0 });
  const { streamKept_bytes } = limits;
  const unbounded = limits as { streamKept_bytes: number };
  try {
    unbounded.streamKept_bytes = Number.POSITIVE_INFINITY;
    const frame = Buffer.alloc(100_000, "x");
    for (let sent = 0; outlet.kept_bytes <= streamKept_bytes; sent++) {
      assert.equal(send(outlet, frame, at(sent)), undefined);
      assert.ok(sent < 1_000, "it keeps nothing");
    }
  } finally {
    unbounded.streamKept_bytes = streamKept_bytes;
  }
});

/** A socket that takes nothing until its other end reads, not even what a system would take for it. */
function openStuck(together: KeptTogether) {
  let take: (() => void) | undefined;
  let isRead = false;
  const socket = new Writable({
    write(_chunk, _encoding, taken) {
      if (isRead) taken();
      else take = taken;
    },
  });
  const outlet = openOutlet(socket as unknown as Socket, together);
  const read = () => {
    isRead = true;
    take?.();
  };
  return { socket, outlet, read };
}

test("what waits for all sockets together never exceeds the limit; who would need more is told where the client stands", async (t) => {
  t.mock.property(limits, "streamsKept_bytes", 1_000_000);
  const together = { bytes: 0 };
  const [one, other] = [openStuck(together), openStuck(together)];
  const frame = Buffer.alloc(100_000, "x");
  const keep = ({ outlet }: typeof one, count: number) =>
    Array.from({ length: count }, (_, sent) => send(outlet, frame, at(sent)));
  // The first of each is taken at once.
  assert.deepEqual(keep(one, 7), Array(7).fill(undefined));
  assert.deepEqual(keep(other, 6), [...Array(5).fill(undefined), at(1)]);
  assert.equal(other.outlet.kept, null);
  assert.deepEqual([together.bytes, one.outlet.kept_bytes], [600_000, 600_000], "the others keep what they have");
  assert.deepEqual(keep(other, 4), Array(4).fill(undefined), "what was dropped is free again");
  one.read();
  await soon("the first socket takes again", whenClear(one.outlet));
  assert.equal(together.bytes, 400_000, "so is what was written");
  other.socket.destroy();
  await soon("the other socket is closed", once(other.socket, "close"));
  assert.equal(together.bytes, 0, "and what waited for who is gone");
});

test("frames that had to wait arrive in their order when the other end reads again", async () => {
  using pair = await connection();
  const outlet = openOutlet(pair.near, { bytes: 0 });
  const chunks: Buffer[] = [];
  let expected = "";
  for (let i = 0; isClear(outlet); i++) {
    const text = `${i} `.padStart(50_000, ".");
    expected += text;
    send(outlet, Buffer.from(text), at(i));
  }
  for (let i = 0; i < 5; i++) {
    expected += `kept ${i} `;
    assert.equal(send(outlet, Buffer.from(`kept ${i} `), at(0)), undefined);
  }
  pair.far.on("data", (data: Buffer) => chunks.push(data)).resume();
  await soonFound("all that was sent is read", () => Buffer.concat(chunks).length >= expected.length);
  assert.ok(Buffer.concat(chunks).toString() === expected);
  assert.ok(isClear(outlet));
});

/** A stream on whose socket reading can be paused. */
async function openPausable(url: string, person: Person, since: string) {
  const webSocket = new WebSocket(`${url.replace("http", "ws")}/_parley/client/v1/stream`);
  const frames: Json[] = [];
  await soon("the stream is open", once(webSocket, "open"));
  webSocket.on("message", (data: Buffer) => {
    const frame: unknown = JSON.parse(data.toString());
    checkFrame("serverSends", frame);
    frames.push(frame);
    webSocket.emit("frame", frame);
  });
  webSocket.send(JSON.stringify({ type: "sign_in", access_token: person.token, since }));
  return { webSocket, frames };
}

test("who stops reading is told anew, with gaps that say so, and the others get everything meanwhile", async () => {
  await using server = await startTestServer();
  const [alice, bob, carol] = (await Promise.all(
    ["alice", "bob", "carol"].map((name) => registerPerson(server.url, name)),
  )) as [Person, Person, Person];
  const { room_id } = await alice.call("POST", "/_matrix/client/v3/createRoom", { preset: "public_chat" });
  const roomId = room_id as string;
  for (const each of [bob, carol]) await each.call("POST", `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`);
  const { next_batch: since } = await bob.call("GET", "/_matrix/client/v3/sync");
  const { webSocket, frames } = await openPausable(server.url, bob, since);
  using other = await openStream(server.url, carol, { since });
  await soon("the stream is ready", once(webSocket, "frame"));
  webSocket.pause();
  const filler = "x".repeat(60_000);
  const resyncs = async () => (await server.ctx.metrics.streamResyncs.get()).values[0]?.value ?? 0;
  const sent: string[] = [];
  const path = (txn: number) => `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${txn}`;
  const say = async () =>
    sent.push((await alice.call("PUT", path(sent.length), { msgtype: "m.text", body: filler })).event_id as string);
  while ((await resyncs()) === 0) {
    assert.ok(sent.length < 2_000, "what waits for the socket grows without end");
    await Promise.all(Array.from({ length: 10 }, say));
  }
  // What comes after the drop is too little for a gap of its own: one that is told begins before what was dropped.
  await say();
  const last = sent.at(-1) as string;
  await untilEvent(other, roomId, last);
  assert.deepEqual(new Set(eventsIn(other.frames, roomId).map((event) => event.event_id)), new Set(sent));
  webSocket.resume();
  const isTold = () => eventsIn(frames, roomId).some((event) => event.event_id === last);
  await soonFound("who reads again is told of the last message", isTold);
  webSocket.terminate();
  assert.ok(
    frames.some((frame) => frame.resync),
    "the frame that tells anew says so",
  );
  const got = eventsIn(frames, roomId).map((event) => event.event_id as string);
  assert.equal(new Set(got).size, got.length, "nothing is told twice");
  assert.deepEqual(await withGapsFilled(bob, roomId, frames), await history(bob, roomId));
});

async function history(person: Person, roomId: string): Promise<string[]> {
  const { chunk } = await person.call("GET", messagesPath(roomId, "dir=f&limit=1000"));
  return idsOf(chunk);
}

const messagesPath = (roomId: string, query: string) =>
  `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/messages?${query}`;

const idsOf = (events: Json[]): string[] =>
  events.filter((event) => event.type === "m.room.message").map((event) => event.event_id);

/** What a client has in the end that fills each gap that it was told of, back to what it knows. */
async function withGapsFilled(person: Person, roomId: string, frames: Json[]): Promise<string[]> {
  const ids: string[] = [];
  for (const frame of frames) {
    const timeline = frame.sync?.rooms?.join?.[roomId]?.timeline;
    if (!timeline) continue;
    if (timeline.limited) {
      const { chunk } = await person.call("GET", messagesPath(roomId, `dir=b&limit=1000&from=${timeline.prev_batch}`));
      ids.push(
        ...idsOf(chunk)
          .toReversed()
          .filter((id) => !ids.includes(id)),
      );
    }
    ids.push(...idsOf(timeline.events));
  }
  return ids;
}
