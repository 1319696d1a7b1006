import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, type Person, registerPerson } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { createRoom, type Query, type TestRoom } from "../../../testkit/src/room.ts";

const CLIENT = "/_matrix/client/v3";
const { server, alice, bob } = await startNeighbours(["alice", "bob"], { config: { roles: ["auth", "messages"] } });

async function newRoom(): Promise<TestRoom> {
  const room = await createRoom(alice);
  await room.change(bob, "join");
  return room;
}

const answer = (room: TestRoom, who: Person, root: string) =>
  room.say(who, "answer", { rel_type: "m.thread", event_id: root });

const idsOf = (events: readonly Json[]): string[] => events.map((event) => event.event_id);

async function list(room: TestRoom, who: Person, query: Query = {}): Promise<string[]> {
  return idsOf((await room.read(who, "threads", query)).chunk);
}

test("the thread with the newest answer comes first, and what is no root does not come", async () => {
  const room = await newRoom();
  const [first, second, plain] = [await room.say(alice, "1"), await room.say(alice, "2"), await room.say(alice, "3")];
  await answer(room, bob, first);
  await answer(room, bob, second);
  assert.deepEqual(await list(room, alice), [second, first]);
  await answer(room, alice, first);
  assert.deepEqual(await list(room, alice), [first, second]);
  assert.ok(!(await list(room, alice)).includes(plain));
});

test("a thread ends with its last answer", async () => {
  const room = await newRoom();
  const root = await room.say(alice, "root");
  const only = await answer(room, bob, root);
  await room.redact(bob, only);
  assert.deepEqual(await list(room, alice), []);
});

test("page after page, each thread comes once", async () => {
  const room = await newRoom();
  const roots: string[] = [];
  for (let i = 0; i < 25; i++) roots.push(await room.say(alice, String(i)));
  for (const root of [...roots, ...roots.slice(0, 5), ...roots.slice(3, 8)]) await answer(room, bob, root);
  const all = await list(room, alice, { limit: 100 });
  assert.equal(all.length, 25);
  const paged: string[] = [];
  let from: string | undefined;
  do {
    const page = await room.read(alice, "threads", { limit: 4, from });
    paged.push(...idsOf(page.chunk));
    from = page.next_batch;
  } while (from !== undefined);
  assert.deepEqual(paged, all);
  assert.equal((await list(room, alice)).length, 20);
});

test("those that one takes part in are those that one began or answered in", async () => {
  const room = await newRoom();
  const [began, answered, other] = [await room.say(bob, "1"), await room.say(alice, "2"), await room.say(alice, "3")];
  await answer(room, alice, began);
  await answer(room, bob, answered);
  await answer(room, alice, answered);
  await answer(room, alice, other);
  assert.deepEqual(await list(room, bob, { include: "participated" }), [answered, began]);
  assert.deepEqual(await list(room, alice, { include: "participated" }), [other, answered, began]);
});

test("of somebody who is ignored, the root comes redacted and the answers count for nothing", async () => {
  const room = await newRoom();
  const carol = await registerPerson(server.url, "carol");
  await room.change(carol, "join");
  const [root, other] = [await room.say(bob, "unheard"), await room.say(alice, "heard")];
  await answer(room, alice, root);
  await answer(room, alice, other);
  await answer(room, bob, root);
  await answer(room, bob, await room.say(alice, "only bob answers"));
  const ignored_users = { [bob.userId]: {} };
  await carol.call("PUT", `${CLIENT}/user/${carol.userId}/account_data/m.ignored_user_list`, { ignored_users });
  const { chunk } = await room.read(carol, "threads");
  assert.deepEqual(idsOf(chunk), [other, root]);
  assert.deepEqual(chunk[1].content, {});
  assert.equal(chunk[1].unsigned["m.relations"]["m.thread"].count, 1);
});

test("tokens and limits that make no sense are refused", async () => {
  const room = await newRoom();
  for (const query of [{ from: "x" }, { limit: 0 }, { limit: "many" }, { include: "some" }]) {
    const { status, body } = await room.ask(alice, "threads", query);
    assert.deepEqual([status, body.errcode], [400, "M_INVALID_PARAM"], JSON.stringify(query));
  }
});
