/** The page that proves an e-mail address for a client that does not know the stage. Specification: client-server-api, "Fallback". */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Json, registerPerson, request } from "../../../../testkit/src/http.ts";
import { linkTo, type MailServer, startMail } from "../../../../testkit/src/mail.ts";
import { openBrowser, type Visited } from "../../../../testkit/src/oauth.ts";
import { startTestServer, type TestServer, type TestServerOptions } from "../../../../testkit/src/server.ts";
import { limits } from "../../limits.ts";
import { tokenHash } from "../tokens.ts";
import { bindAddress } from "./addresses.ts";
import type { Mail } from "./config.ts";

const V3 = "/_matrix/client/v3";
const STAGE = "m.login.email.identity";
const PASSWORD = "a louder green evening";

let mails: MailServer;
let server: TestServer;
/** Beside it, over the same database: links are confirmed there. */
let other: TestServer;

const start = (atRegistration: Mail["atRegistration"], more: TestServerOptions = {}) =>
  startTestServer({
    ...more,
    config: { mail: { url: mails.url, from: "Parley <parley@example.org>", atRegistration }, ...more.config },
  });

before(async () => {
  mails = await startMail();
  server = await start("required");
  other = await start("required", { databaseUrl: server.databaseUrl });
});
after(async () => {
  await other.stop();
  await server.stop();
  await mails[Symbol.asyncDispose]();
});

const pathOf = (session: string, step = "") => `${V3}/auth/${STAGE}/fallback/web?session=${session}${step}`;
const sentTo = (address: string) => mails.mails.filter(({ to }) => to.includes(address)).length;

function register(username: string, auth?: object, at = server) {
  return request(at.url, "POST", `${V3}/register`, { body: { username, password: PASSWORD, auth } });
}

function reset(auth?: object) {
  return request(other.url, "POST", `${V3}/account/password`, { body: { new_password: PASSWORD, auth } });
}

async function begin(username: string): Promise<string> {
  const { body } = await register(username);
  assert.ok(body.flows.every(({ stages }: Json) => stages.includes(STAGE)));
  return body.session;
}

/** Presses the button behind the newest link. */
async function confirm(email: string): Promise<Visited> {
  const browser = openBrowser(other.url);
  const { pathname, search } = linkTo(mails, email);
  return browser.send(await browser.open(pathname + search), {});
}

const ASKS = /Your e-mail address/;
const WAITS = /A mail is on its way/;
const IS_DONE = /onAuthDone.*postMessage\("authDone"/;

test("who registers gives an address on the page, and has the stage when the link in the mail was confirmed", async () => {
  const session = await begin("ana");
  const browser = openBrowser(server.url);
  const asked = await browser.open(pathOf(session));
  assert.match(asked.text, /make an account on localhost/);
  assert.match(asked.headers.get("content-security-policy") ?? "", /default-src 'none'.*frame-ancestors 'none'/);
  const waits = await browser.send(asked, { email: "Ana@Example.org" });
  assert.match(waits.text, WAITS);
  assert.match(waits.text, /<strong>ana@example\.org<\/strong>/);
  const look = await browser.open(pathOf(session, "&step=look"));
  assert.match(look.text, /role="alert">The address is not confirmed yet/);
  const early = await register("ana", { session });
  assert.deepEqual([early.status, early.body.completed], [401, []]);

  const seen = await fetch(linkTo(mails, "ana@example.org"));
  assert.equal(seen.status, 200);
  assert.match((await browser.open(pathOf(session))).text, WAITS, "that a program opened the link proves nothing");
  assert.match((await confirm("ana@example.org")).text, /Go back to where you were registering/);
  for (const step of ["", "&step=look", "&step=other"])
    assert.match((await browser.open(pathOf(session, step))).text, IS_DONE);
  assert.match((await browser.send(asked, { email: "again@example.org" })).text, IS_DONE);
  assert.equal(sentTo("again@example.org"), 0);

  const next = await register("ana", { type: "m.login.dummy", session });
  assert.deepEqual([next.status, next.body.user_id], [200, "@ana:localhost"]);
  const { threepids } = (await request(server.url, "GET", `${V3}/account/3pid`, { token: next.body.access_token }))
    .body;
  assert.deepEqual(
    threepids.map(({ address }: Json) => address),
    ["ana@example.org"],
  );
  assert.equal((await browser.open(pathOf(session))).status, 404, "the request is over");
});

test("the client goes on with the session alone, though nobody opened the page again", async () => {
  const session = await begin("bea");
  const browser = openBrowser(server.url);
  await browser.send(await browser.open(pathOf(session)), { email: "bea@example.org" });
  await register("bea", { type: "m.login.dummy", session });
  await confirm("bea@example.org");
  assert.equal((await register("bea", { session })).status, 200);
  assert.equal((await register("bea2", { session })).status, 401, "what was proved counts for one request");
});

test("who forgot the password gives an address of an account, and sets another", async () => {
  const cara = await registerPerson((await plain()).url, "cara");
  await bindAddress(server.ctx, cara.userId, "cara@example.org");
  const { session } = (await reset()).body;
  const browser = openBrowser(server.url);
  const asked = await browser.open(pathOf(session));
  assert.match(asked.text, /set a new password for an account on localhost/);
  const nobody = await browser.send(asked, { email: "nobody@example.org" });
  assert.match(nobody.text, /role="alert">No account here has this address/);
  assert.match(nobody.text, /value="nobody@example\.org"/);
  await browser.send(nobody, { email: "cara@example.org" });
  assert.equal((await reset({ session })).status, 401);
  await confirm("cara@example.org");
  assert.equal((await reset({ session })).status, 200);
  const identifier = { type: "m.id.thirdparty", medium: "email", address: "cara@example.org" };
  const body = { type: "m.login.password", identifier, password: PASSWORD };
  assert.equal((await request(server.url, "POST", `${V3}/login`, { body })).status, 200);
  assert.equal((await reset({ session })).status, 401, "once");
});

let open: TestServer | undefined;
after(() => open?.stop());
/** Where people register without an address, over the same database. */
async function plain(): Promise<TestServer> {
  open ??= await start("off", { databaseUrl: server.databaseUrl });
  return open;
}

test("no address that is none, or another's, gets a mail, and one that can not be sent is asked for again", async () => {
  const dan = await registerPerson((await plain()).url, "dan");
  await bindAddress(server.ctx, dan.userId, "dan@example.org");
  const session = await begin("dora");
  const browser = openBrowser(server.url);
  const asked = await browser.open(pathOf(session));
  for (const [email, status, sentence] of [
    ["dora", 400, /dora is no e-mail address/],
    ["dora@example.org, eve@example.org", 400, /is no e-mail address/],
    ["dan@example.org", 400, /belongs to an account here already/],
  ] as const) {
    const refused = await browser.send(asked, { email });
    assert.deepEqual([refused.status, sentTo(email)], [status, 0]);
    assert.match(refused.text, sentence);
    assert.match(refused.text, ASKS);
  }
  mails.refuse(true);
  const away = await browser.send(asked, { email: "dora@example.org" });
  mails.refuse(false);
  assert.equal(away.status, 503);
  assert.match(away.text, /could not be sent\. Try again in a few minutes/);
  assert.match((await browser.send(away, {})).text, WAITS);
  assert.equal(sentTo("dora@example.org"), 1);
});

test("a form that is sent twice sends one mail, and a newer mail ends the link of the one before", async () => {
  const session = await begin("ema");
  const browser = openBrowser(server.url);
  const asked = await browser.open(pathOf(session));
  const twice = await Promise.all([1, 2, 3].map(() => browser.send(asked, { email: "ema@example.org" })));
  twice.push(await browser.send(asked, { email: "ema@example.org" }));
  for (const { text } of twice) assert.match(text, WAITS);
  assert.equal(sentTo("ema@example.org"), 1);
  const first = linkTo(mails, "ema@example.org");
  const again = await browser.send(await browser.open(pathOf(session)), {}, "Send it again");
  assert.match(again.text, WAITS);
  assert.equal(sentTo("ema@example.org"), 2);
  assert.equal((await fetch(first)).status, 404);

  const second = linkTo(mails, "ema@example.org");
  const form = await browser.open(pathOf(session, "&step=other"));
  assert.match(form.text, ASKS);
  assert.ok(!form.text.includes("no longer good"));
  assert.match((await browser.send(form, { email: "em@example.org" })).text, /<strong>em@example\.org/);
  assert.equal((await fetch(second)).status, 404, "an address that was mistyped proves nothing any more");
  await confirm("em@example.org");
  assert.match((await browser.open(pathOf(session))).text, IS_DONE);
});

test("who presses the button twice at one moment waits for one mail, and is told of no failure", async () => {
  const session = await begin("jil");
  const browser = openBrowser(server.url);
  const asked = await browser.open(pathOf(session));
  let second: Promise<Visited> | undefined;
  await server.ctx.db.auth.transaction(async (first) => {
    await first.query(
      `insert into auth.email_validations (validation_id, purpose, address, secret_hash, token_hash, send_attempt, expires_at)
       values ('of the first', 'register', 'jil@example.org', $1, '\\x00', 1, now() + interval '1 day')`,
      [tokenHash(`the page of ${session}`)],
    );
    second = browser.send(asked, { email: "jil@example.org" });
    const waiting = "select count(*) as count from pg_locks where not granted";
    while (((await first.one<{ count: number }>(waiting))?.count ?? 0) === 0);
  });
  assert.match((await second)?.text ?? "", WAITS);
  assert.equal(sentTo("jil@example.org"), 0, "it is the first that sends");
});

test("a session waits as long as the link is good, and of one that is too old the page says so", async () => {
  const session = await begin("fay");
  const browser = openBrowser(server.url);
  await browser.send(await browser.open(pathOf(session)), { email: "fay@example.org" });
  const { db } = server.ctx;
  const row = await db.auth.one<{ isLong: boolean }>(
    `select s.expires_at > v.expires_at as "isLong" from auth.interactive_sessions s join auth.email_validations v using (validation_id) where id = $1`,
    [session],
  );
  assert.equal(row?.isLong, true);
  const expire = "update auth.email_validations set expires_at = now() where address = $1";
  await confirm("fay@example.org");
  await db.auth.change(expire, ["fay@example.org"]);
  assert.equal(
    (await register("fay", { type: "m.login.dummy", session })).status,
    401,
    "a proof that is too old is none",
  );
  const gone = await browser.open(pathOf(session));
  assert.match(gone.text, /role="alert">The link in the last mail is no longer good\. Ask for another/);
  assert.match((await browser.send(gone, { email: "fay@example.org" })).text, WAITS);
  assert.equal((await register("fay", { session })).status, 401, "the proof of before is gone");
  await confirm("fay@example.org");
  assert.equal((await register("fay", { session })).status, 200);
});

test("no page for a session that is none, another's request, and where nobody's address is asked for", async () => {
  const browser = openBrowser(server.url);
  const refusedAt = async (at: TestServer, session: string, why: RegExp) => {
    const page = await browser.open(at.url + pathOf(session));
    assert.equal(page.status, 404);
    assert.match(page.text, why);
    const sent = await browser.post(at.url + pathOf("").split("?")[0], {
      session,
      email: "gil@example.org",
      attempt: "1",
    });
    assert.equal(sent.status, 404);
  };
  await refusedAt(server, "nobody's", /Nothing waits for you here/);
  const gil = await registerPerson((await plain()).url, "gil");
  const { session } = (await gil.ask("POST", `${V3}/account/3pid/add`, { sid: "s", client_secret: "c" })).body;
  await refusedAt(server, session, /Nothing waits for you here/);
  const begun = (await register("hal", undefined, await plain())).body.session;
  await refusedAt(await plain(), begun, /an account here is made without an address/);
  await using silent = await startTestServer({ databaseUrl: server.databaseUrl });
  await refusedAt(silent, await begin("hal"), /this server sends no mails/);
  assert.equal(sentTo("gil@example.org"), 0);
});

test("the page has the limits of requestToken: of the mails to an address, and of who asks", async () => {
  await using strict = await start("required", { databaseUrl: server.databaseUrl, config: { rateLimits: true } });
  const session = (await register("ida", undefined, strict)).body.session;
  const browser = openBrowser(strict.url);
  const answers: Visited[] = [];
  for (let tried = 0; tried <= limits.rates.mail.burst; tried++) {
    const form = await browser.open(pathOf(session, "&step=other"));
    answers.push(await browser.send(form, { email: "ida@example.org" }));
  }
  assert.match(answers.at(-2)?.text ?? "", WAITS);
  assert.equal(answers.at(-1)?.status, 429);
  assert.match(answers.at(-1)?.text ?? "", /role="alert">Too many requests/);
  assert.equal(sentTo("ida@example.org"), limits.rates.mail.burst);
  // Who asks has a bucket for all addresses, with what registering took.
  const form = await browser.open(pathOf(session, "&step=other"));
  const statuses: number[] = [];
  for (let tried = 0; tried < limits.rates.register.burst; tried++)
    statuses.push((await browser.send(form, { email: "no address" })).status);
  assert.deepEqual([statuses[0], statuses.at(-1)], [400, 429]);
});
