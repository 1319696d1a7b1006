import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import { after, test } from "node:test";
import { registerPerson, request, signInPerson } from "../../../testkit/src/http.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { MatrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { hashPassword } from "./hashing.ts";
import { checkPassword } from "./passwords.ts";

const server = await startTestServer({ config: { roles: ["auth"] } });
after(() => server.stop());
await registerPerson(server.url, "alice");

const LOGIN = "/_matrix/client/v3/login";
const wrongOnes = limits.rates.loginFailed.burst;

function login(body: object, at: TestServer = server) {
  return request(at.url, "POST", LOGIN, { body });
}

function byPassword(user: string, password = "password of alice", at: TestServer = server) {
  return login({ type: "m.login.password", identifier: { type: "m.id.user", user }, password }, at);
}

test("GET /login names the ways to sign in", async () => {
  const { body } = await request(server.url, "GET", LOGIN);
  assert.deepEqual(
    body.flows.map((flow: { type: string }) => flow.type),
    ["m.login.password", "m.login.token", "m.login.sso"],
  );
});

test("a person may be named by localpart or whole user id, in any case, or as old clients do", async () => {
  for (const user of ["alice", "@alice:localhost", "Alice"]) assert.equal((await byPassword(user)).status, 200, user);
  const old = await login({ type: "m.login.password", user: "alice", password: "password of alice" });
  assert.equal(old.body.user_id, "@alice:localhost");
});

test("a wrong password and an unknown name get the same answer", async () => {
  const wrong = await byPassword("alice", "wrong");
  const unknown = await byPassword("nobody", "wrong");
  assert.equal(wrong.status, 403);
  assert.equal(wrong.body.errcode, "M_FORBIDDEN");
  assert.deepEqual([unknown.status, unknown.body], [wrong.status, wrong.body]);
  assert.equal((await byPassword("@alice:elsewhere.example")).status, 403);
});

test("an unknown name takes as long as a wrong password", async () => {
  await using real = await startTestServer({ config: { roles: ["auth"], passwordCost: "standard" } });
  await registerPerson(real.url, "alice");
  const fastest = { alice: Number.POSITIVE_INFINITY, nobody: Number.POSITIVE_INFINITY };
  for (let i = 0; i < 6; i++)
    for (const name of ["alice", "nobody"] as const) {
      const begun = performance.now();
      await byPassword(name, "wrong", real);
      fastest[name] = Math.min(fastest[name], performance.now() - begun);
    }
  // Without the hash it would be a twentieth; the width is for a machine that is busy with other things.
  assert.ok(fastest.nobody > fastest.alice / 4, `${fastest.nobody} ms against ${fastest.alice} ms`);
});

test("passwords are stored as argon2id with 19 MiB and two passes, each with its own salt", async () => {
  await using real = await startTestServer({ config: { roles: ["auth"], passwordCost: "standard" } });
  for (const name of ["one", "two"]) {
    const body = { username: name, password: "the same password", auth: { type: "m.login.dummy" } };
    await request(real.url, "POST", "/_matrix/client/v3/register", { body });
  }
  const rows = await real.ctx.db.auth.query<{ hash: string }>("select password_hash as hash from auth.accounts");
  for (const { hash } of rows)
    assert.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  assert.equal(new Set(rows.map(({ hash }) => hash)).size, 2);
});

test("an unknown way to sign in, a missing name and a third-party identifier are refused by their codes", async () => {
  const cases: [object, number, string][] = [
    [{ type: "m.login.telepathy" }, 400, "M_UNKNOWN"],
    [{ type: "m.login.password", password: "x" }, 400, "M_MISSING_PARAM"],
    [{ type: "m.login.password", identifier: { type: "m.id.user" }, password: "x" }, 400, "M_MISSING_PARAM"],
    [{ type: "m.login.password", identifier: { type: "m.id.user", user: "alice" } }, 400, "M_MISSING_PARAM"],
    [{ type: "m.login.password", identifier: { type: "m.id.user", user: 7 }, password: "x" }, 400, "M_BAD_JSON"],
    [{ type: "m.login.password", identifier: { type: "m.id.phone" }, password: "x" }, 403, "M_FORBIDDEN"],
    [{ type: "m.login.password", identifier: { type: "org.example.id" }, password: "x" }, 400, "M_UNKNOWN"],
    [{ type: "m.login.token", token: "made up" }, 403, "M_FORBIDDEN"],
  ];
  for (const [body, status, errcode] of cases) {
    const answer = await login(body);
    assert.deepEqual([answer.status, answer.body.errcode], [status, errcode], JSON.stringify(body));
  }
});

test("signing in with a device id that one has goes on with its session, and ends its earlier token", async () => {
  const first = await signInPerson(server.url, "alice", { device_id: "LAPTOP" });
  const before = await server.ctx.authenticate(first.token);
  const second = await signInPerson(server.url, "alice", { device_id: "LAPTOP" });
  const now = await server.ctx.authenticate(second.token);
  assert.equal(now.id, before.id);
  const answer = await first.ask("GET", "/_matrix/client/v3/account/whoami");
  assert.deepEqual([answer.status, answer.body.errcode], [401, "M_UNKNOWN_TOKEN"]);
});

test("a device may not have the id of a cross-signing key", async () => {
  const { userId } = await registerPerson(server.url, "crossed");
  await server.ctx.db.keys.change(
    "insert into keys.cross_signing (user_id, usage, public_key, keys) values ($1, 'master', 'KEYID', '{}')",
    [userId],
  );
  await assert.rejects(signInPerson(server.url, "crossed", { device_id: "KEYID" }), /403.*M_FORBIDDEN/);
});

test("after a few wrong passwords the next one is told when to come back", async () => {
  await using limited = await startTestServer({ config: { roles: ["auth"], rateLimits: true } });
  await registerPerson(limited.url, "alice");
  const statuses: number[] = [];
  for (let i = 0; i < wrongOnes + 1; i++) statuses.push((await byPassword("alice", "wrong", limited)).status);
  assert.deepEqual(statuses, [403, 403, 403, 403, 403, 429]);
  const right = await byPassword("alice", "password of alice", limited);
  assert.ok(Number(right.headers.get("retry-after")) > 0, "the right one is not tried either");
});

test("an address waits whatever the account; an account is kept from its person only by many guesses from many addresses", async () => {
  await using limited = await startTestServer({ config: { roles: ["auth"], rateLimits: true } });
  const alice = await registerPerson(limited.url, "alice");
  const bob = await registerPerson(limited.url, "bob");
  const check = (userId: string, password: string, address: string) =>
    checkPassword(limited.ctx, { userId, password, address });
  for (let i = 0; i < wrongOnes; i++) await check(alice.userId, "wrong", `192.0.2.${i}`);
  assert.ok(
    await check(alice.userId, "password of alice", "192.0.2.99"),
    "five guesses from elsewhere keep nobody out",
  );
  const { burst } = limits.rates.accountGuessed;
  for (let i = wrongOnes; i < burst; i++) await limited.ctx.rates.admit("accountGuessed", alice.userId);
  await assert.rejects(check(alice.userId, "password of alice", "192.0.2.99"), { errcode: "M_LIMIT_EXCEEDED" });
  for (let i = 0; i < wrongOnes; i++) await check(`@guess${i}:localhost`, "wrong", "198.51.100.1");
  await assert.rejects(check(bob.userId, "password of bob", "198.51.100.1"), { errcode: "M_LIMIT_EXCEEDED" });
  assert.ok(await check(bob.userId, "password of bob", "198.51.100.2"));
});

test("right passwords do not count against anyone", async () => {
  await using limited = await startTestServer({ config: { roles: ["auth"], rateLimits: true } });
  await registerPerson(limited.url, "alice");
  for (let i = 0; i < wrongOnes + 1; i++)
    assert.equal((await byPassword("alice", "password of alice", limited)).status, 200);
});

test("beyond the queue for password hashes people are told when to come back, and the others get in", async () => {
  const places = limits.hashQueue_requests + limits.hashConcurrency;
  const hashing = Array.from({ length: places + 10 }, () => hashPassword(server.ctx, "password"));
  const refused = (await Promise.allSettled(hashing)).filter((result) => result.status === "rejected");
  assert.equal(refused.length, 10);
  for (const { reason } of refused) {
    assert.ok(reason instanceof MatrixError);
    assert.deepEqual([reason.status, reason.retryAfter_ms], [429, 5_000]);
  }
  assert.equal((await byPassword("alice")).status, 200, "the queue empties");
});
