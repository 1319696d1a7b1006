/** The stream tells what /sync would tell: the same content, once, in order. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, type Person, registerPerson } from "../../../testkit/src/http.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { eventsIn, openStream, type StreamClient } from "./client.testkit.ts";

const SYNC = "/_matrix/client/v3/sync";
const roomPath = (roomId: string, rest: string) => `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/${rest}`;
let txn = 0;

async function people(server: TestServer, ...names: string[]): Promise<Person[]> {
  return Promise.all(names.map((name) => registerPerson(server.url, name)));
}

/** A room with everybody in it. */
async function roomOf(first: Person, ...others: Person[]): Promise<string> {
  const invite = others.map((each) => each.userId);
  const { room_id } = await first.call("POST", "/_matrix/client/v3/createRoom", { preset: "private_chat", invite });
  for (const each of others) await each.call("POST", `/_matrix/client/v3/join/${encodeURIComponent(room_id)}`, {});
  return room_id as string;
}

async function say(person: Person, roomId: string, body: string): Promise<string> {
  const path = roomPath(roomId, `send/m.room.message/t${++txn}`);
  return (await person.call("PUT", path, { msgtype: "m.text", body })).event_id as string;
}

const sync = (person: Person, since?: string): Promise<Json> =>
  person.call("GET", since === undefined ? SYNC : `${SYNC}?since=${since}`);

/** Resolves when a frame has the event. */
const untilEvent = (client: StreamClient, roomId: string, eventId: string): Promise<Json> =>
  client.until(
    (frame) =>
      frame.type === "sync" &&
      frame.sync.rooms?.join?.[roomId]?.timeline.events.some((event: Json) => event.event_id === eventId),
  );

test("a message reaches everybody who streams, as the answer that /sync would have given", async () => {
  await using server = await startTestServer();
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const { next_batch: since } = await sync(bob);
  using stream = await openStream(server.url, bob, { since });
  await stream.until((frame) => frame.type === "ready");
  const frame = await untilEvent(stream, roomId, await say(alice, roomId, "hello"));
  const { next_batch, ...told } = frame.sync;
  const { next_batch: _token, ...answered } = await sync(bob, since);
  assert.deepEqual(told, answered);
  assert.deepEqual(await sync(bob, next_batch).then(({ rooms }) => rooms), undefined);
  assert.equal(eventsIn(stream.frames, roomId).length, 1);
});
