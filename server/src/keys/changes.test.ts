import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Person, registerPerson } from "../../../testkit/src/http.ts";
import { limits } from "../limits.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { crossSigningOf, uploadDevice, V3 } from "../../../testkit/src/keys.ts";

const server = await startTestServer();
after(() => server.stop());

let people = 0;
const somebody = () => registerPerson(server.url, `person${++people}`);

async function createRoom(creator: Person, isEncrypted = true): Promise<string> {
  const encryption = { type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } };
  const body = { preset: "public_chat", initial_state: isEncrypted ? [encryption] : [] };
  return (await creator.call("POST", `${V3}/createRoom`, body)).room_id as string;
}

const act = (person: Person, roomId: string, action: "join" | "leave") =>
  person.call("POST", `${V3}/rooms/${roomId}/${action}`, {});

async function tokenOf(person: Person): Promise<string> {
  return (await person.call("GET", `${V3}/sync?timeout=0`)).next_batch as string;
}

/** What changed between two tokens, and what a sync between them says: the same. */
async function changesOf(person: Person, from: string): Promise<{ changed: string[]; left: string[] }> {
  const { next_batch: to, device_lists } = await person.call("GET", `${V3}/sync?timeout=0&since=${from}`);
  const answer = await person.call("GET", `${V3}/keys/changes?from=${from}&to=${to}`);
  const sorted = ({ changed = [] as string[], left = [] as string[] } = {}) => ({
    changed: changed.toSorted(),
    left: left.toSorted(),
  });
  assert.deepEqual(sorted(answer), sorted(device_lists));
  return sorted(answer);
}

/** Two people in one encrypted room, and the first one's token. */
async function together(): Promise<{ alice: Person; bob: Person; roomId: string; from: string }> {
  const [alice, bob] = [await somebody(), await somebody()];
  const roomId = await createRoom(alice);
  await act(bob, roomId, "join");
  return { alice, bob, roomId, from: await tokenOf(alice) };
}

test("whoever shares an encrypted room and uploads device keys or cross-signing keys has changed", async () => {
  const { alice, bob, from } = await together();
  const stranger = await somebody();
  await uploadDevice(stranger);
  assert.deepEqual(await changesOf(alice, from), { changed: [], left: [] });
  await uploadDevice(bob);
  const between = await tokenOf(alice);
  assert.deepEqual(await changesOf(alice, from), { changed: [bob.userId], left: [] });
  assert.deepEqual(await changesOf(alice, between), { changed: [], left: [] });
  await bob.call("POST", `${V3}/keys/device_signing/upload`, crossSigningOf(bob, "bob"));
  assert.deepEqual(await changesOf(alice, between), { changed: [bob.userId], left: [] });
});

test("one's own changes are told", async () => {
  const alice = await somebody();
  const from = await tokenOf(alice);
  await uploadDevice(alice);
  assert.deepEqual(await changesOf(alice, from), { changed: [alice.userId], left: [] });
});

test("members of a small room without encryption are told of each other's keys too", async () => {
  const [alice, bob] = [await somebody(), await somebody()];
  const [roomId, first] = [await createRoom(alice, false), await tokenOf(alice)];
  await act(bob, roomId, "join");
  assert.deepEqual(await changesOf(alice, first), { changed: [bob.userId], left: [] });
  const second = await tokenOf(alice);
  await uploadDevice(bob);
  assert.deepEqual(await changesOf(alice, second), { changed: [bob.userId], left: [] });
  const third = await tokenOf(alice);
  await act(bob, roomId, "leave");
  assert.deepEqual(await changesOf(alice, third), { changed: [], left: [bob.userId] });
  const fourth = await tokenOf(alice);
  await uploadDevice(bob);
  assert.deepEqual(await changesOf(alice, fourth), { changed: [], left: [] });
});

test("members of a large room are told of each other's keys where it is encrypted", async (t) => {
  const changed: { keysWithoutEncryption_members: number } = limits;
  t.mock.property(changed, "keysWithoutEncryption_members", 1);
  for (const isEncrypted of [false, true]) {
    const [alice, bob] = [await somebody(), await somebody()];
    await act(bob, await createRoom(alice, isEncrypted), "join");
    const from = await tokenOf(alice);
    await uploadDevice(bob);
    assert.deepEqual(await changesOf(alice, from), { changed: isEncrypted ? [bob.userId] : [], left: [] });
  }
});

test("who comes to an encrypted room has changed, who leaves the last one has left", async () => {
  const { alice, bob, roomId, from } = await together();
  const carol = await somebody();
  await act(carol, roomId, "join");
  await act(bob, roomId, "leave");
  assert.deepEqual(await changesOf(alice, from), { changed: [carol.userId], left: [bob.userId] });
});

test("who leaves one room and stays in another has not left", async () => {
  const { alice, bob, roomId } = await together();
  await act(bob, await createRoom(alice), "join");
  const from = await tokenOf(alice);
  await act(bob, roomId, "leave");
  assert.deepEqual(await changesOf(alice, from), { changed: [], left: [] });
});

test("to somebody who joins, everybody in the room has changed; to somebody who leaves, they have left", async () => {
  const { alice, bob, roomId } = await together();
  const carol = await somebody();
  const from = await tokenOf(carol);
  await act(carol, roomId, "join");
  assert.deepEqual(await changesOf(carol, from), { changed: [alice.userId, bob.userId].toSorted(), left: [] });
  const joined = await tokenOf(carol);
  await act(carol, roomId, "leave");
  assert.deepEqual(await changesOf(carol, joined), { changed: [], left: [alice.userId, bob.userId].toSorted() });
});

test("a signature of somebody's master key concerns its maker alone", async () => {
  const { alice, bob, roomId } = await together();
  const carol = await somebody();
  await act(carol, roomId, "join");
  for (const [person, name] of [
    [alice, "a"],
    [bob, "b"],
  ] as const)
    await person.call("POST", `${V3}/keys/device_signing/upload`, crossSigningOf(person, name));
  const [from, carols] = [await tokenOf(alice), await tokenOf(carol)];
  const { master_key } = crossSigningOf(bob, "b");
  const signed = { ...master_key, signatures: { [alice.userId]: { "ed25519:aUser": "by alice" } } };
  await alice.call("POST", `${V3}/keys/signatures/upload`, { [bob.userId]: { bMaster: signed } });
  assert.deepEqual(await changesOf(alice, from), { changed: [bob.userId], left: [] });
  assert.deepEqual(await changesOf(carol, carols), { changed: [], left: [] });
});

test("what is not a token of this server is refused", async () => {
  const alice = await somebody();
  const { status, body } = await alice.ask("GET", `${V3}/keys/changes?from=none&to=${await tokenOf(alice)}`);
  assert.deepEqual([status, body.errcode], [400, "M_INVALID_PARAM"]);
  assert.equal((await alice.ask("GET", `${V3}/keys/changes?to=s1_1`)).body.errcode, "M_MISSING_PARAM");
});
