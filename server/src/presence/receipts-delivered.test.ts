import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, type Person, registerPerson } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { DELIVERED } from "../log/entry.ts";
import { deliveriesOf } from "./receipts-delivered.ts";

const CLIENT = "/_matrix/client/v3";
const { server, alice, bob, carol } = await startNeighbours(["alice", "bob", "carol"]);

let made = 0;
async function roomOf(...people: Person[]) {
  const [first, ...others] = people as [Person, ...Person[]];
  const { room_id: roomId } = await first.call("POST", `${CLIENT}/createRoom`, { preset: "public_chat" });
  const path = `${CLIENT}/rooms/${encodeURIComponent(roomId as string)}`;
  for (const person of others) await person.call("POST", `${path}/join`, {});
  const send = async (who: Person): Promise<string> =>
    (await who.call("PUT", `${path}/send/m.room.message/d${++made}`, { msgtype: "m.text", body: "hello" })).event_id;
  const read = (who: Person, event: string) => who.call("POST", `${path}/receipt/m.read/${event}`, {});
  return { roomId: roomId as string, send, read };
}

/** One sync from where the person's last one ended; the next acknowledges what it brought. */
function client(person: Person) {
  let since = "";
  return async (): Promise<Json> => {
    const answer = await person.call("GET", `${CLIENT}/sync?timeout=0${since && `&since=${since}`}`);
    since = answer.next_batch;
    return answer;
  };
}

/** Who has which of the person's events, as a sync tells it. */
function deliveredIn(answer: Json, roomId: string): [event: string, by: string[]][] {
  const events: Json[] = answer.rooms?.join?.[roomId]?.ephemeral?.events ?? [];
  return events
    .filter(({ type }) => type === "m.receipt")
    .flatMap(({ content }) => Object.entries(content as Record<string, Json>))
    .filter(([, types]) => types[DELIVERED])
    .map(([event, types]) => [event, Object.keys(types[DELIVERED] as object)]);
}

const written = () => deliveriesOf(server.ctx).written();
const entriesOf = (roomId: string) =>
  server.ctx.db.log.query<{ user: string; by: string }>(
    `select user_id as "user", state_key as by from log.entries where room_id = $1 and type = $2 order by position`,
    [roomId, DELIVERED],
  );

test("the sender learns that a member's device has the message once that device's token says so", async () => {
  const { roomId, send } = await roomOf(alice, bob, carol);
  const [atAlice, atBob, atCarol] = [client(alice), client(bob), client(carol)];
  await Promise.all([atAlice(), atBob(), atCarol()]);
  const event = await send(alice);
  await atBob();
  await written();
  // It was handed to bob's device; that it arrived nobody knows yet.
  assert.deepEqual(deliveredIn(await atAlice(), roomId), []);
  await atBob();
  await written();
  assert.deepEqual(deliveredIn(await atAlice(), roomId), [[event, [bob.userId]]]);
  await atCarol();
  await atCarol();
  await written();
  assert.deepEqual(deliveredIn(await atAlice(), roomId), [[event, [carol.userId]]]);
  // Whose message it is not, and who has it, learn nothing.
  for (const sync of [atBob, atCarol]) assert.deepEqual(deliveredIn(await sync(), roomId), []);
  const fresh = await client(alice)();
  assert.deepEqual(deliveredIn(fresh, roomId), [[event, [bob.userId, carol.userId]]]);
  for (const person of [bob, carol]) assert.deepEqual(deliveredIn(await client(person)(), roomId), []);
});

test("of who has switched it off nobody learns that their device has a message; of the others they do", async () => {
  const { roomId, send } = await roomOf(alice, bob, carol);
  const decide = (content: object) =>
    carol.call("PUT", `${CLIENT}/user/${carol.userId}/account_data/io.parley.privacy`, content);
  const [atAlice, atBob, atCarol] = [client(alice), client(bob), client(carol)];
  await Promise.all([atAlice(), atBob(), atCarol()]);
  await decide({ delivery_receipts: false });
  const event = await send(alice);
  for (const sync of [atBob, atBob, atCarol, atCarol]) await sync();
  await written();
  assert.deepEqual(deliveredIn(await atAlice(), roomId), [[event, [bob.userId]]]);
  await decide({});
  const next = await send(alice);
  for (const sync of [atCarol, atCarol]) await sync();
  await written();
  assert.deepEqual(deliveredIn(await atAlice(), roomId), [[next, [carol.userId]]]);
});

test("a waiting sync of the sender is woken by a delivery, and those of others are not", async () => {
  const { roomId, send } = await roomOf(alice, bob, carol);
  const atBob = client(bob);
  const since = async (person: Person) => (await person.call("GET", `${CLIENT}/sync?timeout=0`)).next_batch as string;
  await atBob();
  await send(alice);
  const sinceAlice = await since(alice);
  const sinceCarol = await since(carol);
  const waiting = alice.call("GET", `${CLIENT}/sync?timeout=20000&since=${sinceAlice}&set_presence=offline`);
  let isCarolWoken = false;
  const ended = carol
    .call("GET", `${CLIENT}/sync?timeout=2500&since=${sinceCarol}&set_presence=offline`)
    .then((answer) => (isCarolWoken = answer.rooms?.join?.[roomId] !== undefined));
  await bob.call("GET", `${CLIENT}/sync?timeout=0&since=${(await atBob()).next_batch}&set_presence=offline`);
  assert.equal(deliveredIn(await waiting, roomId).length, 1);
  await ended;
  assert.equal(isCarolWoken, false);
});

test("many messages and acknowledgements make one entry, and a newer one takes the place of an older", async () => {
  const { roomId, send } = await roomOf(alice, bob);
  const atBob = client(bob);
  await atBob();
  for (let round = 0; round < 3; round++) {
    for (let n = 0; n < 10; n++) {
      await send(alice);
      await atBob();
    }
    await atBob();
    await written();
    assert.deepEqual(await entriesOf(roomId), [{ user: alice.userId, by: bob.userId }]);
  }
});

test("what was read is not told as delivered too", async () => {
  const { roomId, send, read } = await roomOf(alice, bob);
  const atBob = client(bob);
  await atBob();
  const event = await send(alice);
  await atBob();
  await read(bob, event);
  await atBob();
  await written();
  assert.deepEqual(await entriesOf(roomId), []);
});

test("a delivery is no reading: the sender's unread counts stay", async () => {
  const { roomId, send } = await roomOf(alice, bob);
  const [atAlice, atBob] = [client(alice), client(bob)];
  await Promise.all([atAlice(), atBob()]);
  await send(alice);
  await send(bob);
  await send(bob);
  await atBob();
  await atBob();
  await written();
  assert.equal((await entriesOf(roomId)).length, 1);
  for (const answer of [await atAlice(), await client(alice)()])
    assert.equal(answer.rooms.join[roomId].unread_notifications.notification_count, 2);
});

test("nobody is told of deliveries in a room with more members than the limit", async () => {
  const crowd = await Promise.all(
    Array.from({ length: limits.deliveryRoom_members - 1 }, (_, n) => registerPerson(server.url, `member${n}`)),
  );
  const { roomId, send } = await roomOf(alice, ...crowd);
  const someone = crowd[0] as Person;
  const [atSomeone, atBob] = [client(someone), client(bob)];
  await Promise.all([atSomeone(), atBob()]);
  await send(alice);
  for (let n = 0; n < 2; n++) await atSomeone();
  await written();
  assert.equal((await entriesOf(roomId)).length, 1);
  await bob.call("POST", `${CLIENT}/join/${encodeURIComponent(roomId)}`, {});
  await send(alice);
  for (let n = 0; n < 2; n++) await Promise.all([atSomeone(), atBob()]);
  await written();
  assert.deepEqual(await entriesOf(roomId), [{ user: alice.userId, by: someone.userId }]);
});

test("what stands before somebody's coming is not told as delivered to them", async () => {
  const { roomId, send } = await roomOf(alice);
  await send(alice);
  await bob.call("POST", `${CLIENT}/join/${encodeURIComponent(roomId)}`, {});
  const atBob = client(bob);
  for (let n = 0; n < 2; n++) await atBob();
  await written();
  assert.deepEqual(await entriesOf(roomId), []);
});

test("what could not be written while the database was away is written a moment later", async () => {
  const { roomId, send } = await roomOf(alice, bob);
  const atBob = client(bob);
  await atBob();
  await send(alice);
  await atBob();
  const planned: (() => void)[] = [];
  let isAway = true;
  const append: Context["log"]["append"] = (submission) =>
    isAway ? Promise.reject(matrixError("IO_PARLEY_UNAVAILABLE", "away")) : server.ctx.log.append(submission);
  // Another process, to which the device comes with its token.
  const ctx: Context = {
    ...server.ctx,
    log: Object.create(server.ctx.log, { append: { value: append } }) as Context["log"],
    seams: { ...server.ctx.seams, after: (_ms, action) => (planned.push(action), { cancel: () => {} }) },
  };
  const deliveries = deliveriesOf(ctx);
  deliveries.note({ id: 1, userId: bob.userId }, ctx.log.hub.head());
  planned.shift()?.();
  await deliveries.written();
  assert.deepEqual(await entriesOf(roomId), []);
  isAway = false;
  planned.shift()?.();
  await deliveries.written();
  assert.deepEqual(await entriesOf(roomId), [{ user: alice.userId, by: bob.userId }]);
});
