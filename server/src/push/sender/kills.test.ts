import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json, Person } from "../../../../testkit/src/http.ts";
import { diesIn } from "../../../../testkit/src/mortal.ts";
import { type PushGateway, startPushGateway } from "../../../../testkit/src/push-gateway.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";
import { people, roomOf, say } from "../../../../testkit/src/syncing.ts";
import type { Context } from "../../context.ts";
import { readAllowed } from "../../outward/guard.ts";
import { roleNames } from "../../roles.ts";
import { deliverAll } from "./deliver.ts";
import { followStretch } from "./follow.ts";
import { claimPushers } from "./queue.ts";
import { openWatchers } from "./watchers.ts";

const config = {
  push: { hosts: readAllowed("127.0.0.1"), vapidKey: undefined },
  roles: roleNames.filter((role) => role !== "worker"),
};

/** What a worker does until there is nothing left to do. */
async function work(ctx: Context, holder: string): Promise<void> {
  const watchers = openWatchers(ctx);
  const since = await watchers.refresh();
  if (since !== undefined) while ((await followStretch(ctx, holder, { watchers, since })) === "more");
  for (const pusher of await claimPushers(ctx, holder, 10)) await deliverAll(ctx, { ...pusher, holder });
}

/** The leases of a worker that died run out. */
async function passTime({ ctx }: TestServer): Promise<void> {
  await ctx.db.push.query("update push.progress set held_until = now() - interval '1 second'");
  await ctx.db.push.query(
    "update push.pushers set held_until = now() - interval '1 second' where held_until is not null",
  );
}

async function watch(person: Person, gateway: PushGateway): Promise<void> {
  await person.call("POST", "/_matrix/client/v3/pushers/set", {
    kind: "http",
    app_id: "org.example.app",
    pushkey: `key of ${person.userId}`,
    app_display_name: "App",
    device_display_name: "Phone",
    lang: "en",
    data: { url: gateway.url, format: "event_id_only" },
  });
}

test("a worker that dies at any step loses no push, and doubles at the most the one that it was sending", async () => {
  await using gateway = await startPushGateway();
  await using server = await startTestServer({ config });
  const { ctx } = server;
  const [alice, bob, carol] = (await people(server, "alice", "bob", "carol")) as [Person, Person, Person];
  const roomId = await roomOf(alice, bob, carol);
  await watch(bob, gateway);
  await watch(carol, gateway);
  let deaths = 0;
  for (const when of ["before", "after"] as const)
    for (let at = 1, died = true; died; at++) {
      gateway.taken.length = 0;
      const sent = [await say(alice, roomId, "one"), await say(alice, roomId, "two")];
      died = await diesIn(ctx, { at, when, of: ["push"] }, (mortal) => work(mortal, `dies ${when} ${at}`));
      if (died) deaths += 1;
      await passTime(server);
      await work(ctx, "lives");
      for (const person of [bob, carol]) {
        const key = `key of ${person.userId}`;
        const got = gateway.taken.filter(({ devices }) => devices[0].pushkey === key).map(({ event_id }) => event_id);
        assert.deepEqual([...new Set(got)], sent, `${when} ${at}: all of them, in order`);
      }
      assert.ok(gateway.taken.length <= 5, `${when} ${at}: ${gateway.taken.length} pushes of 4`);
      await passTime(server);
    }
  assert.ok(deaths > 12, `it died ${deaths} times`);
});

test("any number of workers send one pusher's queue once, and in order", async () => {
  await using gateway = await startPushGateway();
  await using server = await startTestServer({ config });
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomId = await roomOf(alice, bob);
  await watch(bob, gateway);
  const sent: string[] = [];
  for (let n = 0; n < 30; n++) sent.push(await say(alice, roomId, `${n}`));
  const others: Promise<void>[] = [];
  // Each of them comes while the first is sending.
  gateway.answer = () => {
    if (others.length < 4) others.push(work(server.ctx, `worker ${others.length}`));
    return undefined;
  };
  await work(server.ctx, "the first");
  await Promise.all(others);
  await passTime(server);
  await work(server.ctx, "whoever comes then");
  assert.deepEqual(
    gateway.taken.map(({ event_id }: Json) => event_id),
    sent,
  );
});

test("while nobody of a room has a pusher, its messages cost one statement for the whole stretch, and no look at the room", async () => {
  await using gateway = await startPushGateway();
  await using server = await startTestServer({ config });
  const [alice, bob, carol] = (await people(server, "alice", "bob", "carol")) as [Person, Person, Person];
  const roomId = await roomOf(alice, bob);
  await watch(carol, gateway);
  const { ctx } = server;
  for (let n = 0; n < 50; n++) await say(alice, roomId, `${n}`);
  const statements: string[] = [];
  const log = {
    ...ctx.db.log,
    query: (...args: [string, never[]]) => (statements.push(args[0]), ctx.db.log.query(...args)),
  };
  const rooms = { ...ctx.rooms, find: () => Promise.reject(new Error("the room was looked at")) };
  await work({ ...ctx, rooms, db: { ...ctx.db, log: log as typeof ctx.db.log } }, "worker");
  assert.equal(statements.length, 2, "the stretch, and who of its rooms has a pusher");
  const row = await ctx.db.push.one<{ position: number }>("select position from push.progress");
  assert.equal(row?.position, ctx.log.hub.head());
});
