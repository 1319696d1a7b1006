/** Legal access: who may export what under it, for how long, and what the audit log and the access graph say of it. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { strFromU8, unzipSync } from "fflate";
import { type Json, type Person, registerPerson } from "../../../testkit/src/http.ts";
import { makeAdministrator, makeOperator } from "../../../testkit/src/operators.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { roomOf, roomPath, say } from "../../../testkit/src/syncing.ts";
import { turn } from "../graph/worker.ts";
import { runJobs } from "../worker/jobs.ts";

const ADMIN = "/_parley/admin/v1";
const ACCESS = `${ADMIN}/legal/access`;
const DAY_MS = 86_400_000;
const reason = "an order of the court";

// Jobs and the graph are worked on by the test itself, so that it is known when they are through.
const server = await startTestServer({
  config: { roles: ["auth", "keys", "messages", "gateway", "presence", "media", "web"] },
});
after(() => server.stop());
const root = await makeAdministrator(server, "root");
const [audrey, oscar] = [
  await makeOperator(server, "audrey", "auditor"),
  await makeOperator(server, "oscar", "operator"),
];
const [alice, bob] = [await registerPerson(server.url, "alice"), await registerPerson(server.url, "bob")];
const roomId = await roomOf(bob, alice);

const grant = (rest: Json) => ({
  holder: audrey.userId,
  case_reference: "12 Cs 34/26",
  ends_ts: Date.now() + DAY_MS,
  reason,
  ...rest,
});

async function filesOf(path: string, { token }: Person): Promise<Record<string, string>> {
  const answer = await fetch(server.url + path, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(answer.status, 200);
  const files = unzipSync(new Uint8Array(await answer.arrayBuffer()));
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, strFromU8(bytes)]));
}

async function exported(accessId: number): Promise<string> {
  const { export_id } = await audrey.call("POST", `${ACCESS}/${accessId}/exports`, { reason });
  await runJobs(server.ctx);
  return `${ACCESS}/${accessId}/exports/${export_id}/archive`;
}

test("whom it names exports what the server has of the person, and nobody else, nor after its end", async () => {
  await say(alice, roomId, "words of alice");
  const { access_id } = await root.call("POST", ACCESS, grant({ user_id: alice.userId }));
  for (const other of [root, oscar])
    assert.match((await other.ask("POST", `${ACCESS}/${access_id}/exports`, { reason })).body.error, /audrey.*alone/);
  const path = await exported(access_id);
  const files = await filesOf(path, audrey);
  assert.ok(Object.values(files).join("").includes("words of alice"));
  const { case_reference, user_id } = JSON.parse(files["manifest.json"] as string);
  assert.deepEqual([case_reference, user_id], ["12 Cs 34/26", alice.userId]);
  assert.equal((await root.ask("GET", path)).status, 403, "the owner is not who it names");

  assert.deepEqual((await alice.call("GET", "/_parley/client/v1/exports")).exports, [], "the person is not told");
  const number = path.split("/").at(-2);
  assert.equal((await alice.ask("GET", `/_parley/client/v1/exports/${number}/archive`)).status, 404);
  const user = `${ADMIN}/users/${encodeURIComponent(alice.userId)}`;
  assert.match((await root.ask("POST", `${user}/erase`, { reason })).body.error, /Legal access/);

  const { items } = await audrey.call("GET", `${ACCESS}/${access_id}/exports`);
  assert.deepEqual(
    items[0].fetches.map(({ fetched_by }: Json) => fetched_by),
    [audrey.userId],
  );
  await root.call("POST", `${ACCESS}/${access_id}/end`, { reason });
  assert.match((await audrey.ask("GET", path)).body.error, /over/);
  assert.equal((await audrey.ask("POST", `${ACCESS}/${access_id}/exports`, { reason })).status, 403);
  assert.deepEqual((await audrey.call("GET", ACCESS)).items, []);
  assert.equal((await audrey.call("GET", `${ACCESS}?ended=true`)).items[0].ended_by, root.userId);
});

test("every step stands in the audit log, with the case", async () => {
  const { items } = await root.call("GET", `${ADMIN}/audit?target=${encodeURIComponent(alice.userId)}`);
  const of = (action: string) => items.find((entry: Json) => entry.action === action && entry.outcome === "done");
  for (const action of ["legal.grant", "legal.export", "legal.fetch_export"])
    assert.equal(of(action).after.case_reference, "12 Cs 34/26", action);
  assert.equal(of("legal.end").before.case_reference, "12 Cs 34/26");
  assert.equal(of("legal.export").actor, audrey.userId);
  assert.equal(of("legal.grant").reason, reason);
});

test("of a room it has everything that was sent, as it was sent, and who was there; what was read in private is left out", async () => {
  const room = await roomOf(bob, alice);
  const ciphertext = "AwgAEnACgAkLmt6qF84IK++J7UDH2Za1YVchHyprqTqsg";
  const eventId = (
    await alice.call("PUT", roomPath(room, "send/m.room.encrypted/1"), {
      algorithm: "m.megolm.v1.aes-sha2",
      ciphertext,
      session_id: "X",
    })
  ).event_id as string;
  await bob.call("POST", roomPath(room, `receipt/m.read/${eventId}`), {});
  await alice.call("POST", roomPath(room, `receipt/m.read.private/${eventId}`), {});
  await say(alice, roomId, "in another room");
  const { access_id } = await root.call("POST", ACCESS, grant({ room_id: room }));
  const files = await filesOf(await exported(access_id), audrey);
  assert.ok(files["events/00001.jsonl"]?.includes(ciphertext));
  assert.ok(!Object.values(files).join("").includes("in another room"));
  assert.ok(files["members/00001.jsonl"]?.includes(bob.userId));
  assert.ok(files["receipts/00001.jsonl"]?.includes(bob.userId));
  assert.ok(!files["receipts/00001.jsonl"]?.includes(alice.userId));

  while (await turn(server.ctx, "test", new AbortController().signal));
  const ask = (path: string) => root.call("GET", `${ADMIN}/graph/${path}`);
  const id = encodeURIComponent(room);
  const who = await ask(`who-can-read?room_id=${id}`);
  const ways = who.items.filter(({ user_id }: Json) => user_id === audrey.userId).map(({ how }: Json) => how);
  assert.deepEqual(ways, ["legal access", "fetched export"]);
  const reached = await ask(`reach?user_id=${audrey.userId}`);
  assert.ok(reached.items.some(({ room_id, how }: Json) => room_id === room && how === "legal access"));
  const { details } = await ask(`exposed?user_id=${audrey.userId}&device_id=${audrey.deviceId}`);
  assert.ok(details.some((detail: string) => detail.includes("was fetched with it")));
  const taken = await ask(`taken?room_id=${id}`);
  assert.match(taken.sentence, /of which 1 left the server; 1 legal access is in force/);
  const why = await ask(`why?user_id=${audrey.userId}&room_id=${id}`);
  assert.match(why.details.join(" "), /may export what the server has stored .* They fetched export/);
  const removal = await ask(`effect-of-removal?kind=person&user_id=${audrey.userId}`);
  assert.match(removal.details.join(" "), /auditor.*Nobody else could use legal access/);
});

test("an owner grants it, to an operator, of a person or a room that there is, with an end", async () => {
  const refused = async (rest: Json, error: RegExp) => {
    const { status, body } = await root.ask("POST", ACCESS, grant(rest));
    assert.ok(status === 400 || status === 404, JSON.stringify(body));
    assert.match(body.error, error);
  };
  await refused({}, /either a room .* or a person/);
  await refused({ user_id: bob.userId, room_id: roomId }, /either a room .* or a person/);
  await refused({ user_id: bob.userId, ends_ts: Date.now() - 1 }, /in the future/);
  await refused({ user_id: bob.userId, ends_ts: Date.now() + 400 * DAY_MS }, /366 days/);
  await refused({ user_id: bob.userId, holder: bob.userId }, /no operator/);
  await refused({ user_id: "@nobody:localhost" }, /no such account/);
  await refused({ room_id: "!nowhere:localhost" }, /no room/);
  assert.equal((await oscar.ask("POST", ACCESS, grant({ user_id: bob.userId }))).status, 403);
  assert.equal((await root.ask("POST", `${ACCESS}/999/end`, { reason })).status, 404);
});
