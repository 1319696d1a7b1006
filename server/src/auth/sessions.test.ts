import assert from "node:assert/strict";
import { after, test } from "node:test";
import { registerPerson, signInPerson } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import type { Db } from "../db/database.ts";
import type { MatrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { placed } from "../log/entry.ts";
import type { Hub } from "../log/hub.ts";
import { realSeams, type Seams } from "../seams.ts";
import { openSessions } from "./sessions.ts";

const WHOAMI = "/_matrix/client/v3/account/whoami";
const roles = ["auth"] as const;

/** A monotonic clock that goes on when the test says so, beside a real one for all else. */
function movableClock(): { seams: Seams; move(by_ms: number): void } {
  let ahead_ms = 0;
  const seams = { ...realSeams, monotonic_ms: () => realSeams.monotonic_ms() + ahead_ms };
  return { seams, move: (by_ms) => (ahead_ms += by_ms) };
}

const clock = movableClock();
const server = await startTestServer({ config: { roles }, seams: clock.seams });
const replica = await startTestServer({ config: { roles }, databaseUrl: server.databaseUrl });
after(async () => {
  await replica.stop();
  await server.stop();
});

function refusal(promise: Promise<unknown>): Promise<MatrixError> {
  return promise.then(
    () => assert.fail("it was accepted"),
    (error: unknown) => error as MatrixError,
  );
}

test("a token that was never given out is M_UNKNOWN_TOKEN, and none at all is M_MISSING_TOKEN", async () => {
  const alice = await registerPerson(server.url, "unknown");
  const { status, body } = await alice.ask("GET", `${WHOAMI}?access_token=made_up`);
  assert.equal(status, 200, "the header counts before the query");
  assert.equal(body.user_id, alice.userId);
  const error = await refusal(server.ctx.authenticate("made up"));
  assert.deepEqual([error.errcode, error.status, error.fields], ["M_UNKNOWN_TOKEN", 401, {}]);
  const none = await fetch(server.url + WHOAMI);
  assert.deepEqual([none.status, ((await none.json()) as { errcode: string }).errcode], [401, "M_MISSING_TOKEN"]);
});

test("the database never holds a token itself", async () => {
  const alice = await registerPerson(server.url, "hashed");
  const rows = await server.ctx.db.auth.query("select t::text as text from auth.tokens t");
  assert.ok(rows.length > 0);
  assert.ok(!JSON.stringify(rows).includes(alice.token));
});

test("a known token is answered from memory, until its time there is over", async () => {
  const alice = await registerPerson(server.url, "cached");
  const { id } = await server.ctx.authenticate(alice.token);
  // A change behind the log's back is what only the end of the memory can show.
  await server.ctx.db.auth.change("delete from auth.sessions where session_id = $1", [id]);
  assert.equal((await server.ctx.authenticate(alice.token)).id, id);
  clock.move(limits.sessionCache_ms + 1);
  assert.equal((await refusal(server.ctx.authenticate(alice.token))).errcode, "M_UNKNOWN_TOKEN");
});

test("who signs out on one replica is signed out on the others too", async () => {
  const alice = await registerPerson(server.url, "everywhere");
  await replica.ctx.authenticate(alice.token);
  await alice.call("POST", "/_matrix/client/v3/logout");
  assert.equal((await alice.ask("GET", WHOAMI)).status, 401);
  const head = (await server.ctx.db.log.one<{ position: number }>("select position from log.head"))?.position ?? 0;
  await replica.ctx.log.reached(head);
  const error = await refusal(replica.ctx.authenticate(alice.token));
  assert.deepEqual([error.errcode, error.fields], ["M_UNKNOWN_TOKEN", {}]);
});

test("logout ends one session, logout/all every one", async () => {
  const phone = await registerPerson(server.url, "several");
  const laptop = await signInPerson(server.url, "several");
  const tablet = await signInPerson(server.url, "several");
  await tablet.call("POST", "/_matrix/client/v3/logout");
  assert.deepEqual([(await phone.ask("GET", WHOAMI)).status, (await laptop.ask("GET", WHOAMI)).status], [200, 200]);
  await phone.call("POST", "/_matrix/client/v3/logout/all");
  assert.deepEqual([(await phone.ask("GET", WHOAMI)).status, (await laptop.ask("GET", WHOAMI)).status], [401, 401]);
});

test("a device that comes back under its old id is a new session, so its transaction ids are new too", async () => {
  const first = await registerPerson(server.url, "again", { device_id: "PHONE" });
  const { id } = await server.ctx.authenticate(first.token);
  await first.call("POST", "/_matrix/client/v3/logout");
  const second = await signInPerson(server.url, "again", { device_id: "PHONE" });
  assert.notEqual((await server.ctx.authenticate(second.token)).id, id);
});

test("the end of a session stands in the log with its id, and the device list as changed", async () => {
  const alice = await registerPerson(server.url, "logged");
  const { id } = await server.ctx.authenticate(alice.token);
  await alice.call("POST", "/_matrix/client/v3/logout");
  const entries = await server.ctx.db.log.query(
    "select kind, device_id, type, body::json from log.entries where user_id = $1 order by position",
    [alice.userId],
  );
  assert.deepEqual(entries, [
    { kind: "session", device_id: alice.deviceId, type: "ended", body: { sessions: [id] } },
    { kind: "device_list", device_id: null, type: "changed", body: {} },
  ]);
});

test("a session that ends while it is being read does not stay in memory", async () => {
  let listener: Parameters<Hub["listen"]>[0] = () => {};
  const reads: ((rows: object[]) => void)[] = [];
  const query = (_sql: string, [keys]: [string[]]) =>
    new Promise((resolve) => reads.push((rows) => resolve(rows.map((row) => ({ ...row, key: keys[0] })))));
  const db = { query } as unknown as Db;
  const begun = async (count: number) => {
    // Without a turn of the loop in between, so that nothing else comes before what follows.
    for (let turns = 0; reads.length < count; turns++)
      await Promise.resolve(assert.ok(turns < 1_000, `the session is not read ${count} times`));
  };
  const hub = {
    listen: (each: typeof listener) => (listener = each),
    heard_ms: () => realSeams.monotonic_ms(),
  } as unknown as Hub;
  const log = { one: () => Promise.resolve({ position: 3, epoch: 1 }) } as unknown as Db;
  const signingKeys = { find: () => Promise.resolve(undefined) };
  const sessions = openSessions({ db, log, hub, seams: realSeams, signingKeys });
  const row = { id: 7, userId: "@alice:localhost", deviceId: "PHONE", isAdmin: false, state: "used", left_ms: null };

  const early = sessions.authenticate("token");
  await begun(1);
  listener([placed({ kind: "session", type: "ended", body: '{"sessions":[7]}' }, 1)], "offered");
  const late = sessions.authenticate("token");
  reads[0]?.([row]);
  assert.equal((await early).id, 7);
  // Who asks after the end is not answered by the read before it.
  await begun(2);
  reads[1]?.([]);
  await assert.rejects(late, { errcode: "M_UNKNOWN_TOKEN" });
  const third = sessions.authenticate("token");
  await begun(3);
  reads[2]?.([]);
  await assert.rejects(third, { errcode: "M_UNKNOWN_TOKEN" });
  await sessions.close();
});
