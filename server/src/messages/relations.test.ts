import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, type Person, registerPerson } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { createRoom, type Query } from "../../../testkit/src/room.ts";

const CLIENT = "/_matrix/client/v3";
const { server, alice, bob } = await startNeighbours(["alice", "bob"], { config: { roles: ["auth", "messages"] } });
const room = await createRoom(alice);
await room.change(bob, "join");

const relation = (rel_type: string, event_id: string, key?: string) => ({
  "m.relates_to": { rel_type, event_id, ...(key === undefined ? {} : { key }) },
});
const idsOf = (events: readonly Json[]): string[] => events.map((event) => event.event_id);

async function list(path: string, query: Query = {}, who: Person = alice): Promise<string[]> {
  return idsOf((await room.read(who, `relations/${path}`, query)).chunk);
}

test("what relates to an event comes newest first, or oldest first when asked for", async () => {
  const parent = await room.say(alice, "parent");
  const children = [
    await room.send(bob, relation("m.annotation", parent, "👍"), "m.reaction"),
    await room.send(bob, relation("m.reference", parent), "org.example.vote"),
    await room.send(alice, relation("m.reference", parent)),
  ];
  assert.deepEqual(await list(parent), children.toReversed());
  assert.deepEqual(await list(parent, { dir: "f" }), children);
  assert.deepEqual(await list(await room.say(alice, "alone")), []);
});

test("only what relates in this way, and is of this type, comes when asked so", async () => {
  const parent = await room.say(alice, "parent");
  const reaction = await room.send(bob, relation("m.annotation", parent, "👍"), "m.reaction");
  const vote = await room.send(bob, relation("m.reference", parent), "org.example.vote");
  const text = await room.send(alice, relation("m.reference", parent));
  assert.deepEqual(await list(`${parent}/m.annotation`), [reaction]);
  assert.deepEqual(await list(`${parent}/m.reference`), [text, vote]);
  assert.deepEqual(await list(`${parent}/m.reference/org.example.vote`), [vote]);
  assert.deepEqual(await list(`${parent}/m.annotation/org.example.vote`), []);
});

test("page after page, each comes once, in both directions", async () => {
  const parent = await room.say(alice, "parent");
  const children: string[] = [];
  for (let i = 0; i < 23; i++)
    children.push(await room.say(bob, String(i), { rel_type: "m.thread", event_id: parent }));
  for (const recurse of [undefined, true])
    for (const dir of ["b", "f"]) {
      const found: string[] = [];
      let from: string | undefined;
      do {
        const page = await room.read(alice, `relations/${parent}/m.thread`, { dir, from, limit: 5, recurse });
        assert.equal(page.prev_batch, from);
        found.push(...idsOf(page.chunk));
        from = page.next_batch;
      } while (from !== undefined);
      assert.deepEqual(dir === "b" ? found.toReversed() : found, children);
    }
});

test("`to` ends the list, and tokens of /messages do for it", async () => {
  const parent = await room.say(alice, "parent");
  const first = await room.say(alice, "1", { rel_type: "m.thread", event_id: parent });
  const { start } = await room.read(alice, "messages", { dir: "b", limit: 1 });
  const second = await room.say(alice, "2", { rel_type: "m.thread", event_id: parent });
  assert.deepEqual(await list(parent, { to: start }), [second]);
  assert.deepEqual(await list(parent, { from: start }), [first]);
  assert.deepEqual(await list(parent, { dir: "f", to: start }), [first]);
});

test("with recurse, what relates to the children comes too, down to the depth that is told, each once", async () => {
  const parent = await room.say(alice, "0");
  const chain = [parent];
  for (let i = 1; i <= 4; i++)
    chain.push(await room.send(alice, relation("m.reference", chain.at(-1) as string), "org.example.link"));
  const page = await room.read(alice, `relations/${parent}`, { recurse: true, dir: "f" });
  assert.equal(page.recursion_depth, 3);
  assert.deepEqual(idsOf(page.chunk), chain.slice(1, 4));
  assert.equal((await room.read(alice, `relations/${parent}`)).recursion_depth, undefined);
  const direct = await room.read(alice, `relations/${parent}`, { recurse: false });
  assert.deepEqual([direct.recursion_depth, idsOf(direct.chunk)], [1, chain.slice(1, 2)]);
});

test("with recurse and a filter, what comes by way of something else is left out", async () => {
  const parent = await room.say(alice, "parent");
  const answer = await room.say(bob, "answer", { rel_type: "m.thread", event_id: parent });
  const reaction = await room.send(alice, relation("m.annotation", answer, "👍"), "m.reaction");
  assert.deepEqual(await list(parent, { recurse: true }), [reaction, answer]);
  assert.deepEqual(await list(`${parent}/m.annotation`, { recurse: true }), []);
  assert.deepEqual(await list(`${parent}/m.thread`, { recurse: true }), [answer]);
});

test("what was redacted relates to nothing; what it related to keeps the rest", async () => {
  const parent = await room.say(alice, "parent");
  const first = await room.send(bob, relation("m.annotation", parent, "👍"), "m.reaction");
  const second = await room.send(alice, relation("m.annotation", parent, "👍"), "m.reaction");
  await room.redact(bob, first);
  assert.deepEqual(await list(parent), [second]);
  await room.redact(alice, parent);
  assert.deepEqual(await list(parent), [second]);
});

test("an event of another room relates to nothing here", async () => {
  const parent = await room.say(alice, "parent");
  const other = await createRoom(alice);
  await other.send(alice, relation("m.reference", parent));
  assert.deepEqual(await list(parent), []);
  assert.deepEqual(await list(parent, { recurse: true }), []);
});

test("of somebody who is ignored nothing comes", async () => {
  const carol = await registerPerson(server.url, "carol");
  await room.change(carol, "join");
  const parent = await room.say(alice, "parent");
  await room.send(bob, relation("m.reference", parent));
  const heard = await room.send(alice, relation("m.reference", parent));
  const ignored_users = { [bob.userId]: {} };
  await carol.call("PUT", `${CLIENT}/user/${carol.userId}/account_data/m.ignored_user_list`, { ignored_users });
  assert.deepEqual(await list(parent, {}, carol), [heard]);
});

test("a filter may ask for what others relate to, by whom and how; one relation meets both", async () => {
  const own = await createRoom(alice);
  await own.change(bob, "join");
  const thread = await own.say(alice, "thread");
  const liked = await own.say(alice, "liked");
  const alone = await own.say(alice, "alone");
  const answer = await own.say(bob, "answer", { rel_type: "m.thread", event_id: thread });
  await own.send(alice, relation("m.annotation", liked, "👍"), "m.reaction");
  const withdrawn = await own.send(bob, relation("m.annotation", alone, "👍"), "m.reaction");
  await own.redact(bob, withdrawn);
  const messages = async (filter: object) =>
    idsOf((await own.read(alice, "messages", { dir: "f", filter: JSON.stringify(filter) })).chunk);
  assert.deepEqual(await messages({ related_by_rel_types: ["m.thread"] }), [thread]);
  assert.deepEqual(await messages({ related_by_rel_types: ["m.thread", "m.annotation"] }), [thread, liked]);
  assert.deepEqual(await messages({ related_by_senders: [bob.userId] }), [thread]);
  assert.deepEqual(await messages({ related_by_senders: [bob.userId], related_by_rel_types: ["m.annotation"] }), []);
  assert.deepEqual(await messages({ related_by_rel_types: [] }), []);

  const own2 = await createRoom(alice);
  const root = await own2.say(alice, "root");
  const inThread = await own2.say(alice, "in the thread", { rel_type: "m.thread", event_id: root });
  const reference = await own2.say(alice, "reference", { rel_type: "m.reference", event_id: root });
  const said = async (filter: object) =>
    idsOf(
      (
        await own2.read(alice, "messages", {
          dir: "f",
          filter: JSON.stringify({ types: ["m.room.message"], ...filter }),
        })
      ).chunk,
    );
  const [wanted, unwanted] = ["org.matrix.msc3874.rel_types", "org.matrix.msc3874.not_rel_types"];
  assert.deepEqual(await said({ [wanted]: ["m.thread"] }), [inThread]);
  assert.deepEqual(await said({ [wanted]: ["m.thread", "m.reference"] }), [inThread, reference]);
  assert.deepEqual(await said({ [unwanted]: ["m.thread"] }), [root, reference]);
  assert.deepEqual(await said({ [unwanted]: ["m.thread", "m.reference"] }), [root]);

  const filter = { related_by_rel_types: ["m.annotation"] };
  const around = await own.read(alice, `context/${answer}`, { filter: JSON.stringify(filter) });
  assert.deepEqual(
    [idsOf(around.events_before), around.event.event_id, idsOf(around.events_after)],
    [[liked], answer, []],
  );
});
