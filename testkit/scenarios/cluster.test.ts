// Separate processes behind gateways: what is killed, paused or restarted among them must not be noticed.

import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { test } from "node:test";
import { type Cluster, type Member, startCluster } from "../src/cluster.ts";
import { startFollowing } from "../src/following.ts";
import { type Person, registerPerson, request } from "../src/http.ts";
import { doubled, lost, reordered } from "../src/log/check.ts";
import { seeded, seedOfRun } from "../src/log/random.ts";
import { createRoom, type TestRoom } from "../src/room.ts";
import { readMessages, startWriting } from "../src/writers.ts";

const CLIENT = "/_matrix/client/v3";

type Meeting = { alice: Person; bob: Person; room: TestRoom };

/** Alice at one gateway and Bob at the other, in one room. */
async function meet({ gateways }: Cluster): Promise<Meeting> {
  const [first, second] = gateways as [Member, Member];
  const alice = await registerPerson(first.url, "alice");
  const bob = await registerPerson(second.url, "bob");
  const room = await createRoom(alice);
  await room.change(bob, "join");
  return { alice, bob, room };
}

/** The ways in which a process goes, each with its coming back. */
const faults: Record<string, (member: Member) => Promise<void>> = {
  async kill(member) {
    await member.kill();
    await member.start();
  },
  async pause(member) {
    member.pause();
    await wait(500);
    member.resume();
  },
  async restart(member) {
    await member.stop();
    await member.start();
  },
};

test("G1 to G4: two people at different gateways write to each other while processes are killed, and neither notices", async (t) => {
  const seed = seedOfRun();
  t.diagnostic(`PARLEY_TEST_SEED=${seed}`);
  const random = seeded(seed);
  await using cluster = await startCluster({
    processes: { gateway: 2, messages: 2, presence: 1, "auth,keys": 1, "media,web,worker": 1 },
  });
  const { alice, bob, room } = await meet(cluster);
  const [first, second] = cluster.gateways as [Member, Member];
  await using aliceHears = await startFollowing(alice, { roomId: room.id, url: () => first.url });
  await using bobHears = await startFollowing(bob, { roomId: room.id, url: () => second.url });
  const writers = [alice, bob].map((person) => ({ person, roomId: room.id }));
  // A client whose send failed tries again through whatever gateway its balancer finds.
  using writing = startWriting(writers, () => random.pick(cluster.gateways).url, random.next);
  const hit = [...cluster.of("messages"), ...cluster.gateways, ...cluster.of("presence"), ...cluster.of("auth")];
  for (const member of hit) {
    await writing.acknowledged(10 + random.below(20));
    const fault = random.pick(Object.keys(faults));
    t.diagnostic(`${fault} ${member.name}`);
    await faults[fault]?.(member);
  }
  await writing.acknowledged(20);
  await writing.finish();

  const found = await readMessages(first.url, { person: alice, roomId: room.id });
  const copies = Map.groupBy(found, (message) => message.body);
  const attempts = new Map([...copies].map(([key, messages]) => [key, messages.map((each) => each.eventId)]));
  assert.deepEqual(lost(writing.sent, found), []);
  assert.deepEqual(doubled(writing.sent, attempts, found), []);
  assert.deepEqual(reordered(writing.sent, found), []);
  const order = found.map((message) => message.eventId);
  for (const hears of [aliceHears, bobHears]) {
    await hears.until(order);
    assert.deepEqual(hears.received, order);
  }
});

type Load = AsyncDisposable & { failures: string[]; count(): number };

/** Requests of every kind without a pause, at whatever gateway says that it is ready; each answer but 200 is a failure. */
function startLoad(cluster: Cluster, { alice, bob, room }: Meeting): Load {
  const failures: string[] = [];
  const stopping = new AbortController();
  let count = 0;
  const ready = watchReady(cluster, stopping.signal);
  const ask = async (person: Person, ...[method, path, body]: [string, string, object?]) => {
    const url = ready();
    const answer = await request(url, method, path, { token: person.token, ...(body ? { body } : {}) }).catch(
      (thrown: unknown) => ({ status: 0, body: (thrown as Error).cause ?? thrown }),
    );
    count += 1;
    if (answer.status !== 200)
      failures.push(`${method} ${path} at ${url}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const loops: ((number: number) => Promise<unknown>)[] = [
    (n) => ask(alice, "PUT", `${room.path}/send/m.room.message/a${n}`, { msgtype: "m.text", body: `a${n}` }),
    (n) => ask(alice, "PUT", `${room.path}/state/m.room.topic`, { topic: `a${n}` }),
    (n) => ask(alice, "POST", `${CLIENT}/keys/query`, { device_keys: { [bob.userId]: [] }, n }),
    () => ask(bob, "GET", `${room.path}/messages?dir=b&limit=5`),
    () => ask(alice, "PUT", `${room.path}/typing/${alice.userId}`, { typing: true, timeout: 10_000 }),
  ];
  const running = loops.map(async (step) => {
    for (let n = 0; !stopping.signal.aborted; n++) await step(n);
  });
  const sync = async () => {
    for (let since = ""; !stopping.signal.aborted;)
      since = (await ask(bob, "GET", `${CLIENT}/sync?timeout=5000${since && `&since=${since}`}`)).next_batch ?? since;
  };
  running.push(sync());
  return {
    failures,
    count: () => count,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

/** A balancer as small as can be: it asks the gateways whether they are ready, and hands out those that are in turn. */
function watchReady({ gateways }: Cluster, signal: AbortSignal): () => string {
  let ready = gateways.map(({ url }) => url);
  let turn = 0;
  const look = async () => {
    while (!signal.aborted) {
      const answers = await Promise.all(
        gateways.map(({ url }) =>
          fetch(`${url}/health/ready`).then(
            ({ ok }) => ok,
            () => false,
          ),
        ),
      );
      ready = gateways.map(({ url }) => url).filter((_, i) => answers[i]);
      await wait(100);
    }
  };
  void look();
  return () => ready[turn++ % ready.length] ?? "http://127.0.0.1:9";
}

test("G10: every process is restarted under load, one after the other, and no request fails", async () => {
  await using cluster = await startCluster({
    processes: { gateway: 2, "auth,keys,messages,presence,media,web,worker": 2 },
    drain_ms: 2_000,
  });
  const meeting = await meet(cluster);
  const load = startLoad(cluster, meeting);
  for (const member of cluster.members) {
    const before = load.count();
    const { code, stderr } = await member.stop();
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" }, member.name);
    await member.start();
    // The gateways look once a second.
    await wait(1_500);
    assert.ok(load.count() > before, "there was load");
  }
  await load[Symbol.asyncDispose]();
  assert.deepEqual(load.failures.slice(0, 10), []);
});
