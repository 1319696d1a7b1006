/** Who registers without a token shows that they are no robot. Specification: client-server-api, "Google ReCaptcha". */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { type CaptchaProvider, SECRET, SITE_KEY, startCaptcha } from "../../../../testkit/src/captcha.ts";
import { request } from "../../../../testkit/src/http.ts";
import { openBrowser } from "../../../../testkit/src/oauth.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";
import { StartError } from "../../errors.ts";
import { makeRegistrationToken } from "../registration-tokens.ts";
import { readTerms } from "../terms/config.ts";
import { readCaptcha } from "./config.ts";

const V3 = "/_matrix/client/v3";
const CAPTCHA = "m.login.recaptcha";
const dummy = { type: "m.login.dummy" };

let provider: CaptchaProvider;
let server: TestServer;
before(async () => {
  provider = await startCaptcha();
  server = await startTestServer({ config: { captcha: provider.config, databaseConnections: 8 } });
});
after(async () => {
  await server.stop();
  await provider[Symbol.asyncDispose]();
});
beforeEach(() => {
  provider.broken = undefined;
  provider.asked.length = 0;
});

function register(username: string, auth?: object, at = server) {
  return request(at.url, "POST", `${V3}/register`, { body: { username, password: "a password", auth } });
}

async function begin(username: string): Promise<string> {
  return (await register(username)).body.session;
}

test("the settings belong together, and the address is one that a policy of content can have", () => {
  const [SITE, KEY] = [{ PARLEY_RECAPTCHA_SITE_KEY: "abc" }, { PARLEY_RECAPTCHA_SECRET: "def" }];
  assert.equal(readCaptcha({}), undefined);
  assert.equal(readCaptcha({ ...SITE, ...KEY })?.base, "https://www.google.com/recaptcha");
  for (const one of [SITE, KEY]) assert.throws(() => readCaptcha(one), StartError);
  for (const url of ["https://a.example/; script-src *", "https://a.example/a,b", "https://u@a.example/", "a.example"])
    assert.throws(() => readCaptcha({ ...SITE, ...KEY, PARLEY_RECAPTCHA_URL: url }), StartError, url);
});

test("the challenge has the site key, and whoever has solved the widget goes on; the verifier learns nothing more", async () => {
  const challenge = await register("ana");
  assert.deepEqual(challenge.body.flows, [
    { stages: [CAPTCHA, "m.login.dummy"] },
    { stages: ["m.login.registration_token"] },
  ]);
  assert.deepEqual(challenge.body.params, { [CAPTCHA]: { public_key: SITE_KEY } });
  const { session } = challenge.body;
  assert.equal((await register("ana", { ...dummy, session })).status, 401);
  const response = provider.solve();
  const done = await register("ana", { type: CAPTCHA, response, session });
  assert.deepEqual([done.status, done.body.user_id], [200, "@ana:localhost"]);
  assert.deepEqual(
    provider.asked.map((form) => Object.fromEntries(form)),
    [{ secret: SECRET, response }],
  );
});

test("nothing, something made up, and what was used before are refused, and the session goes on", async () => {
  const session = await begin("ben");
  const used = provider.solve();
  await register("somebody", { type: CAPTCHA, response: used });
  const wrong: [response: string | undefined, errcode: string][] = [
    [undefined, "M_CAPTCHA_NEEDED"],
    ["", "M_CAPTCHA_NEEDED"],
    ["made up", "M_CAPTCHA_INVALID"],
    [used, "M_CAPTCHA_INVALID"],
  ];
  for (const [response, errcode] of wrong) {
    const { status, body } = await register("ben", { type: CAPTCHA, response, session });
    assert.deepEqual([status, body.errcode, body.session, body.completed], [401, errcode, session, []]);
  }
  assert.equal((await register("ben", { type: CAPTCHA, response: provider.solve(), session })).status, 401);
  assert.equal((await register("ben", { ...dummy, session })).status, 200);
});

test("while nobody can check it nobody comes in, and it is not their fault", async () => {
  const response = provider.solve();
  const answers = [
    { status: 500, body: "" },
    { status: 200, body: "<html>" },
    { status: 200, body: '{"success":"yes"}' },
    { status: 200, body: '{"success":false,"error-codes":["invalid-input-secret"]}' },
    { status: 200, body: `{"success":true,"more":"${"x".repeat(70_000)}"}` },
  ];
  for (const broken of answers) {
    provider.broken = broken;
    const { status, body, headers } = await register("cleo", { type: CAPTCHA, response });
    assert.deepEqual([status, body.errcode], [503, "IO_PARLEY_UNAVAILABLE"], broken.body.slice(0, 60));
    assert.ok(headers.get("retry-after"));
  }
  const browser = openBrowser(server.url);
  const filled = {
    user: "cleo",
    password: "a long password",
    again: "a long password",
    "g-recaptcha-response": response,
  };
  const page = await browser.send(await browser.open("/oauth2/register"), filled, 'name="again"');
  assert.deepEqual([page.status, /role="alert">[^<]*can not be checked right now/.test(page.text)], [503, true]);
  provider.broken = undefined;
  assert.equal((await register("cleo", { type: CAPTCHA, response })).body.completed[0], CAPTCHA);
});

test("whoever has a registration token was let in by somebody, and solves nothing", async () => {
  const expiring = { uses_allowed: 1, expires_in_ms: 60_000, note: undefined, created_by: "@root:localhost" };
  const { token } = await makeRegistrationToken(server.ctx, expiring);
  assert.equal((await register("dora", { type: "m.login.registration_token", token })).status, 200);
  assert.equal(provider.asked.length, 0);
});

test("it comes before the policies, where there are some", async () => {
  const terms = readTerms({
    PARLEY_TERMS: `{"terms":{"version":"1","en":{"name":"Terms","url":"https://example.org/terms"}}}`,
  });
  await using both = await startTestServer({ config: { captcha: provider.config, terms } });
  const { body } = await register("emil", undefined, both);
  assert.deepEqual(body.flows[0].stages, [CAPTCHA, "m.login.terms", "m.login.dummy"]);
  assert.deepEqual(Object.keys(body.params).toSorted(), [CAPTCHA, "m.login.terms"]);
});

test("the fallback page loads the widget from its provider and nothing else, and completes the stage", async () => {
  const session = await begin("fay");
  const path = `${V3}/auth/${CAPTCHA}/fallback/web?session=${session}`;
  const browser = openBrowser(server.url);
  const page = await browser.open(path);
  const { base } = provider.config;
  assert.ok(page.text.includes(`<script src="${base}/api.js" async defer></script>`), page.text);
  assert.ok(page.text.includes(`data-sitekey="${SITE_KEY}"`));
  const policy = page.headers.get("content-security-policy") ?? "";
  assert.match(policy, /^default-src 'none'/);
  assert.ok(policy.includes(`script-src ${base}/;`), policy);
  assert.doesNotMatch(policy, /gstatic|\*/);
  const refused = await browser.send(page, { "g-recaptcha-response": "made up" });
  assert.equal(refused.status, 400);
  assert.match(refused.text, /role="alert">[^<]*Show it again/);
  assert.match((await browser.send(refused, {})).text, /no robot/);
  const done = await browser.send(refused, { "g-recaptcha-response": provider.solve() });
  assert.match(done.text, /onAuthDone/);
  assert.deepEqual((await register("fay", { session })).body.completed, [CAPTCHA]);
  assert.equal((await register("fay", { ...dummy, session })).status, 200);
  assert.equal((await browser.open(path)).status, 404, "the registration is over");
});

test("without a captcha there is no such page, and the stage is none of ours", async () => {
  await using plain = await startTestServer();
  const { body } = await register("gus", undefined, plain);
  const page = await openBrowser(plain.url).open(`${V3}/auth/${CAPTCHA}/fallback/web?session=${body.session}`);
  assert.equal(page.status, 404);
  const refused = await register("gus", { type: CAPTCHA, response: "x", session: body.session }, plain);
  assert.equal(refused.body.errcode, "M_UNRECOGNIZED");
});

test("the page of OAuth makes no account without it", async () => {
  const browser = openBrowser(server.url);
  const page = await browser.open("/oauth2/register");
  assert.match(page.headers.get("content-security-policy") ?? "", /script-src http:\/\/127/);
  const filled = { user: "hana", password: "a long password", again: "a long password" };
  const refused = await browser.send(page, filled, 'name="again"');
  assert.deepEqual([refused.status, /you are no robot/.test(refused.text)], [400, true]);
  const solved = { ...filled, "g-recaptcha-response": provider.solve() };
  assert.match((await browser.send(refused, solved, 'name="again"')).url, /\/oauth2\/account/);
});

test("what was solved once lets one account in, however many ask for theirs at one moment", async () => {
  const session = await begin("first");
  await register("first", { type: CAPTCHA, response: provider.solve(), session });
  let asked: ReturnType<typeof register>[] = [];
  await server.ctx.db.auth.transaction(async (holder) => {
    await holder.query("select 1 from auth.interactive_sessions where id = $1 for update", [session]);
    asked = ["first", "second"].map((name) => register(name, { ...dummy, session }));
    const waiting = "select count(*) as count from pg_locks where not granted";
    while (((await holder.one<{ count: number }>(waiting))?.count ?? 0) < asked.length);
  });
  const answers = await Promise.all(asked);
  assert.deepEqual(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [200, 401],
  );
  for (const { body } of answers.filter(({ status }) => status === 401)) {
    assert.deepEqual(body.completed, ["m.login.dummy"]);
    assert.equal((await register("more", { ...dummy, session: body.session })).status, 401);
  }
  assert.equal((await register("more", { ...dummy, session })).status, 401);
});
