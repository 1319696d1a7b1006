/** Policies that whoever makes an account has to accept. Specification: client-server-api, "Terms of service at registration". */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Json, registerGuest, registerPerson, request } from "../../../../testkit/src/http.ts";
import { openBrowser } from "../../../../testkit/src/oauth.ts";
import { makeAdministrator } from "../../../../testkit/src/operators.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";
import { makeRegistrationToken } from "../registration-tokens.ts";
import { accepted, type AcceptedPolicy, acceptedBy, makingAccount } from "./acceptance.ts";
import { readTerms } from "./config.ts";

const V3 = "/_matrix/client/v3";

/** As the specification has it. */
const policies = (version: string) => ({
  terms_of_service: {
    version,
    en: { name: "Terms of Service", url: `https://example.org/terms-${version}-en.html` },
    fr: { name: "Conditions d'utilisation", url: `https://example.org/terms-${version}-fr.html` },
  },
  privacy_policy: { version: "7", en: { name: "Privacy <Policy>", url: "https://example.org/privacy?a=1&b=2" } },
});
const termsOf = (version: string) => readTerms({ PARLEY_TERMS: JSON.stringify(policies(version)) });

let server: TestServer;
/** Of the same database, where the terms are of another version by now. */
let later: TestServer;
before(async () => {
  server = await startTestServer({ config: { terms: termsOf("1.2"), guests: true } });
  later = await startTestServer({ config: { terms: termsOf("1.3") }, databaseUrl: server.databaseUrl });
});
after(async () => {
  await later.stop();
  await server.stop();
});

const TERMS = "m.login.terms";
const dummy = { type: "m.login.dummy" };

function register(username: string, auth?: object, { at = server, more = {} } = {}) {
  return request(at.url, "POST", `${V3}/register`, { body: { username, password: "a password", auth, ...more } });
}

async function begin(username: string): Promise<string> {
  return (await register(username)).body.session;
}

async function acceptedOf(username: string): Promise<Record<string, string>> {
  const rows: AcceptedPolicy[] = await acceptedBy(server.ctx, `@${username}:localhost`);
  return Object.fromEntries(rows.map(({ policy_id, version }) => [policy_id, version]));
}

const both = { terms_of_service: "1.2", privacy_policy: "7" };

test("without policies nothing of them is said, and one request registers", async () => {
  await using plain = await startTestServer();
  const { body } = await register("plain", undefined, { at: plain });
  assert.deepEqual(body.flows, [{ stages: ["m.login.dummy"] }, { stages: ["m.login.registration_token"] }]);
  assert.deepEqual(body.params, {});
  assert.equal((await register("plain", dummy, { at: plain })).status, 200);
  assert.deepEqual(await acceptedBy(plain.ctx, "@plain:localhost"), []);
});

test("the challenge has the policies, and what was accepted is remembered with the account", async () => {
  const challenge = await register("ana");
  assert.equal(challenge.status, 401);
  assert.deepEqual(challenge.body.flows, [
    { stages: [TERMS, "m.login.dummy"] },
    { stages: ["m.login.registration_token", TERMS] },
  ]);
  assert.deepEqual(challenge.body.params, { [TERMS]: { policies: policies("1.2") } });
  const { session } = challenge.body;
  const half = await register("ana", { type: TERMS, session });
  assert.deepEqual([half.status, half.body.completed, half.body.errcode], [401, [TERMS], undefined]);
  const before_ms = Date.now();
  const done = await register("ana", { ...dummy, session });
  assert.deepEqual([done.status, done.body.user_id], [200, "@ana:localhost"]);
  assert.deepEqual(await acceptedOf("ana"), both);
  const [first] = await acceptedBy(server.ctx, "@ana:localhost");
  assert.ok(Math.abs((first?.accepted_ts ?? 0) - before_ms) < 60_000);
});

test("without the stage there is no account, in whatever order", async () => {
  assert.equal((await register("ben", dummy)).status, 401);
  const session = await begin("ben");
  assert.equal((await register("ben", { ...dummy, session })).status, 401);
  assert.equal((await register("ben", { session })).status, 401);
  const available = await request(server.url, "GET", `${V3}/register/available?username=ben`);
  assert.equal(available.status, 200);
  assert.equal((await register("ben", { type: TERMS, session })).status, 200, "the other stage was complete");
  assert.deepEqual(await acceptedOf("ben"), both);
});

test("what no challenge has named is not accepted", async () => {
  for (const session of [undefined, "unknown"]) {
    const { status, body } = await register("cleo", { type: TERMS, session });
    assert.deepEqual([status, body.errcode, body.completed], [401, "M_UNAUTHORIZED", []]);
    assert.deepEqual(Object.keys(body.params[TERMS].policies), ["terms_of_service", "privacy_policy"]);
  }
});

test("a version that has changed since is shown again, and it is the new one that is accepted", async () => {
  const session = await begin("dora");
  const refused = await register("dora", { type: TERMS, session }, { at: later });
  assert.deepEqual([refused.status, refused.body.errcode, refused.body.session], [401, "M_UNAUTHORIZED", session]);
  assert.equal(refused.body.params[TERMS].policies.terms_of_service.version, "1.3");
  await register("dora", { type: TERMS, session }, { at: later });
  assert.equal((await register("dora", { ...dummy, session }, { at: later })).status, 200);
  assert.deepEqual(await acceptedOf("dora"), { terms_of_service: "1.3", privacy_policy: "7" });
});

test("with a registration token they are accepted too", async () => {
  await using closed = await startTestServer({ config: { terms: termsOf("1.2"), registration: "token" } });
  const made = await makeRegistrationToken(closed.ctx, {
    uses_allowed: 1,
    expires_in_ms: 60_000,
    note: undefined,
    created_by: "@root:localhost",
  });
  const { body } = await register("emil", undefined, { at: closed });
  assert.deepEqual(body.flows, [{ stages: ["m.login.registration_token", TERMS] }]);
  const { session } = body;
  const token = { type: "m.login.registration_token", token: made.token, session };
  assert.equal((await register("emil", token, { at: closed })).status, 401);
  assert.equal((await register("emil", { type: TERMS, session }, { at: closed })).status, 200);
  assert.equal((await acceptedBy(closed.ctx, "@emil:localhost")).length, 2);
});

test("a confirmed address is one more stage of each flow", async () => {
  const mail = { url: "smtp://127.0.0.1:9", from: "Parley <parley@example.org>", atRegistration: "required" as const };
  await using mailing = await startTestServer({ config: { terms: termsOf("1.2"), mail } });
  const { body } = await register("fay", undefined, { at: mailing });
  assert.ok(
    body.flows.every(({ stages }: Json) => stages.includes(TERMS) && stages.includes("m.login.email.identity")),
  );
});

test("a guest accepts them when the account is to be an ordinary one", async () => {
  const guest = await registerGuest(server.url);
  const username = guest.userId.slice(1).split(":")[0] ?? "";
  assert.deepEqual(await acceptedOf(username), {});
  const more = { guest_access_token: guest.token };
  const { body } = await register(username, undefined, { more });
  await register(username, { type: TERMS, session: body.session }, { more });
  assert.equal((await register(username, { ...dummy, session: body.session }, { more })).status, 200);
  assert.deepEqual(await acceptedOf(username), both);
});

test("where no account comes of it nothing is accepted", async () => {
  const statement = makingAccount("select auth.create_account($1, $2, $3) as outcome", "$4");
  const make = (versions: Record<string, string>) =>
    server.ctx.db.auth.one(statement, ["@gus:localhost", null, null, accepted(versions)]);
  assert.deepEqual(await make({ terms: "1" }), { outcome: "created" });
  assert.deepEqual(await make({ terms: "2" }), { outcome: "taken" });
  assert.deepEqual(await acceptedOf("gus"), { terms: "1" });
});

const fallback = (session: string) => `${V3}/auth/${TERMS}/fallback/web?session=${session}`;

test("the fallback page has a box and a link for each policy, and completes the stage once all are ticked", async () => {
  const session = await begin("hana");
  const browser = openBrowser(server.url);
  const page = await browser.open(fallback(session));
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  assert.match(page.text, /href="https:\/\/example\.org\/terms-1\.2-en\.html"[^>]*>Terms of Service</);
  assert.match(page.text, /href="https:\/\/example\.org\/privacy\?a=1&#38;b=2"[^>]*>Privacy &#60;Policy&#62;</);
  const unread = await browser.send(page, { "policy terms_of_service": "1.2" });
  assert.equal(unread.status, 400);
  assert.match(unread.text, /role="alert">[^<]*you accept Privacy &#60;Policy&#62;/);
  assert.match(unread.text, /value="1\.2"[^>]* checked/, "what was ticked stays");
  const old = await browser.send(page, { "policy terms_of_service": "1.1", "policy privacy_policy": "7" });
  assert.equal(old.status, 400, "another version than that of the page");
  assert.equal((await register("hana", { session })).body.completed.length, 0);
  const done = await browser.send(unread, { "policy privacy_policy": "7" });
  assert.match(done.text, /onAuthDone/);
  assert.deepEqual((await register("hana", { session })).body.completed, [TERMS]);
  assert.equal((await register("hana", { ...dummy, session })).status, 200);
  assert.deepEqual(await acceptedOf("hana"), both);
});

test("the fallback page speaks the reader's language, and is for a registration that waits alone", async () => {
  const session = await begin("ines");
  const french = await fetch(server.url + fallback(session), {
    headers: { "accept-language": "de, fr-CA;q=0.8, en;q=0.2" },
  });
  assert.match(await french.text(), /terms-1\.2-fr\.html" hreflang="fr"/);
  const browser = openBrowser(server.url);
  assert.equal((await browser.open(fallback("unknown"))).status, 404);
  const fields = { session: "unknown", "policy terms_of_service": "1.2", "policy privacy_policy": "7" };
  assert.equal((await browser.post(fallback("unknown"), fields)).status, 404);
  const ida = await registerWithTerms("ida");
  const path = `${V3}/delete_devices`;
  const { body } = await request(server.url, "POST", path, { token: ida.access_token, body: { devices: [] } });
  assert.equal((await browser.open(fallback(body.session))).status, 404, "a request of somebody who is signed in");
  for (const stage of ["m.login.dummy", "m.login.sso"])
    assert.equal((await browser.post(fallback(session).replace(TERMS, stage), fields)).status, 404, stage);
});

async function registerWithTerms(name: string): Promise<Json> {
  const session = await begin(name);
  await register(name, { type: TERMS, session });
  return (await register(name, { ...dummy, session })).body;
}

test("the page of OAuth makes no account while a box is empty, and says which", async () => {
  const browser = openBrowser(server.url);
  const page = await browser.open("/oauth2/register");
  const filled = { user: "jana", password: "a long password", again: "a long password" };
  const refused = await browser.send(page, filled, 'name="again"');
  assert.equal(refused.status, 400);
  assert.match(refused.text, /you accept Terms of Service, Privacy/);
  assert.equal((await request(server.url, "GET", `${V3}/register/available?username=jana`)).status, 200);
  const ticked = { "policy terms_of_service": "1.2", "policy privacy_policy": "7" };
  const done = await browser.send(refused, { ...filled, ...ticked }, 'name="again"');
  assert.match(done.url, /\/oauth2\/account/);
  assert.deepEqual(await acceptedOf("jana"), both);
});

test("operators see what somebody accepted, and those who accepted nothing", async () => {
  await registerWithTerms("kim");
  await using plain = await startTestServer({ databaseUrl: server.databaseUrl });
  const root = await makeAdministrator(plain, "root");
  const shown = await root.call("GET", "/_parley/admin/v1/users/@kim:localhost");
  const seen = Object.fromEntries(shown.accepted_policies.map(({ policy_id, version }: Json) => [policy_id, version]));
  assert.deepEqual(seen, both);
  assert.deepEqual((await root.call("GET", `/_parley/admin/v1/users/${root.userId}`)).accepted_policies, []);
  assert.equal((await registerPerson(plain.url, "lena")).userId, "@lena:localhost", "the settings of today count");
});

test("what was accepted before the policies changed is asked for again, in the session that there is", async () => {
  const session = await begin("late");
  assert.deepEqual((await register("late", { type: TERMS, session })).body.completed, [TERMS]);
  const asked = await register("late", { ...dummy, session }, { at: later });
  assert.deepEqual([asked.status, asked.body.completed], [401, ["m.login.dummy"]]);
  assert.equal(asked.body.params[TERMS].policies.terms_of_service.version, "1.3");
  assert.equal((await register("late", { type: TERMS, session }, { at: later })).status, 200);
  assert.deepEqual(await acceptedOf("late"), { ...both, terms_of_service: "1.3" });
});
