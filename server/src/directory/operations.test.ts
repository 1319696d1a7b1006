/** Reports, from the member who makes one to the operator who deals with it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json, Person } from "../../../testkit/src/http.ts";
import { makeAdministrator } from "../../../testkit/src/operators.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { people, roomOf, roomPath, say } from "../../../testkit/src/syncing.ts";

const REPORTS = "/_parley/admin/v1/reports";

test("operators see who reported what and why, and not what was said", async () => {
  await using server = await startTestServer();
  const admin = await makeAdministrator(server, "root");
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  const eventId = await say(bob, roomId, "report-canary");
  await alice.call("POST", roomPath(roomId, `report/${encodeURIComponent(eventId)}`), { reason: "rude" });
  await alice.call("POST", roomPath(roomId, "report"), { reason: "the room" });
  await alice.call("POST", `/_matrix/client/v3/users/${bob.userId}/report`, { reason: "him" });
  const { items } = await admin.call("GET", REPORTS);
  assert.deepEqual(
    items.map((each: Json) => [each.kind, each.state, each.reason]),
    [
      ["user", "open", "him"],
      ["room", "open", "the room"],
      ["event", "open", "rude"],
    ],
  );
  const ofEvent = items[2];
  assert.deepEqual([ofEvent.event_id, ofEvent.user_id, ofEvent.event.type], [eventId, bob.userId, "m.room.message"]);
  assert.equal(JSON.stringify(items).includes("report-canary"), false);
  const paged = await admin.call("GET", `${REPORTS}?limit=2`);
  const rest = await admin.call("GET", `${REPORTS}?limit=2&from=${paged.next}`);
  assert.deepEqual([...paged.items, ...rest.items], items);
  assert.equal((await admin.call("GET", `${REPORTS}?room_id=${encodeURIComponent(roomId)}`)).items.length, 2);
});

test("a report is dealt with once, with a note, and may be opened again", async () => {
  await using server = await startTestServer();
  const admin = await makeAdministrator(server, "root");
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  await alice.call("POST", `/_matrix/client/v3/users/${bob.userId}/report`, { reason: "him" });
  const [{ report_id }] = (await admin.call("GET", `${REPORTS}?state=open`)).items;
  const resolved = await admin.call("POST", `${REPORTS}/${report_id}/resolve`, { note: "talked to him" });
  assert.deepEqual([resolved.state, resolved.resolved_by, resolved.note], ["resolved", admin.userId, "talked to him"]);
  assert.equal((await admin.ask("POST", `${REPORTS}/${report_id}/resolve`, { note: "again" })).status, 409);
  assert.deepEqual((await admin.call("GET", `${REPORTS}?state=open`)).items, []);
  assert.equal((await admin.call("POST", `${REPORTS}/${report_id}/reopen`)).state, "open");
  assert.equal((await admin.ask("GET", `${REPORTS}/999`)).status, 404);
  assert.equal((await alice.ask("GET", REPORTS)).status, 403);
});
