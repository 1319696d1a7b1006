import assert from "node:assert/strict";
import { after, test } from "node:test";
import { request } from "../../../testkit/src/http.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { administratorLink } from "./administrator.ts";
import { tokenHash } from "./tokens.ts";

const server = await startTestServer({ config: { roles: ["auth"] } });
after(() => server.stop());

const REGISTER = "/_matrix/client/v3/register";
const AVAILABLE = "/_matrix/client/v3/register/available?username=";
const VALIDITY = "/_matrix/client/v1/register/m.login.registration_token/validity?token=";
const dummy = { type: "m.login.dummy" };

function register(body: object, at: TestServer = server) {
  return request(at.url, "POST", REGISTER, { body });
}

function available(name: string) {
  return request(server.url, "GET", AVAILABLE + encodeURIComponent(name));
}

function startWith(registration: "open" | "token" | "off"): Promise<TestServer> {
  return startTestServer({ config: { roles: ["auth"], registration } });
}

async function tokenOfLink(at: TestServer): Promise<string> {
  return new URL((await administratorLink(at.ctx)) ?? "no:link").searchParams.get("token") ?? "";
}

function withToken(username: string, token: string, at: TestServer) {
  return register({ username, password: "secret", auth: { type: "m.login.registration_token", token } }, at);
}

test("one request with m.login.dummy registers and signs in", async () => {
  const { status, body } = await register({ username: "alice", password: "secret", auth: dummy, device_id: "PHONE" });
  assert.equal(status, 200);
  assert.equal(body.user_id, "@alice:localhost");
  assert.equal(body.device_id, "PHONE");
  assert.equal(body.refresh_token, undefined);
  assert.equal((await server.ctx.authenticate(body.access_token)).userId, "@alice:localhost");
});

test("without auth the answer is the challenge, and its session finishes the registration", async () => {
  const wanted = { username: "staged", password: "secret" };
  const first = await register(wanted);
  assert.equal(first.status, 401);
  assert.deepEqual(first.body.flows[0], { stages: ["m.login.dummy"] });
  const second = await register({ ...wanted, auth: { ...dummy, session: first.body.session } });
  assert.equal(second.status, 200);
});

test("inhibit_login makes the account and no session", async () => {
  const { status, body } = await register({ username: "quiet", password: "secret", auth: dummy, inhibit_login: true });
  assert.equal(status, 200);
  assert.equal(body.access_token, undefined);
  assert.equal(body.device_id, undefined);
});

test("a client that can refresh gets a refresh token and is told when the access token ends", async () => {
  const { body } = await register({ username: "fresh", password: "secret", auth: dummy, refresh_token: true });
  assert.equal(typeof body.refresh_token, "string");
  assert.equal(body.expires_in_ms, 3_600_000);
});

test("a name outside the grammar is M_INVALID_USERNAME, and capitals are made small", async () => {
  for (const username of [
    "ä",
    "a b",
    "a:b",
    "",
    "_bridge",
    "@alice:localhost",
    "x".repeat(250),
    "x".repeat(300),
    "a\0b",
  ]) {
    const { status, body } = await register({ username, password: "secret", auth: dummy });
    assert.deepEqual([status, body.errcode], [400, "M_INVALID_USERNAME"], username);
    if (username === "" || username.includes("\0")) continue;
    const available = await request(server.url, "GET", `${AVAILABLE}${encodeURIComponent(username)}`);
    assert.deepEqual([available.status, available.body.errcode], [400, "M_INVALID_USERNAME"], username);
  }
  const { body } = await register({ username: "Big.Name", password: "secret", auth: dummy });
  assert.equal(body.user_id, "@big.name:localhost");
});

test("a name that is taken is M_USER_IN_USE, already before the stages", async () => {
  await register({ username: "taken", password: "secret", auth: dummy });
  const { status, body } = await register({ username: "Taken", password: "other" });
  assert.equal(status, 400);
  assert.equal(body.errcode, "M_USER_IN_USE");
});

test("of many who want one name at once exactly one gets it", async () => {
  const body = { username: "popular", password: "secret", auth: dummy };
  const answers = await Promise.all(Array.from({ length: 8 }, () => register(body)));
  assert.deepEqual(
    answers.map((answer) => answer.status).toSorted((a, b) => a - b),
    [200, 400, 400, 400, 400, 400, 400, 400],
  );
});

test("who names nothing gets a name and a device id", async () => {
  const { body } = await register({ password: "secret", auth: dummy });
  assert.match(body.user_id, /^@[a-z2-9]{12}:localhost$/);
  assert.match(body.device_id, /^[A-Z]{10}$/);
});

test("an account needs a password", async () => {
  const { status, body } = await register({ username: "nopass", auth: dummy });
  assert.equal(status, 400);
  assert.equal(body.errcode, "M_MISSING_PARAM");
  const empty = await register({ username: "nopass", password: "", auth: dummy });
  assert.equal(empty.body.errcode, "M_WEAK_PASSWORD");
});

test("a password of a real server has at least 8 and at most 512 characters", async () => {
  await using strict = await startTestServer({ config: { roles: ["auth"], passwordCost: "standard" } });
  const short = await register({ username: "bob", password: "1234567", auth: dummy }, strict);
  assert.equal(short.body.errcode, "M_WEAK_PASSWORD");
  const long = await register({ username: "bob", password: "x".repeat(513), auth: dummy }, strict);
  assert.equal(long.body.errcode, "M_INVALID_PARAM");
  assert.equal((await register({ username: "bob", password: "12345678", auth: dummy }, strict)).status, 200);
});

test("there are no guests", async () => {
  const { status, body } = await request(server.url, "POST", `${REGISTER}?kind=guest`, { body: {} });
  assert.equal(status, 403);
  assert.equal(body.errcode, "M_GUEST_ACCESS_FORBIDDEN");
});

test("register/available says whether a name is free, taken or not valid", async () => {
  await register({ username: "present", password: "secret", auth: dummy });
  assert.deepEqual((await available("absent")).body, { available: true });
  assert.equal((await available("present")).body.errcode, "M_USER_IN_USE");
  assert.equal((await available("not valid")).body.errcode, "M_INVALID_USERNAME");
});

test("with PARLEY_REGISTRATION=token only a token lets people in, and it works as often as it says", async () => {
  await using closed = await startWith("token");
  assert.deepEqual((await register({ username: "eve", password: "secret" }, closed)).body.flows, [
    { stages: ["m.login.registration_token"] },
  ]);
  assert.equal((await register({ username: "eve", password: "secret", auth: dummy }, closed)).status, 401);
  const guess = await withToken("eve", "guess", closed);
  assert.equal(guess.status, 401);
  assert.equal(guess.body.errcode, "M_FORBIDDEN");

  const admin = await withToken("admin", await tokenOfLink(closed), closed);
  const { body: made } = await request(closed.url, "POST", "/_parley/v1/registration_tokens", {
    token: admin.body.access_token,
    body: { uses_allowed: 2 },
  });
  assert.deepEqual((await request(closed.url, "GET", VALIDITY + made.token)).body, { valid: true });
  const statuses: number[] = [];
  for (const name of ["one", "two", "three"]) statuses.push((await withToken(name, made.token, closed)).status);
  assert.deepEqual(statuses, [200, 200, 401]);
  assert.deepEqual((await request(closed.url, "GET", VALIDITY + made.token)).body, { valid: false });
});

test("a token that works once lets in one of two who use it at the same time", async () => {
  await using closed = await startWith("token");
  const { auth } = closed.ctx.db;
  const hash = tokenHash(await tokenOfLink(closed));
  const create = "select auth.create_account($1, 'hash', $2) as outcome";
  let second: Promise<unknown> | undefined;
  await auth.transaction(async (first) => {
    assert.deepEqual(await first.one(create, ["@first:localhost", hash]), { outcome: "created" });
    second = auth.one(create, ["@second:localhost", hash]);
    while ((await first.one("select 1 from pg_locks where not granted")) === undefined);
  });
  assert.deepEqual(await second, { outcome: "token" });
});

test("a token that is kept in a session is not used up before the account is made", async () => {
  await using closed = await startWith("token");
  const token = await tokenOfLink(closed);
  assert.equal((await withToken("NOT VALID", token, closed)).body.errcode, "M_INVALID_USERNAME");
  assert.equal((await withToken("valid", token, closed)).status, 200);
});

for (const registration of ["open", "token", "off"] as const)
  test(`the first administrator's link works once while registration is ${registration}`, async () => {
    await using fresh = await startWith(registration);
    const withdrawn = await tokenOfLink(fresh);
    const token = await tokenOfLink(fresh);
    assert.equal((await withToken("early", withdrawn, fresh)).status, 401, "a new link withdraws the old one");
    const { body } = await withToken("boss", token, fresh);
    assert.equal((await fresh.ctx.authenticate(body.access_token)).isAdmin, true);
    assert.notEqual((await withToken("second", token, fresh)).status, 200);
    assert.equal(await administratorLink(fresh.ctx), undefined);
  });

test("while registration is off nobody registers without the administrator's link", async () => {
  await using closed = await startWith("off");
  const refused = await register({ username: "eve", password: "secret", auth: dummy }, closed);
  assert.equal(refused.status, 403);
  assert.equal(refused.body.errcode, "M_FORBIDDEN");
  assert.equal((await request(closed.url, "GET", `${VALIDITY}x`)).status, 403);
});

test("while registration is off an ordinary token lets nobody in, even beside the administrator's link", async () => {
  await using closed = await startWith("off");
  await tokenOfLink(closed);
  await closed.ctx.db.auth.change("insert into auth.registration_tokens (token_hash) values ($1)", [
    tokenHash("ordinary"),
  ]);
  assert.equal((await withToken("eve", "ordinary", closed)).status, 401);
  assert.deepEqual((await request(closed.url, "GET", `${VALIDITY}ordinary`)).body, { valid: false });
});

test("only an administrator makes registration tokens", async () => {
  const { body } = await register({ username: "mere", password: "secret", auth: dummy });
  const answer = await request(server.url, "POST", "/_parley/v1/registration_tokens", {
    token: body.access_token,
    body: {},
  });
  assert.equal(answer.status, 403);
});
