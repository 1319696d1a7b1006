/** History is read on a replica that has replayed enough, on a real standby that is paused, killed and let go again. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Json, type Person, registerPerson } from "../../../testkit/src/http.ts";
import { createPostgres, createStandby, type Postgres, until } from "../../../testkit/src/postgres.ts";
import { temporaryDirectory } from "../../../testkit/src/process.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { openTcpProxy } from "../../../testkit/src/tcp-proxy.ts";
import { soon } from "../../../testkit/src/wait.ts";
import { realSeams } from "../seams.ts";
import { migrate } from "./migrate.ts";
import { openReplicas } from "./replicas.ts";

const directory = temporaryDirectory();
let primary: Postgres;
let standby: Postgres;
let server: TestServer;
let alice: Person;
let room: string;

before(async () => {
  primary = await createPostgres(join(directory.path, "a"));
  await migrate(primary.url);
  standby = await createStandby(primary, { directory: join(directory.path, "b"), name: "b" });
  server = await startTestServer({ databaseUrl: primary.url, config: { databaseReplicaUrls: [standby.url] } });
  alice = await registerPerson(server.url, "alice");
  room = (await alice.call("POST", "/_matrix/client/v3/createRoom", {})).room_id as string;
});

after(async () => {
  await server.halt();
  await standby.crash();
  await primary.crash();
  directory[Symbol.dispose]();
});

async function say(text: string): Promise<string> {
  const path = `/_matrix/client/v3/rooms/${room}/send/m.room.message/${text}`;
  return (await alice.call("PUT", path, { msgtype: "m.text", body: text })).event_id as string;
}

/** The newest message, by /messages, and how many statements the replica and the primary answered for it. */
async function newest(): Promise<{ eventId: string; replica: number; primary: number }> {
  const before = await reads();
  const page = await alice.call("GET", `/_matrix/client/v3/rooms/${room}/messages?dir=b&limit=1`);
  const then = await reads();
  return {
    eventId: page.chunk[0].event_id as string,
    replica: then.replica - before.replica,
    primary: then.primary - before.primary,
  };
}

async function reads(): Promise<{ replica: number; primary: number }> {
  const { values } = await server.ctx.metrics.historyReads.get();
  const of = (from: string) => values.find(({ labels }) => labels.from === from)?.value ?? 0;
  return { replica: of("replica"), primary: of("primary") };
}

const [replicaIsThere, replicaIsBehind] = [true, false].map(
  (wanted) => () =>
    until(`a replica that is ${wanted ? "as far" : "away or behind"}`, async () => {
      const [position = -1] = server.ctx.replicas.positions();
      return position >= server.ctx.log.hub.head() === wanted;
    }),
) as [() => Promise<void>, () => Promise<void>];

test("history is read on the replica, once it has replayed what the reader may know of", async () => {
  const eventId = await say("one");
  await replicaIsThere();
  const read = await newest();
  assert.equal(read.eventId, eventId);
  assert.equal(read.primary, 0);
  assert.ok(read.replica > 0);
});

test("a replica that is behind is not asked, and is asked again when it has caught up", async () => {
  await standby.query("select pg_wal_replay_pause()");
  const eventId = await say("two");
  const behind = await newest();
  assert.deepEqual([behind.eventId, behind.replica], [eventId, 0]);
  await standby.query("select pg_wal_replay_resume()");
  await replicaIsThere();
  assert.equal((await newest()).primary, 0);
});

test("control: who does not say how far the replica must be reads the past there", async () => {
  await standby.query("select pg_wal_replay_pause()");
  const eventId = await say("three");
  const find = (position: number) =>
    server.ctx.replicas.at(position).one("select 1 from log.entries where event_id = $1", [eventId]);
  assert.equal(await find(0), undefined);
  assert.notEqual(await find(server.ctx.log.hub.head()), undefined);
  await standby.query("select pg_wal_replay_resume()");
});

test("what was redacted meanwhile is not read as it was on a replica that is behind", async () => {
  const [before, eventId] = [await say("before"), await say("secret")];
  await replicaIsThere();
  await standby.query("select pg_wal_replay_pause()");
  await alice.call("PUT", `/_matrix/client/v3/rooms/${room}/redact/${eventId}/r1`, {});
  const event = await alice.call("GET", `/_matrix/client/v3/rooms/${room}/event/${eventId}`);
  const context = await alice.call("GET", `/_matrix/client/v3/rooms/${room}/context/${before}?limit=10`);
  await standby.query("select pg_wal_replay_resume()");
  const beside = context.events_after.find(({ event_id }: Json) => event_id === eventId);
  assert.deepEqual([event.content, beside.content], [{}, {}]);
});

/** Replicas on a way that can be cut, which are looked at once and then no more. */
async function lookOnce(epoch: () => number) {
  const proxy = await openTcpProxy(() => ({ path: standby.socket }));
  const looked = Promise.withResolvers<void>();
  const reads: string[] = [];
  const replicas = openReplicas({
    urls: [`postgres://parley@127.0.0.1:${proxy.port}/postgres`],
    connections: 1,
    primary: server.ctx.db.log,
    // Asked when the answer of the look is there.
    epoch: () => (setImmediate(looked.resolve), epoch()),
    seams: { ...realSeams, every: () => ({ cancel: () => {} }) },
    onError: () => {},
    onRead: (from) => reads.push(from),
  });
  await soon("the replicas are looked at", looked.promise);
  const close = async () => {
    await proxy.close();
    await replicas.close();
  };
  return { proxy, replicas, reads, [Symbol.asyncDispose]: close };
}

test("a read that breaks on the replica is answered by the primary, and the next ones do not go there", async () => {
  await using world = await lookOnce(() => server.ctx.log.epoch);
  const { proxy, replicas, reads } = world;
  assert.ok((replicas.positions()[0] ?? -1) >= 0);
  proxy.behave("refuse");
  for (let i = 0; i < 2; i++) assert.deepEqual(await replicas.at(0).query("select 1 as n"), [{ n: 1 }]);
  assert.deepEqual([reads, replicas.positions()], [["primary", "primary"], [-1]]);
});

test("a replica of another history serves nobody, however far it is", async () => {
  await using world = await lookOnce(() => server.ctx.log.epoch + 1);
  assert.deepEqual(world.replicas.positions(), [-1]);
});

test("a token from another process, which is ahead of this one, is not read on a replica that is behind it", async () => {
  await replicaIsThere();
  const ahead = server.ctx.log.hub.head() + 1_000;
  const before = await reads();
  const from = `s${server.ctx.log.epoch}_${ahead}`;
  await alice.call("GET", `/_matrix/client/v3/rooms/${room}/messages?dir=b&from=${from}&limit=1`);
  assert.equal((await reads()).replica, before.replica);
});

test("reads go on while the replica is killed, and go back to it when it has started again", async () => {
  const eventId = await say("four");
  await replicaIsThere();
  await standby.crash();
  assert.equal((await newest()).eventId, eventId);
  await replicaIsBehind();
  assert.equal((await newest()).replica, 0);
  await standby.start();
  await replicaIsThere();
  assert.equal((await newest()).primary, 0);
});
