import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Person, registerPerson } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { limits } from "../limits.ts";
import { claimOne, deviceKeysOf, fallbackKeyOf, oneTimeKeysOf, query, SIGNED, V3 } from "../../../testkit/src/keys.ts";

const server = await startTestServer();
after(() => server.stop());
const PATH = "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device";
const bob = await registerPerson(server.url, "bob");

let people = 0;
const somebody = () => registerPerson(server.url, `person${++people}`);

function device({ userId }: Person, deviceId: string) {
  const named = { userId, deviceId };
  return {
    device_id: deviceId,
    initial_device_display_name: "Dehydrated device",
    device_data: { algorithm: "org.matrix.msc3814.v2", device_pickle: `pickle of ${deviceId}`, nonce: "n" },
    device_keys: { ...deviceKeysOf(named), dehydrated: true },
    one_time_keys: oneTimeKeysOf(named, 2),
    fallback_keys: fallbackKeyOf(named, "F"),
  };
}

let transactions = 0;
function send(target: Person, deviceId: string, content: object) {
  const messages = { [target.userId]: { [deviceId]: content } };
  return bob.call("PUT", `${V3}/sendToDevice/m.dummy/t${++transactions}`, { messages });
}

const NOT_FOUND = [404, "M_NOT_FOUND"];
async function errorOf(answer: ReturnType<Person["ask"]>) {
  const { status, body } = await answer;
  return [status, body.errcode];
}

/** All contents as a client of today reads them, page by page. */
async function rehydrate(person: Person, deviceId: string): Promise<unknown[]> {
  const contents: unknown[] = [];
  let from: string | undefined;
  do {
    const query = from === undefined ? "" : `?from=${from}`;
    const page = await person.call("GET", `${PATH}/${deviceId}/events${query}`);
    contents.push(...page.events.map((event: { content: unknown }) => event.content));
    from = page.next_batch;
  } while (from !== undefined);
  return contents;
}

test("a dehydrated device is stored and given again; there is none before", async () => {
  const alice = await somebody();
  assert.deepEqual(await errorOf(alice.ask("GET", PATH)), NOT_FOUND);
  const body = device(alice, "DEHYDRATED");
  assert.deepEqual(await alice.call("PUT", PATH, body), { device_id: "DEHYDRATED" });
  const { device_id, device_data } = body;
  assert.deepEqual(await alice.call("GET", PATH), { device_id, device_data });
});

test("others see it among the person's devices with its mark, and claim its keys", async () => {
  const alice = await somebody();
  const body = device(alice, "DEHYDRATED");
  await alice.call("PUT", PATH, body);
  const { device_keys } = await query(bob, [alice]);
  const unsigned = { device_display_name: "Dehydrated device" };
  assert.deepEqual(device_keys, { [alice.userId]: { DEHYDRATED: { ...body.device_keys, unsigned } } });
  const names = [];
  for (let i = 0; i < 3; i++) names.push((await claimOne(bob, { ...alice, deviceId: "DEHYDRATED" }))?.[0]);
  assert.deepEqual(
    names,
    ["K1", "K2", "F"].map((id) => `${SIGNED}:${id}`),
  );
});

test("it takes messages, which stay until it is gone, page by page in both forms of the request", async () => {
  const alice = await somebody();
  await alice.call("PUT", PATH, device(alice, "DEHYDRATED"));
  const count = limits.toDevicePerSync_messages + 3;
  for (let n = 0; n < count; n++) await send(alice, "*", { n });
  const expected = Array.from({ length: count }, (_, n) => ({ n }));
  for (let i = 0; i < 2; i++) assert.deepEqual(await rehydrate(alice, "DEHYDRATED"), expected);
  const contents: unknown[] = [];
  let body: object = {};
  for (;;) {
    const page = await alice.call("POST", `${PATH}/DEHYDRATED/events`, body);
    if (page.events.length === 0) break;
    contents.push(...page.events.map((event: { content: unknown }) => event.content));
    body = { next_batch: page.next_batch };
  }
  assert.deepEqual(contents, expected);
});

test("the next one takes its place, with other keys and without its messages", async () => {
  const alice = await somebody();
  await alice.call("PUT", PATH, device(alice, "FIRST"));
  await send(alice, "FIRST", { n: 1 });
  await alice.call("PUT", PATH, device(alice, "SECOND"));
  assert.equal((await alice.call("GET", PATH)).device_id, "SECOND");
  assert.deepEqual(Object.keys((await query(bob, [alice])).device_keys[alice.userId]), ["SECOND"]);
  assert.equal(await claimOne(bob, { ...alice, deviceId: "FIRST" }), undefined);
  assert.deepEqual(await errorOf(alice.ask("GET", `${PATH}/FIRST/events`)), NOT_FOUND);
  assert.deepEqual(await rehydrate(alice, "SECOND"), []);
  const sql = "select 1 from log.entries where kind = 'to_device' and device_id = 'FIRST'";
  assert.equal((await server.ctx.db.log.query(sql)).length, 0);
});

test("the same device uploaded again brings no claimed key back", async () => {
  const alice = await somebody();
  const body = device(alice, "DEHYDRATED");
  await alice.call("PUT", PATH, body);
  const claim = async () => (await claimOne(bob, { ...alice, deviceId: "DEHYDRATED" }))?.[0];
  assert.equal(await claim(), `${SIGNED}:K1`);
  await send(alice, "DEHYDRATED", { n: 1 });
  await alice.call("PUT", PATH, body);
  assert.equal(await claim(), `${SIGNED}:K2`);
  assert.deepEqual(await rehydrate(alice, "DEHYDRATED"), [{ n: 1 }]);
});

test("deleting it takes all of it away, and those who share a room are told", async () => {
  const alice = await somebody();
  await alice.call("PUT", PATH, device(alice, "DEHYDRATED"));
  await send(alice, "DEHYDRATED", { n: 1 });
  const told = async () => {
    const sql = "select 1 from log.entries where kind = 'device_list' and user_id = $1";
    return (await server.ctx.db.log.query(sql, [alice.userId])).length;
  };
  const before = await told();
  assert.deepEqual(await alice.call("DELETE", PATH), { device_id: "DEHYDRATED" });
  assert.equal(await told(), before + 1);
  assert.deepEqual((await query(bob, [alice])).device_keys, { [alice.userId]: {} });
  assert.deepEqual(await errorOf(alice.ask("DELETE", PATH)), NOT_FOUND);
});

test("a device that is not dehydrated, or somebody else's, can not be read or replaced this way", async () => {
  const alice = await somebody();
  await alice.call("PUT", PATH, device(alice, "DEHYDRATED"));
  for (const [person, deviceId] of [
    [alice, alice.deviceId],
    [bob, "DEHYDRATED"],
  ] as const)
    assert.deepEqual(await errorOf(person.ask("GET", `${PATH}/${deviceId}/events`)), NOT_FOUND);
  const own = device(alice, alice.deviceId);
  assert.deepEqual(await errorOf(alice.ask("PUT", PATH, own)), [400, "M_INVALID_PARAM"]);
  const other = { ...device(alice, "DEHYDRATED"), device_keys: device(alice, "OTHER").device_keys };
  assert.deepEqual(await errorOf(alice.ask("PUT", PATH, other)), [400, "M_BAD_JSON"]);
});

test("device data is bounded", async () => {
  const alice = await somebody();
  const body = { ...device(alice, "D"), device_data: { pickle: "x".repeat(limits.dehydratedDevice_bytes) } };
  assert.deepEqual(await errorOf(alice.ask("PUT", PATH, body)), [413, "M_TOO_LARGE"]);
});
