import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json, Person } from "../../../testkit/src/http.ts";
import { diesIn } from "../../../testkit/src/mortal.ts";
import { makeAdministrator } from "../../../testkit/src/operators.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { createRoom, people, roomPath, say } from "../../../testkit/src/syncing.ts";
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { restAfter_ms } from "./worker.ts";
import { indexStretch, leaveLease, readProgress, startOver, takeLease } from "./project.ts";

/** Without a worker: the test does its turns. */
const ALONE = { config: { roles: ["auth", "messages", "gateway", "presence", "media", "web"] as never } };
const HOLDER = "the test";

async function index(ctx: Context, holder: string): Promise<void> {
  for (let isMore = true; isMore;) {
    const progress = await takeLease(ctx, holder);
    assert.ok(progress, "another has the lease");
    isMore = await indexStretch(ctx, holder, progress);
  }
  await leaveLease(ctx, holder);
}

const catchUp = ({ ctx }: TestServer) => index(ctx, HOLDER);

async function find(person: Person, search_term: string): Promise<string[]> {
  const body = { search_categories: { room_events: { search_term } } };
  const { search_categories } = await person.call("POST", "/_matrix/client/v3/search", body);
  return search_categories.room_events.results.map((each: Json) => each.result.event_id);
}

test("without a worker a search does not wait, and finds what is there", async () => {
  await using server = await startTestServer(ALONE);
  const [alice] = (await people(server, "alice")) as [Person];
  const room = await createRoom(alice);
  const first = await say(alice, room, "first marmalade");
  await catchUp(server);
  await say(alice, room, "second marmalade");
  assert.deepEqual(await find(alice, "marmalade"), [first]);
  await catchUp(server);
  assert.equal((await find(alice, "marmalade")).length, 2);
});

test("what the retention removes leaves the index", async () => {
  await using server = await startTestServer(ALONE);
  const [alice] = (await people(server, "alice")) as [Person];
  const room = await createRoom(alice);
  const [one, two] = [await say(alice, room, "old marmalade"), await say(alice, room, "new marmalade")];
  await catchUp(server);
  const at = await server.ctx.db.log.one<{ position: number }>("select position from log.entries where event_id = $1", [
    one,
  ]);
  const remove = "select log.remove_events($1, $2::bigint[], '{}', false)";
  await server.ctx.db.console.query(remove, [room, [at?.position]]);
  await catchUp(server);
  const left = await server.ctx.db.search.query<{ event_id: string }>("select event_id from search.events");
  assert.deepEqual(
    left.map(({ event_id }) => event_id),
    [two],
  );
});

test("a room with more messages than one statement takes away leaves the index whole", async (t) => {
  await using server = await startTestServer(ALONE);
  const [alice] = (await people(server, "alice")) as [Person];
  const [room, other] = [await createRoom(alice), await createRoom(alice)];
  for (const text of ["one", "two", "three"]) await say(alice, room, text);
  const left = await say(alice, other, "one more");
  await catchUp(server);
  t.mock.property(limits, "searchTakenAway_rows", 2 as never);
  await alice.call("PUT", `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/state/m.room.encryption`, {
    algorithm: "m.megolm.v1.aes-sha2",
  });
  await catchUp(server);
  const rows = await server.ctx.db.search.query("select event_id from search.events");
  assert.deepEqual(rows, [{ event_id: left }]);
});

test("an index that was not kept for so long that removals are forgotten is built anew", async () => {
  await using server = await startTestServer(ALONE);
  const [alice] = (await people(server, "alice")) as [Person];
  const event = await say(alice, await createRoom(alice), "marmalade");
  await catchUp(server);
  const { search } = server.ctx.db;
  await search.query("update search.events set event_id = '$gone', position = 1 where event_id = $1", [event]);
  await search.query("update search.progress set as_of = now() - interval '13 hours'");
  await say(alice, await createRoom(alice), "lemon");
  await catchUp(server);
  assert.deepEqual(await find(alice, "marmalade"), [event]);
  assert.equal((await search.query("select 1 from search.events where event_id = '$gone'")).length, 0);
});

test("a worker that was overtaken writes nothing, and the index comes to the same from any beginning", async () => {
  await using server = await startTestServer(ALONE);
  const admin = await makeAdministrator(server, "root");
  const [alice] = (await people(server, "alice")) as [Person];
  const room = await createRoom(alice);
  const event = await say(alice, room, "marmalade");
  const { ctx } = server;
  const before = await readProgress(ctx);
  await catchUp(server);
  const rows = () => ctx.db.search.query("select * from search.events order by position");
  const whole = await rows();
  await takeLease(ctx, "another");
  assert.equal(await takeLease(ctx, HOLDER), undefined, "the lease is another's");
  assert.equal(await indexStretch(ctx, HOLDER, before), false);
  assert.deepEqual(await rows(), whole);
  await leaveLease(ctx, "another");

  assert.deepEqual(await admin.call("POST", "/_parley/admin/v1/search/rebuild", {}), { rebuilding: true });
  assert.deepEqual(await find(alice, "marmalade"), []);
  const behind = await admin.call("GET", "/_parley/admin/v1/search/status");
  assert.deepEqual([behind.position, behind.as_of_ts, behind.is_stale], [0, null, true]);
  await catchUp(server);
  assert.deepEqual(await rows(), whole);
  assert.deepEqual(await find(alice, "marmalade"), [event]);
  assert.equal((await admin.call("GET", "/_parley/admin/v1/search/status")).behind, 0);
});

test("a worker that dies at any step leaves an index that the next one completes: what was sent is found, what is gone is not", async () => {
  await using server = await startTestServer(ALONE);
  const { ctx } = server;
  const [alice] = (await people(server, "alice")) as [Person];
  const room = await createRoom(alice);
  const rows = () => ctx.db.search.query<{ event_id: string }>("select * from search.events order by position");
  const kept: string[] = [];
  let gone = await say(alice, room, "marmalade");
  let deaths = 0;
  for (const when of ["before", "after"] as const)
    for (let at = 1, died = true; died; at++) {
      kept.push(await say(alice, room, "marmalade"));
      await alice.call("PUT", roomPath(room, `redact/${gone}/${when}${at}`), {});
      died = await diesIn(ctx, { at, when, of: ["search"] }, (mortal) => index(mortal, `dies ${when} ${at}`));
      if (died) deaths += 1;
      gone = await say(alice, room, "marmalade");
      await ctx.db.search.query("update search.progress set held_until = now() - interval '1 second'");
      await catchUp(server);
      const found = (await rows()).map(({ event_id }) => event_id);
      assert.deepEqual(found, [...kept, gone], `${when} ${at}`);
    }
  assert.ok(deaths >= 8, `it died ${deaths} times`);
  const after = await rows();
  await startOver(ctx);
  await catchUp(server);
  assert.deepEqual(after, await rows(), "it is what an index from the beginning of the log would be");
});

test("while very much is sent, the index takes a quarter of the time; otherwise it is kept at once", () => {
  assert.equal(restAfter_ms(1, 400), 50);
  assert.equal(restAfter_ms(1_000, 100), 300);
  assert.equal(restAfter_ms(1_000, 5), 50);
  assert.equal(restAfter_ms(1_000, 10_000), 1_000, "no longer, or searches wait in vain");
});
