import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Person, registerPerson, signInPerson } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { limits } from "../limits.ts";
import { V3 } from "../../../testkit/src/keys.ts";

const server = await startTestServer();
const second = await startTestServer({ databaseUrl: server.databaseUrl });
after(async () => {
  await second.stop();
  await server.stop();
});
const alice = await registerPerson(server.url, "alice");
const bob = await registerPerson(server.url, "bob", { device_id: "ONE" });
const bobsOther = await signInPerson(server.url, "bob", { device_id: "TWO" });

let transactions = 0;
const path = (txnId = `t${++transactions}`) => `${V3}/sendToDevice/m.dummy/${txnId}`;
const send = (messages: object, txnId?: string) => alice.call("PUT", path(txnId), { messages });

/** The contents of what a device's next sync brings, and the token that says that it came. */
async function receive(device: Person, since?: string): Promise<{ contents: unknown[]; token: string }> {
  const query = since === undefined ? "" : `&since=${since}`;
  const { to_device, next_batch } = await device.call("GET", `${V3}/sync?timeout=0${query}`);
  const events = (to_device?.events ?? []) as { sender: string; type: string; content: unknown }[];
  for (const { sender, type } of events) assert.deepEqual([sender, type], [alice.userId, "m.dummy"]);
  return { contents: events.map(({ content }) => content), token: next_batch };
}

/** Takes what waits for the devices away, and gives their tokens. */
const upToNow = (devices: readonly Person[]) => Promise.all(devices.map(async (each) => (await receive(each)).token));

test("a message is received by the device that it names, in the order of sending, until its token says that it came", async () => {
  const [token] = await upToNow([bob]);
  for (const n of [1, 2, 3]) await send({ [bob.userId]: { ONE: { n } } });
  const first = await receive(bob, token);
  assert.deepEqual(first.contents, [{ n: 1 }, { n: 2 }, { n: 3 }]);
  assert.deepEqual((await receive(bob, token)).contents, first.contents);
  assert.deepEqual((await receive(bob, first.token)).contents, []);
});

test("`*` is every device of the person, but those that are named get what is for them alone", async () => {
  const [one, two] = await upToNow([bob, bobsOther]);
  await send({ [bob.userId]: { "*": { to: "all" } } });
  await send({ [bob.userId]: { "*": { to: "the others" }, TWO: { to: "two" } } });
  assert.deepEqual((await receive(bob, one)).contents, [{ to: "all" }, { to: "the others" }]);
  assert.deepEqual((await receive(bobsOther, two)).contents, [{ to: "all" }, { to: "two" }]);
});

test("G2: a request that is sent again, also to another replica, brings each message once", async () => {
  const [token] = await upToNow([bob]);
  const messages = { [bob.userId]: { ONE: { once: true } } };
  await send(messages, "again");
  await send(messages, "again");
  const url = `${second.url}${path("again")}`;
  const headers = { authorization: `Bearer ${alice.token}` };
  const retry = await fetch(url, { method: "PUT", headers, body: JSON.stringify({ messages }) });
  assert.deepEqual([retry.status, await retry.json()], [200, {}]);
  assert.deepEqual((await receive(bob, token)).contents, [{ once: true }]);
});

test("the same transaction id for another type of message is another request", async () => {
  const messages = { [alice.userId]: { "*": {} } };
  await send(messages, "shared");
  await alice.call("PUT", `${V3}/sendToDevice/m.other/shared`, { messages });
  const sql = "select 1 from log.entries where kind = 'to_device' and type = 'm.other'";
  assert.equal((await server.ctx.db.log.query(sql)).length, 1);
});

test("what is sent to a device or a person that nobody knows is dropped", async () => {
  const [token] = await upToNow([bob]);
  const messages = { [bob.userId]: { GONE: { n: 1 }, ONE: { n: 2 } }, "@nobody:localhost": { "*": { n: 3 } } };
  assert.deepEqual(await send(messages), {});
  assert.deepEqual((await receive(bob, token)).contents, [{ n: 2 }]);
  const sql =
    "select 1 from log.entries where kind = 'to_device' and (device_id = 'GONE' or user_id = '@nobody:localhost')";
  assert.equal((await server.ctx.db.log.query(sql)).length, 0);
});

test("messages that wait for a device go when its session ends", async () => {
  const carol = await registerPerson(server.url, "carol");
  const other = await signInPerson(server.url, "carol", { device_id: "OTHER" });
  await send({ [carol.userId]: { "*": { n: 1 } } });
  await other.call("POST", `${V3}/logout`, {});
  const sql = `select device_id as "deviceId" from log.entries where kind = 'to_device' and user_id = $1`;
  assert.deepEqual(await server.ctx.db.log.query(sql, [carol.userId]), [{ deviceId: carol.deviceId }]);
});

test("a sync takes a bounded number of messages, and the next one goes on behind them", async () => {
  const [token] = await upToNow([bob]);
  const count = limits.toDevicePerSync_messages + 5;
  await Promise.all(Array.from({ length: count }, (_, n) => send({ [bob.userId]: { ONE: { n } } })));
  const first = await receive(bob, token);
  const rest = await receive(bob, first.token);
  assert.deepEqual([first.contents.length, rest.contents.length], [limits.toDevicePerSync_messages, 5]);
  const all = [...first.contents, ...rest.contents] as { n: number }[];
  assert.equal(new Set(all.map(({ n }) => n)).size, count);
});

test("messages that are too large or too many are refused, and so is what is not a message", async () => {
  const errcode = async (messages: unknown) => (await alice.ask("PUT", path(), { messages })).body.errcode as string;
  const large = { text: "x".repeat(limits.toDeviceMessage_bytes) };
  assert.equal(await errcode({ [bob.userId]: { ONE: large } }), "M_TOO_LARGE");
  const people = Array.from({ length: limits.toDevice_messages / 2 + 1 }, (_, i) => `@many${i}:localhost`);
  await server.ctx.db.auth.query(
    `with a as (insert into auth.accounts (user_id) select unnest($1::text[]) returning user_id)
     insert into auth.sessions (user_id, device_id) select user_id, d from a, unnest(array['A', 'B']) d`,
    [people],
  );
  assert.equal(await errcode(Object.fromEntries(people.map((userId) => [userId, { "*": {} }]))), "M_TOO_LARGE");
  assert.equal(await errcode({ [bob.userId]: { ONE: "text" } }), "M_BAD_JSON");
  assert.equal(await errcode(undefined), "M_MISSING_PARAM");
});
