/** What operators decide about registering and signing in: over the operator API, seen from the client's side, on two replicas. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { registerPerson, request, signInPerson } from "../../../testkit/src/http.ts";
import { makeAdministrator, makeOperator } from "../../../testkit/src/operators.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { waitFor } from "../../../testkit/src/wait.ts";
import { endOldSessions } from "./session-limits.ts";

const ADMIN = "/_parley/admin/v1";
const SETTINGS = `${ADMIN}/settings/sign-in`;
const TOKENS = `${ADMIN}/registration-tokens`;
const reason = "a test";

const server = await startTestServer();
after(() => server.stop());
const root = await makeAdministrator(server, "root");

function register(url: string, username: string, token?: string) {
  const auth = token === undefined ? { type: "m.login.dummy" } : { type: "m.login.registration_token", token };
  return request(url, "POST", "/_matrix/client/v3/register", { body: { username, password: "password", auth } });
}

test("registration is closed on all replicas within 5 s, a token opens it for one, and a revoked one does not", async () => {
  await using other = await startTestServer({ databaseUrl: server.databaseUrl });
  const { listen, now } = other.ctx.controls;
  const counts = (value: string) => waitFor({ what: value, check: () => now().registration === value, listen });
  const begun_ms = performance.now();
  const changed = await root.call("PUT", SETTINGS, { registration: "token", reason });
  assert.deepEqual(
    { ...changed.registration, set_ts: 0 },
    { value: "token", set: "token", default: "open", limit: "open", set_by: root.userId, set_ts: 0 },
  );
  await counts("token");
  assert.ok(performance.now() - begun_ms < 5_000);
  assert.equal((await register(other.url, "ana")).status, 401, "the stage without a token is not offered");

  const made = await root.call("POST", TOKENS, { uses_allowed: 1, expires_in_s: 60, note: "for Ana" });
  assert.ok(made.link.endsWith(`/register?token=${made.token}`));
  assert.equal((await register(other.url, "ana", made.token)).status, 200);
  assert.equal((await register(other.url, "ben", made.token)).status, 401, "it was for one");

  const second = await root.call("POST", TOKENS, {});
  const listed = await root.call("GET", `${TOKENS}?valid=true`);
  assert.deepEqual(
    listed.items.map((each: { token_id: string }) => each.token_id),
    [second.token_id],
  );
  assert.equal(JSON.stringify(listed).includes(second.token), false, "a list has no token");
  const gone = await root.call("POST", `${TOKENS}/${second.token_id}/revoke`, { reason });
  assert.equal(gone.is_valid, false);
  assert.equal((await register(other.url, "ben", second.token)).status, 401);
  assert.equal((await root.ask("POST", `${TOKENS}/${second.token_id}/revoke`, { reason })).status, 404);

  await root.call("PUT", SETTINGS, { registration: null, reason });
  await counts("open");
  assert.equal((await register(other.url, "ben")).status, 200);
});

test("the list of tokens has each once, page by page, the newest first", async () => {
  const made: string[] = [];
  for (let i = 0; i < 5; i++) made.push((await root.call("POST", TOKENS, { note: `token ${i}` })).token_id);
  const seen: string[] = [];
  let from: string | undefined;
  do {
    const page = await root.call("GET", `${TOKENS}?valid=true&limit=2${from ? `&from=${from}` : ""}`);
    seen.push(...page.items.map((each: { token_id: string }) => each.token_id));
    from = page.next;
  } while (from);
  assert.deepEqual(seen.toSorted(), made.toSorted());
});

test("what is laxer than the environment is refused, and so is what nobody may", async () => {
  await using strict = await startTestServer({ config: { registration: "token" } });
  const owner = await makeOwner(strict);
  const refused = await owner.ask("PUT", SETTINGS, { registration: "open", reason });
  assert.deepEqual([refused.status, refused.body.errcode], [400, "M_INVALID_PARAM"]);
  assert.match(refused.body.error, /PARLEY_REGISTRATION/);
  assert.equal((await owner.call("PUT", SETTINGS, { registration: "off", reason })).registration.value, "off");
  for (const body of [
    { reason },
    { registration: "off" },
    { password_least_characters: 3, reason },
    { session_days: 0, reason },
  ])
    assert.equal((await root.ask("PUT", SETTINGS, body)).status, 400, JSON.stringify(body));
  const operator = await makeOperator(server, "olga", "operator");
  assert.equal((await operator.ask("PUT", SETTINGS, { registration: "off", reason })).status, 403);
  const auditor = await makeOperator(server, "adam", "auditor");
  assert.equal((await auditor.ask("GET", SETTINGS)).status, 200);
  assert.equal((await auditor.ask("POST", TOKENS, {})).status, 403);
});

/** Nobody registers openly there. */
async function makeOwner(strict: typeof server) {
  const { administratorLink } = await import("./administrator.ts");
  const link = new URL((await administratorLink(strict.ctx)) as string);
  const made = await register(strict.url, "owner", link.searchParams.get("token") ?? "");
  assert.equal(made.status, 200);
  const token = made.body.access_token as string;
  const ask = (method: string, path: string, body?: unknown) => request(strict.url, method, path, { token, body });
  return { ask, call: async (...given: Parameters<typeof ask>) => (await ask(...given)).body };
}

test("a session that nobody used for longer than operators allow ends, and with it its token", async () => {
  const cleo = await registerPerson(server.url, "cleo");
  const kept = await signInPerson(server.url, "cleo");
  await server.ctx.db.auth.change(
    "update auth.sessions set last_seen_at = now() - interval '8 days' where user_id = $1 and device_id = $2",
    [cleo.userId, cleo.deviceId],
  );
  assert.equal(await endOldSessions(server.ctx), 0, "no limit, no end");
  await root.call("PUT", SETTINGS, { session_idle_days: 7, reason });
  assert.equal(await endOldSessions(server.ctx), 1);
  assert.equal((await cleo.ask("GET", "/_matrix/client/v3/account/whoami")).status, 401);
  assert.equal((await kept.ask("GET", "/_matrix/client/v3/account/whoami")).status, 200);
  await root.call("PUT", SETTINGS, { session_idle_days: null, session_days: 30, reason });
  await server.ctx.db.auth.change(
    "update auth.sessions set created_at = now() - interval '31 days' where user_id = $1",
    [cleo.userId],
  );
  await signInPerson(server.url, "cleo", { device_id: kept.deviceId });
  assert.equal(await endOldSessions(server.ctx), 0, "whoever signs in again begins anew");
});

test("every change stands in the audit log with what was before and what is now", async () => {
  await root.call("PUT", SETTINGS, { password_least_characters: 12, reason: "longer ones" });
  const [entry] = await server.ctx.db.console.query<Record<string, string>>(
    `select actor, action, target, reason, before, after from console.audit order by position desc limit 1`,
  );
  assert.deepEqual(entry, {
    actor: root.userId,
    action: "sign_in_settings.change",
    target: "sign-in",
    reason: "longer ones",
    before: `{"password_least_characters":null}`,
    after: `{"password_least_characters":12}`,
  });
});
