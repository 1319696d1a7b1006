/** Sessions of the console: how one begins, what it may do, and everything that ends it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openBrowser, SESSION, signInToConsole } from "../../../../testkit/src/console.ts";
import { codeOf, factorsConfig, setUpCodes } from "../../../../testkit/src/factors.ts";
import { registerPerson, request } from "../../../../testkit/src/http.ts";
import { makeAdministrator, makeOperator } from "../../../../testkit/src/operators.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";
import { removeFactors } from "../../auth/factors/second-factor.ts";
import { limits } from "../../limits.ts";
import { listEntries } from "../audit/entries.ts";
import { writeTicket } from "../tickets.ts";
import { readCookie } from "./cookie.ts";

const USERS = "/api/admin/v1/users";

async function open() {
  const server = await startTestServer();
  const admin = await makeAdministrator(server, "root");
  const browser = await signInToConsole(server.url, "root");
  return { server, admin, browser, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

/** As if so much time had passed for all sessions. */
async function pass({ ctx }: TestServer, time_ms: number): Promise<void> {
  await ctx.db.console.change(
    `update console.sessions set expires_at = expires_at - $1::bigint * interval '1 millisecond',
       data = (data::jsonb || jsonb_build_object('began_ms', (data::jsonb->>'began_ms')::bigint - $1::bigint,
         'confirmed_ms', (data::jsonb->>'confirmed_ms')::bigint - $1::bigint))::text`,
    [time_ms],
  );
}

test("an operator signs in, sees who they are, works, and signs out", async () => {
  await using world = await open();
  const { browser, admin } = world;
  const own = await browser.call("GET", SESSION);
  assert.deepEqual([own.user_id, own.role], [admin.userId, "owner"]);
  assert.equal((await browser.call("GET", USERS)).total, 1);
  const stolen = browser.cookie;
  await browser.call("DELETE", SESSION);
  assert.equal(browser.cookie, "");
  for (const cookie of ["", stolen]) assert.equal((await browser.ask("GET", USERS, undefined, { cookie })).status, 401);
});

test("the cookie is for no script, no other site, and over https for this very host alone", async () => {
  await using world = await open();
  const sent = { user: "root", password: "password of root" };
  const plain = await openBrowser(world.server.url).ask("POST", SESSION, sent);
  assert.match(plain.headers.get("set-cookie") ?? "", /^parley-console=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  assert.equal(plain.headers.get("access-control-allow-origin"), null);
  assert.equal(plain.headers.get("cache-control"), "no-store");
  await using behind = await startTestServer({
    databaseUrl: world.server.databaseUrl,
    config: { publicUrl: "https://chat.example.org" },
  });
  const headers = { origin: "https://chat.example.org" };
  const secure = await openBrowser(behind.url).ask("POST", SESSION, sent, headers);
  assert.match(
    secure.headers.get("set-cookie") ?? "",
    /^__Host-parley-console=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
  );
  const http = await openBrowser(behind.url).ask("POST", SESSION, sent);
  assert.deepEqual([http.status, http.body.errcode], [403, "IO_PARLEY_CSRF"], "the origin is http");
});

test("without https there is no console but on this machine", async () => {
  await using world = await open();
  await using far = await startTestServer({
    databaseUrl: world.server.databaseUrl,
    config: { publicUrl: "http://chat.example.org" },
  });
  const sent = { user: "root", password: "password of root" };
  const answer = await openBrowser(far.url).ask("POST", SESSION, sent, { origin: "http://chat.example.org" });
  assert.deepEqual([answer.status, answer.headers.get("set-cookie")], [403, null]);
  const unset = { ...far.ctx, config: { ...far.ctx.config, publicUrl: undefined } };
  for (const host of ["chat.example.org", "[", "127.0.0.1@chat.example.org", "127.0.0.1.example.org", " "])
    assert.throws(() => readCookie(unset, { headers: { host } }), { errcode: "M_FORBIDDEN" }, host);
  assert.equal(readCookie(unset, { headers: { host: "127.0.0.1:8008" } }), undefined);
});

test("who is no operator, or gives a wrong password, gets no session", async () => {
  await using world = await open();
  await registerPerson(world.server.url, "ana");
  const browser = openBrowser(world.server.url);
  for (const [user, password] of [
    ["ana", "password of ana"],
    ["root", "password of ana"],
    ["nobody", "password of nobody"],
  ]) {
    const answer = await browser.ask("POST", SESSION, { user, password });
    assert.deepEqual([answer.status, answer.body.errcode, browser.cookie], [403, "M_FORBIDDEN", ""], user);
  }
});

test("the id of a session changes with every proof of who it is, and the old one is worth nothing", async () => {
  await using world = await open();
  const { browser } = world;
  const first = browser.cookie;
  await browser.call("POST", `${SESSION}/confirm`, { password: "password of root" });
  const second = browser.cookie;
  assert.notEqual(second, first);
  await browser.call("POST", SESSION, { user: "root", password: "password of root" });
  assert.notEqual(browser.cookie, second);
  for (const cookie of [first, second])
    assert.equal((await browser.ask("GET", SESSION, undefined, { cookie })).status, 401);
});

test("a session ends when it is unused for half an hour, and after twelve hours in any case", async () => {
  await using world = await open();
  const { browser, server } = world;
  for (let i = 0; i < 3; i++) {
    await pass(server, limits.consoleIdle_ms * 0.9);
    assert.equal((await browser.ask("GET", SESSION)).status, 200, "used in time");
  }
  await pass(server, limits.consoleIdle_ms * 1.01);
  assert.equal((await browser.ask("GET", SESSION)).status, 401, "unused");
  const other = await signInToConsole(server.url, "root");
  for (let used_ms = 0; used_ms < limits.consoleSession_ms * 0.95; used_ms += limits.consoleIdle_ms * 0.9) {
    assert.equal((await other.ask("GET", SESSION)).status, 200);
    await pass(server, limits.consoleIdle_ms * 0.9);
  }
  assert.equal((await other.ask("GET", SESSION)).status, 200, "used, so that it is not unused");
  await pass(server, limits.consoleIdle_ms * 0.9);
  assert.equal((await other.ask("GET", SESSION)).status, 401, "too old");
});

test("proving again who one is makes no session live longer than twelve hours", async () => {
  await using world = await open();
  const { browser, server } = world;
  const before = (await browser.call("GET", SESSION)).ends_ts;
  await pass(server, 20 * 60_000);
  const after = await browser.call("POST", `${SESSION}/confirm`, { password: "password of root" });
  assert.equal(after.ends_ts, before - 20 * 60_000);
  assert.equal((await browser.ask("POST", `${SESSION}/confirm`, { password: "wrong" })).status, 403);
});

test("wrong passwords of an operator are in the audit log, at a sign-in and at a confirmation", async () => {
  await using world = await open();
  const { browser, server } = world;
  await browser.ask("POST", SESSION, { user: "root", password: "wrong" });
  await browser.ask("POST", `${SESSION}/confirm`, { password: "wrong" });
  const denied = await listEntries(server.ctx, { outcome: "denied" }, { below: null, limit: 10 });
  assert.deepEqual(
    denied.map(({ action, actor, error }) => [action, actor, error]),
    ["confirm", "begin"].map((act) => [`session.${act}`, "@root:localhost", "M_FORBIDDEN"]),
  );
});

/** Everything by which a person's right to be here ends, done through another replica. */
const endings: Record<string, (world: { server: TestServer; token: string }) => Promise<unknown>> = {
  "their sessions are ended": ({ server, token }) => post({ server, token }, "/_matrix/client/v3/logout/all"),
  "their password changes": ({ server, token }) =>
    post({ server, token }, "/_matrix/client/v3/account/password", {
      new_password: "another password",
      auth: { type: "m.login.password", identifier: { type: "m.id.user", user: "olga" }, password: "password of olga" },
    }),
  "they are suspended": ({ server }) => server.ctx.db.auth.query("select auth.suspend('@olga:localhost')"),
  "they are no operator any more": ({ server }) => server.ctx.db.console.change("delete from console.operators"),
};

type Signed = { server: TestServer; token: string };

async function post({ server, token }: Signed, path: string, body: object = {}): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const answer = await fetch(server.url + path, { method: "POST", headers, body: JSON.stringify(body) });
  assert.equal(answer.status, 200, await answer.text());
}

for (const [what, end] of Object.entries(endings))
  test(`a person's session here ends on every replica with the next request when ${what}`, async () => {
    await using world = await open();
    const { token } = await makeOperator(world.server, "olga", "auditor");
    const browser = await signInToConsole(world.server.url, "olga");
    assert.equal((await browser.ask("GET", USERS)).status, 200);
    await using other = await startTestServer({ databaseUrl: world.server.databaseUrl });
    await end({ server: other, token });
    assert.equal((await browser.ask("GET", USERS)).status, 401);
    assert.equal((await world.browser.ask("GET", USERS)).status, 200, "others go on");
  });

test("a session goes on at another replica", async () => {
  await using world = await open();
  await using other = await startTestServer({ databaseUrl: world.server.databaseUrl });
  const browser = openBrowser(other.url);
  browser.cookie = world.browser.cookie;
  assert.equal((await browser.call("GET", SESSION)).user_id, world.admin.userId);
});

test("guesses at a password are slowed down", async () => {
  await using world = await open();
  await using strict = await startTestServer({
    databaseUrl: world.server.databaseUrl,
    config: { rateLimits: true },
  });
  const browser = openBrowser(strict.url);
  const statuses = [];
  for (let i = 0; i < 8; i++)
    statuses.push((await browser.ask("POST", SESSION, { user: "root", password: `guess ${i}` })).status);
  assert.deepEqual(statuses.slice(-2), [429, 429]);
  const right = await browser.ask("POST", SESSION, { user: "root", password: "password of root" });
  assert.equal(right.status, 429);
});

test("the console is behind a gateway as it is in front of one", async () => {
  await using world = await open();
  await using gateway = await startTestServer({
    databaseUrl: world.server.databaseUrl,
    config: { roles: ["gateway"], upstreams: { web: [world.server.url] } },
  });
  const browser = await signInToConsole(gateway.url, "root");
  assert.equal((await browser.call("GET", SESSION)).role, "owner");
  assert.equal((await browser.ask("GET", USERS)).headers.get("access-control-allow-origin"), null);
  assert.equal((await browser.ask("POST", `${USERS}/suspend`, { user_ids: ["@a:b"], reason: "x" })).status, 200);
});

test("with sessions in memory the console works, and a second replica does not start", async () => {
  const config = { sessionStorage: "memory" as const };
  await using server = await startTestServer({ config });
  await makeAdministrator(server, "root");
  const browser = await signInToConsole(server.url, "root");
  assert.equal((await browser.call("GET", USERS)).total, 1);
  await browser.call("DELETE", SESSION);
  assert.equal((await browser.ask("GET", USERS)).status, 401);
  await assert.rejects(startTestServer({ databaseUrl: server.databaseUrl, config }), /SESSION_STORAGE_TYPE=memory/);
});

test("where operators need a second factor, who has none is led to the page for it, at both doors, and the shell is open", async () => {
  const config = { ...factorsConfig(), operatorsNeedSecondFactor: true };
  await using server = await startTestServer({ config });
  const root = await makeAdministrator(server, "root");
  const browser = openBrowser(server.url);
  const sign = (more: object = {}) =>
    browser.ask("POST", SESSION, { user: "root", password: "password of root", ...more });
  const api = () => root.ask("GET", "/_parley/admin/v1/users");
  for (const refused of [await sign(), await api()]) {
    assert.equal(refused.status, 403);
    assert.equal(refused.body.errcode, "M_FORBIDDEN");
    assert.match(refused.body["io.parley.second_factor"].set_up, /\/oauth2\/account\/factors$/);
  }
  const wrong = await browser.ask("POST", SESSION, { user: "root", password: "wrong" });
  assert.equal(wrong.body["io.parley.second_factor"], undefined, "only who knows the password is told");
  const ticket = await writeTicket(server.ctx.db.console, { seams: server.ctx.seams, actor: "shell:root@here" });
  const shell = await request(server.url, "GET", "/_parley/admin/v1/users", { token: ticket });
  assert.equal(shell.status, 200);
  const { secret } = await setUpCodes(server.url, "root");
  assert.equal((await sign({ code: codeOf(secret, 1) })).status, 200);
  assert.equal((await browser.ask("GET", USERS)).status, 200);
  assert.equal((await api()).status, 200);
  await removeFactors(server.ctx, root.userId);
  assert.equal((await browser.ask("GET", USERS)).status, 401, "a session without the code behind it is over");
  assert.equal((await api()).status, 403);
});

test("an operator with a second factor is asked for a code, of which a wrong one is written down", async () => {
  await using server = await startTestServer({ config: factorsConfig() });
  await makeAdministrator(server, "root");
  const { secret, codes } = await setUpCodes(server.url, "root");
  const browser = openBrowser(server.url);
  const sign = (more: object = {}) =>
    browser.ask("POST", SESSION, { user: "root", password: "password of root", ...more });
  assert.equal((await sign()).body.errcode, "IO_PARLEY_SECOND_FACTOR");
  assert.equal((await sign({ code: "000000" })).body.errcode, "M_FORBIDDEN");
  const wrong = await browser.ask("POST", SESSION, { user: "root", password: "wrong", code: codeOf(secret, 1) });
  assert.equal(
    wrong.body.errcode,
    "M_FORBIDDEN",
    "that there is a second factor is told to nobody without the password",
  );
  assert.equal((await browser.ask("GET", USERS)).status, 401);
  assert.equal((await listEntries(server.ctx, { outcome: "denied" }, { below: null, limit: 10 })).length, 2);
  assert.equal((await sign({ code: codeOf(secret, 1) })).status, 200);
  assert.equal((await browser.ask("GET", USERS)).status, 200);
  assert.equal((await sign({ code: codes[0] })).status, 200);
});

test("an operator with a second factor confirms with a code too, each of which counts once", async () => {
  await using server = await startTestServer({ config: factorsConfig() });
  await makeAdministrator(server, "root");
  const { codes } = await setUpCodes(server.url, "root");
  const browser = openBrowser(server.url);
  const password = "password of root";
  await browser.call("POST", SESSION, { user: "root", password, code: codes[0] });
  const confirm = (body: object) => browser.ask("POST", `${SESSION}/confirm`, body);
  const told = async (body: object) => (await confirm(body)).body.errcode;
  assert.equal(await told({ password }), "IO_PARLEY_SECOND_FACTOR");
  assert.equal(await told({ password: "wrong", code: codes[1] }), "M_FORBIDDEN");
  assert.equal(await told({ password, code: codes[0] }), "M_FORBIDDEN", "it was used at the sign-in");
  assert.equal((await listEntries(server.ctx, { outcome: "denied" }, { below: null, limit: 10 })).length, 2);
  assert.equal((await confirm({ password, code: codes[1] })).status, 200);
  assert.equal((await browser.ask("GET", USERS)).status, 200);
});
