/** G5 and G6 where answers get lost and processes are replaced: a key is given once, a message to a device arrives once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { claimOne, deviceKeysOf, oneTimeKeysOf, V3 } from "../../../testkit/src/keys.ts";
import { seeded } from "../../../testkit/src/log/random.ts";
import { registerPerson, request, signInPerson } from "../../../testkit/src/http.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { openTcpProxy } from "../../../testkit/src/tcp-proxy.ts";

/** A way to the server on which answers can be lost. */
interface Door extends AsyncDisposable {
  port: number;
  /** Is told of each answer that is kept back; where it is not set, answers pass. */
  lose: (() => void) | undefined;
  cut(): void;
}

async function doorTo(server: TestServer): Promise<Door> {
  const answer = (chunk: Buffer) => {
    if (!door.lose) return chunk;
    door.lose();
    return Buffer.alloc(0);
  };
  const upstream = { port: Number(new URL(server.url).port) };
  const { port, cut, close } = await openTcpProxy(
    () => upstream,
    () => ({ request() {}, answer }),
  );
  const door: Door = { port, cut, lose: undefined, [Symbol.asyncDispose]: close };
  return door;
}

/** The answer, or undefined where it was lost: the server gave it, and the way was cut. */
async function orLost<T>(door: Door, isLost: boolean, act: () => Promise<T>): Promise<T | undefined> {
  if (!isLost) return act();
  const lost = new Promise<void>((resolve) => (door.lose = resolve));
  const acting = assert.rejects(act());
  await lost;
  door.cut();
  door.lose = undefined;
  await acting;
  return undefined;
}

test("G5: of 64 claimers whose answers get lost now and then, no two are given one key", async () => {
  await using server = await startTestServer({ config: { databaseConnections: 6 } });
  const KEYS = 200;
  const alice = await registerPerson(server.url, "alice");
  await alice.call("POST", `${V3}/keys/upload`, { one_time_keys: oneTimeKeysOf(alice, KEYS) });
  await registerPerson(server.url, "bob");
  const random = seeded(5);
  const given: string[] = [];
  let lost = 0;
  // Claims that share a way lose their answers together.
  const ways = Array.from({ length: 8 }, async () => {
    await using door = await doorTo(server);
    const bob = await signInPerson(`http://127.0.0.1:${door.port}`, "bob");
    for (let isOver = false; !isOver;) {
      const claims = () => Promise.all(Array.from({ length: 8 }, () => claimOne(bob, alice)));
      const isLost = random.chance(0.3);
      const answers = await orLost(door, isLost, claims);
      if (isLost) lost += 1;
      for (const answer of answers ?? []) if (answer) given.push(answer[0]);
      isOver = answers?.some((answer) => !answer) ?? false;
    }
  });
  await Promise.all(ways);
  assert.ok(lost > 0, "answers were lost");
  assert.equal(new Set(given).size, given.length, "a key was given twice");
  assert.ok(given.length > 0 && given.length <= KEYS);
});

/** What the device got, as one that asks again from its last token where no answer came. */
async function deliver(plant?: (server: TestServer) => Promise<unknown>): Promise<unknown[]> {
  let server = await startTestServer();
  const { databaseUrl } = server;
  const first = server;
  try {
    const alice = await registerPerson(server.url, "alice");
    const bob = await registerPerson(server.url, "bob");
    const { next_batch: since } = await bob.call("GET", `${V3}/sync?timeout=0`);
    const send = (n: number) =>
      request(server.url, "PUT", `${V3}/sendToDevice/m.dummy/t${n}`, {
        token: alice.token,
        body: { messages: { [bob.userId]: { [bob.deviceId]: { n } } } },
      });
    for (let n = 0; n < 20; n++) await send(n);
    await using door = await doorTo(server);
    const syncAt = async (url: string, from: unknown) =>
      (await request(url, "GET", `${V3}/sync?timeout=0&since=${String(from)}`, { token: bob.token })).body;
    await orLost(door, true, () => syncAt(`http://127.0.0.1:${door.port}`, since));
    await plant?.(server);
    await server.halt();
    server = await startTestServer({ databaseUrl });
    for (let n = 20; n < 25; n++) await send(n);
    const received: unknown[] = [];
    for (let from = since as unknown, isMore = true; isMore;) {
      const answer = await syncAt(server.url, from);
      const events = (answer.to_device?.events ?? []) as { content: { n: number } }[];
      received.push(...events.map(({ content }) => content.n));
      from = answer.next_batch;
      isMore = events.length > 0;
    }
    return received;
  } finally {
    await server.halt();
    await first.stop().catch(() => {});
  }
}

const all = Array.from({ length: 25 }, (_, n) => n);

test("G6: messages whose answer was lost arrive once, in order, also from a process that was not there", async () => {
  assert.deepEqual(await deliver(), all);
});

test("control of G6: where messages are deleted as they are handed out, the device misses them", async () => {
  const received = await deliver((server) =>
    server.ctx.db.log.query("delete from log.entries where kind = 'to_device'"),
  );
  assert.notDeepEqual(received, all);
});

/** Whose changed keys the person was told of, when the answer that told it was lost and another process is asked. */
async function changesTold(plant?: (server: TestServer) => Promise<unknown>): Promise<string[]> {
  const first = await startTestServer();
  let server = first;
  try {
    const alice = await registerPerson(server.url, "alice");
    const bob = await registerPerson(server.url, "bob");
    const encryption = { type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } };
    const wanted = { preset: "public_chat", initial_state: [encryption] };
    const { room_id: roomId } = await alice.call("POST", `${V3}/createRoom`, wanted);
    await bob.call("POST", `${V3}/join/${encodeURIComponent(roomId as string)}`, {});
    const { next_batch: since } = await bob.call("GET", `${V3}/sync?timeout=0`);
    const path = `${V3}/sync?timeout=0&since=${since as string}`;
    await alice.call("POST", `${V3}/keys/upload`, { device_keys: deviceKeysOf(alice) });
    await using door = await doorTo(server);
    await orLost(door, true, () => request(`http://127.0.0.1:${door.port}`, "GET", path, { token: bob.token }));
    await plant?.(server);
    await server.halt();
    server = await startTestServer({ databaseUrl: first.databaseUrl });
    const { body } = await request(server.url, "GET", path, { token: bob.token });
    return (body.device_lists?.changed ?? []) as string[];
  } finally {
    await server.halt();
    await first.stop().catch(() => {});
  }
}

test("G6: a change of keys is told again where the answer that told it was lost, also by a process that was not there", async () => {
  assert.deepEqual(
    (await changesTold()).map((userId) => userId.split(":")[0]),
    ["@alice"],
  );
});

test("control of G6: where changes of keys are deleted as they are handed out, people miss them", async () => {
  const told = await changesTold((server) =>
    server.ctx.db.log.query("delete from log.entries where kind = 'device_list'"),
  );
  assert.deepEqual(told, []);
});
