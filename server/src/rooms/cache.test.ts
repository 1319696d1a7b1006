/** What is in memory of a room is what the log says of it, whatever comes while it is read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Person } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { createRoom, people, roomPath } from "../../../testkit/src/syncing.ts";
import type { LogEntry } from "../log/entry.ts";
import type { Hub, Listener } from "../log/hub.ts";
import { readEvent } from "../log/queries.ts";
import { openRoomCache } from "./cache.ts";

test("a room that is read anew because it was purged meanwhile loses nothing that comes during the second reading", async () => {
  await using server = await startTestServer();
  const { db, log } = server.ctx;
  const [alice] = (await people(server, "alice")) as [Person];
  const roomId = await createRoom(alice);
  const { event_id } = await alice.call("PUT", roomPath(roomId, "state/m.room.topic"), { topic: "before" });
  const before = (await readEvent(db.log, event_id as string)) as LogEntry;
  const later = before.position + 1_000;
  const purged: LogEntry = { ...before, position: later, kind: "removal", type: "purged", eventId: null, body: "{}" };
  const body = JSON.stringify({ ...JSON.parse(before.body), event_id: "$after", content: { topic: "after" } });
  const after: LogEntry = { ...before, position: later + 1, eventId: "$after", body };
  const coming = [purged, after];
  let tell: Listener = () => {};
  const hub: Hub = {
    ...log.hub,
    listen: (listener) => void (tell = listener),
    // Each reading waits for the hub behind its look at the database: then the next of them comes.
    async reached() {
      const next = coming.shift();
      if (next) tell([next], "fetched");
    },
  };
  const room = await openRoomCache({ db: db.log, hub, epoch: () => log.epoch }).load(roomId);
  assert.equal(coming.length, 0, "it was read twice");
  assert.deepEqual(room.get("m.room.topic")?.content, { topic: "after" });
});

test("what was read of a history that the database lost is read anew before anybody goes by it", async () => {
  await using server = await startTestServer();
  const { db, log } = server.ctx;
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await createRoom(alice, { invite: [bob.userId] });
  let epoch = 1;
  let change: (() => Promise<unknown>) | undefined;
  const hub: Hub = {
    ...log.hub,
    listen: () => {},
    // What was read is above the head: by the time that the hub has come there, another history has begun.
    async reached() {
      const now = change;
      change = undefined;
      if (now) epoch += 1;
      await now?.();
    },
  };
  const cache = openRoomCache({ db: db.log, hub, epoch: () => epoch });
  const topic = { topic: "of the new history" };
  change = () => alice.call("PUT", roomPath(roomId, "state/m.room.topic"), topic);
  assert.deepEqual((await cache.load(roomId)).get("m.room.topic")?.content, topic);
  change = () => bob.call("POST", roomPath(roomId, "leave"), {});
  assert.equal((await cache.memberships(bob.userId)).get(roomId)?.membership, "leave");
});
