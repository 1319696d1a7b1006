/** What operators set while Parley runs: what counts of it, and that every replica knows within 5 s without a restart. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { registerPerson, request, signInPerson } from "../../../testkit/src/http.ts";
import { createRoom } from "../../../testkit/src/room.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { openStream } from "../../../testkit/src/stream.ts";
import { waitFor } from "../../../testkit/src/wait.ts";
import { readConfig } from "../config.ts";
import { pathsOf, type Route } from "../http.ts";
import { domains } from "../server.ts";
import { changeControls, type Effective, effectiveOf } from "./controls.ts";
import { GOES_ON } from "./maintenance.ts";

const WITHIN_MS = 5_000;
const ground = (env: Record<string, string> = {}) => readConfig({ PARLEY_HOST: "0.0.0.0", ...env });

/** Resolves when the server goes by it; throws where that takes longer than it may. */
async function counts({ ctx }: TestServer, check: (now: Effective) => boolean): Promise<void> {
  const begun_ms = performance.now();
  const { listen, now } = ctx.controls;
  await waitFor({ what: "the change counts", check: () => check(now()), listen });
  assert.ok(performance.now() - begun_ms < WITHIN_MS);
}

test("an operator may open what no environment variable closes", () => {
  assert.equal(effectiveOf({}, ground()).registration, "token");
  assert.equal(effectiveOf({ registration: "open" }, ground()).registration, "open");
  assert.equal(effectiveOf({ registration: "off" }, ground()).registration, "off");
});

test("an environment variable that is set is the limit: operators may be stricter, never laxer", () => {
  const token = ground({ PARLEY_REGISTRATION: "token", PARLEY_ACCESS_TOKEN_LIFETIME_S: "600" });
  assert.equal(effectiveOf({ registration: "open" }, token).registration, "token");
  assert.equal(effectiveOf({ registration: "off" }, token).registration, "off");
  assert.equal(effectiveOf({ access_token_lifetime_s: 3_600 }, token).access_token_lifetime_s, 600);
  assert.equal(effectiveOf({ access_token_lifetime_s: 60 }, token).access_token_lifetime_s, 60);
});

suite("two replicas on one database", () => {
  test("a change on one counts on the other within 5 s, and is taken back as fast", async () => {
    await using here = await startTestServer();
    await using there = await startTestServer({ databaseUrl: here.databaseUrl });
    const flows = async () => {
      const { body } = await request(there.url, "POST", "/_matrix/client/v3/register", { body: { username: "zoe" } });
      return body.flows?.length;
    };
    assert.equal(await flows(), 2, "open: without a token, or with one");
    await changeControls(here.ctx, { registration: "token", password_least_characters: 20 }, "@ada:localhost");
    assert.equal(here.ctx.controls.now().registration, "token", "here at once");
    await counts(there, (now) => now.registration === "token");
    assert.equal(await flows(), 1);
    const short = { username: "zoe", password: "a".repeat(19), auth: { type: "m.login.dummy" } };
    const refused = await request(there.url, "POST", "/_matrix/client/v3/register", { body: short });
    assert.equal(refused.body.errcode, "M_WEAK_PASSWORD");
    await changeControls(here.ctx, { registration: undefined, password_least_characters: undefined }, "@ada:localhost");
    await counts(there, (now) => now.registration === "open");
    assert.equal(await flows(), 2);
  });

  test("the lifetime of access tokens is that of the moment they are made", async () => {
    await using server = await startTestServer();
    await registerPerson(server.url, "ana");
    await changeControls(server.ctx, { access_token_lifetime_s: 61 }, "@ada:localhost");
    const identifier = { type: "m.id.user", user: "ana" };
    const body = { type: "m.login.password", identifier, password: "password of ana", refresh_token: true };
    const first = await request(server.url, "POST", "/_matrix/client/v3/login", { body });
    assert.equal(first.body.expires_in_ms, 61_000);
    await changeControls(server.ctx, { access_token_lifetime_s: 62 }, "@ada:localhost");
    const { refresh_token } = first.body;
    const next = await request(server.url, "POST", "/_matrix/client/v3/refresh", { body: { refresh_token } });
    assert.equal(next.body.expires_in_ms, 62_000);
  });

  test("in maintenance writes are refused everywhere with the operator's sentence, and sync goes on", async () => {
    await using here = await startTestServer();
    await using there = await startTestServer({ databaseUrl: here.databaseUrl });
    const ana = await registerPerson(there.url, "ana", { refresh_token: true });
    const room = await createRoom(ana);
    const { next_batch } = await ana.call("GET", "/_matrix/client/v3/sync");
    using stream = await openStream(there.url, { token: ana.token });
    const message = "We move to a larger disk until 10:00.";
    const maintenance = { message, since_ms: 1, retry_after_s: 30 };
    const send = () => ana.ask("PUT", `${room.path}/send/m.room.message/t`, { msgtype: "m.text", body: "a" });
    await changeControls(here.ctx, { maintenance }, "@ada:localhost");
    await counts(there, (now) => now.maintenance !== null);

    const { body, headers } = await send();
    assert.deepEqual(body, { errcode: "IO_PARLEY_MAINTENANCE", error: message, since_ms: 1, retry_after_ms: 30_000 });
    assert.equal(headers.get("retry-after"), "30");
    const content = { msgtype: "m.text", body: "b" };
    stream.send({ type: "send", id: 1, room_id: room.id, event_type: "m.room.message", txn_id: "s", content });
    const answer = await stream.until((frame) => frame.id === 1);
    assert.deepEqual([answer.type, answer.status, answer.errcode], ["refused", 503, "IO_PARLEY_MAINTENANCE"]);
    await assert.rejects(signInPerson(there.url, "ana"), /503/);
    assert.equal((await ana.ask("GET", `/_matrix/client/v3/sync?since=${next_batch}`)).status, 200);
    assert.equal((await ana.ask("POST", "/_matrix/client/v3/keys/query", { device_keys: {} })).status, 200);
    const refreshed = { body: { refresh_token: ana.refreshToken } };
    assert.equal((await request(there.url, "POST", "/_matrix/client/v3/refresh", refreshed)).status, 200);

    await changeControls(here.ctx, { maintenance: undefined }, "@ada:localhost");
    await counts(there, (now) => now.maintenance === null);
    assert.equal((await send()).status, 200);
  });
});

test("what goes on in maintenance is a path that is there", async () => {
  const loaded = await Promise.all(Object.values(domains).map(async (load) => (await load()).routes));
  const paths = new Set((loaded as Route[][]).flat().flatMap(pathsOf));
  assert.deepEqual(
    [...GOES_ON].filter((path) => !paths.has(path)),
    [],
  );
});
