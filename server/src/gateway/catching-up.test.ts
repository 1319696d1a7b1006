/** Backfill, cut-over, stream: while people write and connections come and go, nothing is lost, doubled or out of order. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, type Person, registerPerson } from "../../../testkit/src/http.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { eventsIn, openStream, type StreamClient } from "../../../testkit/src/stream.ts";

const roomPath = (roomId: string, rest: string) => `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/${rest}`;

interface Scene {
  roomId: string;
  writers: Person[];
  readers: Person[];
}

async function openScene(
  server: TestServer,
  { writers, readers }: { writers: number; readers: number },
): Promise<Scene> {
  const names = Array.from({ length: writers + readers }, (_, i) => `p${i}`);
  const people = await Promise.all(names.map((name) => registerPerson(server.url, name)));
  const [first] = people as [Person];
  const { room_id: roomId } = await first.call("POST", "/_matrix/client/v3/createRoom", {
    preset: "public_chat",
    power_level_content_override: { events: { "m.room.topic": 0 } },
  });
  for (const each of people.slice(1)) await each.call("POST", `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`);
  return { roomId, writers: people.slice(0, writers), readers: people.slice(writers) };
}

/** Each writer sends one message after the other, with something of its own now and then, so that every way of telling is met. */
async function write({ roomId, writers }: Scene, messages: number): Promise<void> {
  await Promise.all(
    writers.map(async (writer, w) => {
      for (let i = 0; i < messages; i++) {
        const content = { msgtype: "m.text", body: `${w}.${i}` };
        await writer.call("PUT", roomPath(roomId, `send/m.room.message/${w}.${i}`), content);
        if (i % 7 === 3) await writer.call("PUT", roomPath(roomId, "state/m.room.topic/"), { topic: `${w}.${i}` });
        if (i % 5 === 1) await writer.call("PUT", roomPath(roomId, `typing/${writer.userId}`), { typing: true });
      }
    }),
  );
}

const isTold = (event: Json) => event.type === "m.room.message" || event.type === "m.room.topic";

/** Follows with connections that are cut again and again, each going on from the last token, until `signal`. Gives the events. */
async function followWithCuts(
  server: TestServer,
  reader: Person,
  { roomId, since, signal }: { roomId: string; since: string; signal: AbortSignal },
): Promise<Json[]> {
  const events: Json[] = [];
  let token = since;
  for (let cut = 1; !signal.aborted; cut++) {
    using stream = await openStream(server.url, reader, {
      since: token,
      filter: { room: { timeline: { limit: 100 } } },
    });
    await Promise.race([
      stream.until((frame) => frame.type === "sync" && stream.frames.length > cut % 4),
      aborted(signal),
    ]);
    // What arrived is what counts: everything up to the newest token that was read.
    events.push(...eventsIn(stream.frames, roomId));
    token = stream.token() ?? token;
    stream.webSocket.close();
    stream.frames.length = 0;
  }
  using last = await openStream(server.url, reader, { since: token, filter: { room: { timeline: { limit: 100 } } } });
  last.send({ type: "ping" });
  await last.until(
    (frame) => frame.type === "heartbeat" && frame.next_batch.split("_")[1] >= server.ctx.log.hub.head(),
  );
  return [...events, ...eventsIn(last.frames, roomId)];
}

function aborted(signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", resolve));
}

async function history(person: Person, roomId: string): Promise<string[]> {
  const { chunk } = await person.call("GET", roomPath(roomId, "messages?dir=f&limit=1000"));
  return chunk.filter(isTold).map((event: Json) => event.event_id);
}

test("connections that are cut and come back while others write lose nothing, double nothing, and keep the order", async () => {
  await using server = await startTestServer();
  const scene = await openScene(server, { writers: 3, readers: 4 });
  const { roomId, readers } = scene;
  const before = await history(readers[0] as Person, roomId);
  const done = new AbortController();
  const following = await Promise.all(
    readers.map(async (reader) => ({
      reader,
      since: (await reader.call("GET", "/_matrix/client/v3/sync")).next_batch as string,
    })),
  );
  const views = following.map(({ reader, since }) =>
    followWithCuts(server, reader, { roomId, since, signal: done.signal }),
  );
  await write(scene, 40);
  done.abort();
  const wanted = (await history(readers[0] as Person, roomId)).slice(before.length);
  for (const view of await Promise.all(views))
    assert.deepEqual(
      view.filter(isTold).map((event) => event.event_id),
      wanted,
    );
});

test("a connection that stays while many write at once is told everything, and mostly with what is made for all", async () => {
  await using server = await startTestServer();
  const scene = await openScene(server, { writers: 4, readers: 2 });
  const { roomId, readers } = scene;
  const before = await history(readers[0] as Person, roomId);
  const streams: StreamClient[] = [];
  for (const reader of readers) {
    const { next_batch: since } = await reader.call("GET", "/_matrix/client/v3/sync");
    streams.push(await openStream(server.url, reader, { since, filter: { room: { timeline: { limit: 100 } } } }));
  }
  await write(scene, 50);
  const wanted = (await history(readers[0] as Person, roomId)).slice(before.length);
  for (const stream of streams) {
    await stream.until((frame) => eventsIn([frame], roomId).some((event) => event.event_id === wanted.at(-1)));
    assert.deepEqual(
      eventsIn(stream.frames, roomId)
        .filter(isTold)
        .map((event) => event.event_id),
      wanted,
    );
    stream.webSocket.close();
  }
  const { values } = await server.ctx.metrics.streamFrames.get();
  const shared = values.find(({ labels }) => labels.made === "shared")?.value ?? 0;
  assert.ok(shared > 20, `only ${shared} frames were made for all`);
});

/** Opens one stream after the other without a token, while others write. Gives what each was told, as event ids. */
async function startAnew(
  server: TestServer,
  reader: Person,
  { roomId, signal }: { roomId: string; signal: AbortSignal },
) {
  const views: string[][] = [];
  while (!signal.aborted) {
    using stream = await openStream(server.url, reader, { filter: { room: { timeline: { limit: 100 } } } });
    await Promise.race([stream.until(() => stream.frames.length > 6), aborted(signal)]);
    views.push(idsOf(eventsIn(stream.frames, roomId)));
  }
  return views;
}

const idsOf = (events: Json[]): string[] => events.filter(isTold).map((event) => event.event_id);

test("between an initial sync, which takes a while, and what is pushed after it, nothing is missing", async () => {
  await using server = await startTestServer();
  const scene = await openScene(server, { writers: 3, readers: 3 });
  const { roomId, readers } = scene;
  const done = new AbortController();
  const views = readers.map((reader) => startAnew(server, reader, { roomId, signal: done.signal }));
  await write(scene, 60);
  done.abort();
  const wanted = await history(readers[0] as Person, roomId);
  const told = (await Promise.all(views)).flat().filter((view) => view.length > 0);
  assert.ok(told.length > 10, `only ${told.length} streams`);
  for (const view of told) {
    const first = wanted.indexOf(view[0] as string);
    assert.deepEqual(view, wanted.slice(first, first + view.length));
  }
});
