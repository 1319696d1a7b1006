/** Tokens of directories: who makes them, what they open, what is seen of them, and whom they let in by a provider. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, registerPerson, request } from "../../../testkit/src/http.ts";
import { openBrowser } from "../../../testkit/src/oauth.ts";
import { makeAdministrator, makeOperator } from "../../../testkit/src/operators.ts";
import { directoryOf, openDirectory } from "../../../testkit/src/scim.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { startUpstream, throughUpstream, UPSTREAM_CLIENT } from "../../../testkit/src/upstream.ts";
import { readSso } from "../auth/sso/config.ts";
import { limits } from "../limits.ts";

const ADMIN = "/_parley/admin/v1";
const TOKENS = `${ADMIN}/provisioning/tokens`;
const reason = "a test";
const APP = "https://app.example.com/";

test("a token is made by an owner, shown once, rotated, and opens nothing once it is revoked", async () => {
  await using server = await startTestServer();
  const root = await makeAdministrator(server, "root");
  const operator = await makeOperator(server, "overseer", "operator");
  assert.equal((await operator.ask("POST", TOKENS, { name: "Okta" })).status, 403);
  const made = await root.call("POST", TOKENS, { name: "Okta" });
  assert.match(made.token, /^psc_[\w-]{43}$/);
  assert.equal(made.address, `${server.ctx.publicUrl()}/scim/v2`);
  const first = directoryOf(server.url, made);
  assert.equal((await first.ask("GET", "/Users")).status, 200);
  assert.equal((await root.ask("POST", TOKENS, { name: "Okta" })).status, 400, "names are told apart in the audit log");
  for (const name of ["", "a\nb", "x".repeat(limits.scimTokenName_characters + 1)])
    assert.equal((await root.ask("POST", TOKENS, { name })).status, 400);
  const second = await openDirectory(server, { owner: root, name: "Okta 2" });

  const listed = await operator.call("GET", TOKENS);
  assert.deepEqual(
    listed.items.map(({ name }: Json) => name),
    ["Okta 2", "Okta"],
  );
  assert.ok(listed.items[1].last_used_ts > 0);
  assert.equal(listed.items[0].last_used_ts, null);
  const audit = JSON.stringify(await root.call("GET", `${ADMIN}/audit`));
  for (const text of [JSON.stringify(listed), audit]) assert.equal(text.includes("psc_"), false);

  assert.equal((await operator.ask("POST", `${TOKENS}/${first.tokenId}/revoke`, { reason })).status, 403);
  await root.call("POST", `${TOKENS}/${first.tokenId}/revoke`, { reason });
  assert.equal((await first.ask("GET", "/Users")).status, 401);
  assert.equal((await second.ask("GET", "/Users")).status, 200);
  for (let i = 1; i < limits.scimTokens; i++) await root.call("POST", TOKENS, { name: `more ${i}` });
  assert.equal((await root.ask("POST", TOKENS, { name: "one too many" })).body.errcode, "M_RESOURCE_LIMIT_EXCEEDED");
});

test("nothing but a directory's token opens SCIM, and it opens nothing else", async () => {
  await using server = await startTestServer();
  const root = await makeAdministrator(server, "root");
  const directory = await openDirectory(server, { owner: root, name: "Okta" });
  const { routes } = await import("./routes.ts");
  for (const token of [undefined, "psc_made_up", root.token])
    for (const { method, path } of routes) {
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const url = server.url + path.replace(":id", "x").replace("*", "x");
      const answer = await fetch(url, { method, headers, ...(method === "GET" ? {} : { body: "{}" }) });
      const body = (await answer.json()) as { status: string; errcode?: string };
      assert.deepEqual(
        [answer.status, body.status, body.errcode],
        [401, "401", undefined],
        `${method} ${path} ${token}`,
      );
      assert.match(answer.headers.get("www-authenticate") ?? "", /^Bearer/);
      assert.equal(answer.headers.get("access-control-allow-origin"), null);
    }
  const { token } = directory;
  for (const path of ["/_matrix/client/v3/account/whoami", `${ADMIN}/users`])
    assert.equal((await request(server.url, "GET", path, { token })).status, 401, path);
});

test("operators see when a directory was here last, and which of its requests were refused", async () => {
  await using server = await startTestServer();
  const root = await makeAdministrator(server, "root");
  const auditor = await makeOperator(server, "reader", "auditor");
  const empty = await auditor.call("GET", `${ADMIN}/provisioning`);
  assert.deepEqual(empty, {
    address: `${server.ctx.publicUrl()}/scim/v2`,
    people: 0,
    last_request_ts: null,
    last_change_ts: null,
    providers: [],
  });
  const directory = await openDirectory(server, { owner: root, name: "Okta" });
  assert.equal((await directory.ask("POST", "/Users", { userName: "ana@corp.example" })).status, 201);
  await directory.ask("POST", "/Users?secret=in-the-query", { userName: "ana@corp.example", password: "in-the-body" });
  await directory.ask("GET", "/Users/nobody");
  const { items } = await auditor.call("GET", `${ADMIN}/provisioning/errors`);
  assert.equal(items.length, 1, "to ask for nobody is no mistake");
  const { error_id: _, time_ts: __, detail, ...kept } = items[0];
  assert.deepEqual(kept, { token_name: "Okta", method: "POST", path: "/Users", status: 409 });
  assert.match(detail, /@ana:localhost/);
  assert.equal(JSON.stringify(items).includes("in-the-"), false);
  const now = await auditor.call("GET", `${ADMIN}/provisioning`);
  assert.equal(now.people, 1);
  assert.ok(now.last_request_ts > 0 && now.last_change_ts > 0);

  const before = await server.ctx.db.auth.change(
    "insert into auth.scim_errors (token_name, method, path, status, detail) select 'x', 'GET', '/', 400, 'x' from generate_series(1, $1)",
    [limits.scimErrors],
  );
  assert.equal(before, limits.scimErrors);
  await directory.ask("PUT", "/Users/nobody", {});
  const kept_ = await server.ctx.db.auth.one<{ count: number }>("select count(*) as count from auth.scim_errors");
  assert.equal(kept_?.count, limits.scimErrors);
});

test("during maintenance a directory reads and is told to come back with a change", async () => {
  await using server = await startTestServer();
  const root = await makeAdministrator(server, "root");
  const directory = await openDirectory(server, { owner: root, name: "Okta" });
  await root.call("POST", `${ADMIN}/system/maintenance/begin`, { message: "back at ten", retry_after_s: 60, reason });
  assert.equal((await directory.ask("GET", "/Users")).status, 200);
  const refused = await directory.ask("POST", "/Users", { userName: "ana" });
  assert.deepEqual(
    [refused.status, refused.body.detail, refused.headers.get("retry-after")],
    [503, "back at ten", "60"],
  );
});

test("who is made with an externalId of a provider signs in by it at once, and no more by one that was taken back", async () => {
  await using upstream = await startUpstream({ sub: "00u1", preferred_username: "somebody.else" });
  const provider = { id: "test", name: "Test ID", issuer: upstream.issuer, ...UPSTREAM_CLIENT };
  const sso = readSso({ PARLEY_SSO_PROVIDERS: JSON.stringify([provider]), PARLEY_SSO_CLIENTS: APP });
  await using server = await startTestServer({ config: { sso } });
  upstream.serve(server.ctx.publicUrl(), "test");
  const root = await makeAdministrator(server, "root");
  assert.equal((await root.ask("POST", TOKENS, { name: "x", provider: "nobody" })).body.errcode, "M_INVALID_PARAM");
  const directory = await openDirectory(server, { owner: root, name: "Test", provider: "test" });
  const { body: made } = await directory.ask("POST", "/Users", { userName: "ana@corp.example", externalId: "00u1" });

  const app = `/_matrix/client/v3/login/sso/redirect/test?${new URLSearchParams({ redirectUrl: APP }).toString()}`;
  const come = async () => {
    const browser = openBrowser(server.url);
    return browser.open(await throughUpstream(await browser.open(app), openBrowser(upstream.issuer)));
  };
  const logIn = async () => {
    const { location = "" } = await come();
    const token = new URL(location, server.url).searchParams.get("loginToken");
    const body = { type: "m.login.token", token };
    return (await request(server.url, "POST", "/_matrix/client/v3/login", { body })).body;
  };
  assert.equal((await logIn()).user_id, "@ana:localhost");

  const bob = await directory.ask("POST", "/Users", { userName: "bob@corp.example", externalId: "00u1" });
  assert.deepEqual([bob.status, bob.body.scimType], [409, "uniqueness"]);
  upstream.person = { sub: "00u2" };
  const operations = [{ op: "Replace", path: "externalId", value: "00u2" }];
  assert.equal((await directory.ask("PATCH", `/Users/${made.id}`, { Operations: operations })).status, 200);
  assert.equal((await logIn()).user_id, "@ana:localhost");
  const ids = await server.ctx.db.auth.query<{ subject: string }>("select subject from auth.external_ids");
  assert.deepEqual(
    ids.map(({ subject }) => subject),
    ["00u2"],
  );

  await directory.ask("PATCH", `/Users/${made.id}`, {
    Operations: [{ op: "Replace", path: "active", value: "False" }],
  });
  assert.equal((await come()).location, undefined, "who is suspended is not let in");
});

test("where an account comes from is told in the list of people", async () => {
  await using server = await startTestServer();
  const root = await makeAdministrator(server, "root");
  const directory = await openDirectory(server, { owner: root, name: "Okta" });
  await directory.ask("POST", "/Users", { userName: "made" });
  await registerPerson(server.url, "local");
  await root.call("POST", `${ADMIN}/bots`, { username: "helper", owner: root.userId, purpose: "a test" });
  await server.ctx.db.auth.one(
    "select auth.create_external_account('@came:localhost', 'https://sso.example', '1') as x",
  );
  const { items } = await root.call("GET", `${ADMIN}/users`);
  assert.deepEqual(Object.fromEntries(items.map(({ user_id, source }: Json) => [user_id, source])), {
    "@came:localhost": "sso",
    "@helper:localhost": "bot",
    "@local:localhost": "local",
    "@made:localhost": "scim",
    "@root:localhost": "local",
  });
});
