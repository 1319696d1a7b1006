/** E-mail addresses: proved by a link, used for signing in, for a new password, and at registration. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { examine } from "../../../../testkit/src/doctor.ts";
import { type Json, type Person, registerPerson, request } from "../../../../testkit/src/http.ts";
import { linkTo, type MailServer, startMail } from "../../../../testkit/src/mail.ts";
import { startTestServer, type TestServer, type TestServerOptions } from "../../../../testkit/src/server.ts";
import type { Db } from "../../db/database.ts";
import { deactivateAccount } from "../deactivate.ts";
import { foldAddress } from "./address.ts";
import type { Mail } from "./config.ts";

const V3 = "/_matrix/client/v3";
const PASSWORD = "a louder green evening";

let mails: MailServer;
let server: TestServer;
/** Beside it, over the same database. */
let other: TestServer;

const start = (atRegistration: Mail["atRegistration"], more: TestServerOptions = {}) =>
  startTestServer({
    ...more,
    config: { mail: { url: mails.url, from: "Parley <parley@example.org>", atRegistration } },
  });

before(async () => {
  mails = await startMail();
  server = await start("optional");
  other = await start("optional", { databaseUrl: server.databaseUrl });
});
after(async () => {
  await other.stop();
  await server.stop();
  await mails[Symbol.asyncDispose]();
});

let secrets = 0;

/** Asks for a mail; gives what proves the address later. */
async function ask(
  path: string,
  email: string,
  more: object = {},
): Promise<{ status: number; body: Json; client_secret: string }> {
  const client_secret = `secret${++secrets}`;
  const body = { client_secret, email, send_attempt: 1, ...more };
  const answer = await request(server.url, "POST", `${V3}${path}/email/requestToken`, { body });
  return { status: answer.status, body: answer.body, client_secret };
}

/** Presses the button behind the link, at the other process. */
async function confirm(email: string): Promise<string> {
  const { pathname, searchParams } = linkTo(mails, email);
  const headers = { "content-type": "application/x-www-form-urlencoded", origin: other.ctx.publicUrl() };
  const body = new URLSearchParams({ token: searchParams.get("token") ?? "" }).toString();
  const answer = await fetch(other.url + pathname, { method: "POST", headers, body });
  return `${answer.status} ${await answer.text()}`;
}

async function addAddress(person: Person, email: string): Promise<void> {
  const { body, client_secret } = await ask("/account/3pid", email);
  assert.match(await confirm(email), /^200 .*Confirmed/s);
  await withPassword(person, `${V3}/account/3pid/add`, { sid: body.sid, client_secret });
}

/** With the password that the account was made with. */
async function withPassword(person: Person, path: string, body: object): Promise<Json> {
  const first = await person.ask("POST", path, body);
  const identifier = { type: "m.id.user", user: person.userId };
  const password = `password of ${person.userId.slice(1).split(":")[0]}`;
  const auth = { type: "m.login.password", session: first.body.session, identifier, password };
  return person.call("POST", path, { ...body, auth });
}

const login = (body: object) =>
  request(server.url, "POST", `${V3}/login`, { body: { type: "m.login.password", ...body } });
const byMail = (address: string, password: string) =>
  login({ identifier: { type: "m.id.thirdparty", medium: "email", address }, password });

test("an address is added when its link was confirmed, by the one who asked, and signs its person in", async () => {
  const ana = await registerPerson(server.url, "ana");
  const { body, client_secret } = await ask("/account/3pid", "Ana@Example.org");
  const early = await ana.ask("POST", `${V3}/account/3pid/add`, { sid: body.sid, client_secret });
  const auth = { type: "m.login.password", session: early.body.session, password: "password of ana", user: ana.userId };
  const refused = await ana.ask("POST", `${V3}/account/3pid/add`, { sid: body.sid, client_secret, auth });
  assert.deepEqual([refused.status, refused.body.errcode], [400, "M_THREEPID_AUTH_FAILED"]);

  const shown = await fetch(linkTo(mails, "ana@example.org"));
  assert.match(await shown.text(), /Add the address/);
  assert.match(shown.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  const still = await ana.ask("POST", `${V3}/account/3pid/add`, { sid: body.sid, client_secret });
  assert.equal(still.status, 401, "that a program opened the link proves nothing");

  await addAddress(ana, "ana@example.org");
  const { threepids } = await ana.call("GET", `${V3}/account/3pid`);
  assert.deepEqual([threepids.length, threepids[0].medium, threepids[0].address], [1, "email", "ana@example.org"]);
  const signedIn = await byMail("ANA@example.org", "password of ana");
  assert.deepEqual([signedIn.status, signedIn.body.user_id], [200, ana.userId]);
  assert.equal((await login({ medium: "email", address: "ana@example.org", password: "password of ana" })).status, 200);
  assert.equal((await byMail("nobody@example.org", "password of ana")).body.errcode, "M_FORBIDDEN");

  await ana.call("POST", `${V3}/account/3pid/delete`, { medium: "email", address: "ana@example.org" });
  assert.deepEqual((await ana.call("GET", `${V3}/account/3pid`)).threepids, []);
  assert.equal((await byMail("ana@example.org", "password of ana")).status, 403);
});

test("what proves an address is for one purpose, one secret and one use", async () => {
  const [ben, eve] = await Promise.all(["ben", "eve"].map((name) => registerPerson(server.url, name)));
  const { body, client_secret } = await ask("/account/3pid", "ben@example.org");
  await confirm("ben@example.org");
  const wrong = await byMailReset({ sid: body.sid, client_secret });
  assert.equal(wrong.body.errcode, "M_UNAUTHORIZED", "it was for adding");
  await assert.rejects(
    withPassword(eve as Person, `${V3}/account/3pid/add`, { sid: body.sid, client_secret: "another" }),
  );
  await withPassword(ben as Person, `${V3}/account/3pid/add`, { sid: body.sid, client_secret });
  await assert.rejects(
    withPassword(eve as Person, `${V3}/account/3pid/add`, { sid: body.sid, client_secret }),
    /AUTH_FAILED/,
  );
  assert.equal((await ask("/account/3pid", "BEN@example.org")).body.errcode, "M_THREEPID_IN_USE");
  assert.equal((await ask("/register", "ben@example.org")).body.errcode, "M_THREEPID_IN_USE");
});

async function byMailReset(creds: object, password = PASSWORD, more: object = {}) {
  const body = { new_password: password, ...more };
  const first = await request(other.url, "POST", `${V3}/account/password`, { body });
  assert.deepEqual(first.body.flows, [{ stages: ["m.login.email.identity"] }]);
  const auth = { type: "m.login.email.identity", session: first.body.session, threepid_creds: creds };
  return request(other.url, "POST", `${V3}/account/password`, { body: { ...body, auth } });
}

test("who forgot the password sets another by mail, and all devices are signed out with it", async () => {
  const cara = await registerPerson(server.url, "cara");
  await addAddress(cara, "cara@example.org");
  assert.equal((await ask("/account/password", "nobody@example.org")).body.errcode, "M_THREEPID_NOT_FOUND");
  const { body, client_secret } = await ask("/account/password", "cara@example.org");
  const creds = { sid: body.sid, client_secret };
  assert.deepEqual((await byMailReset(creds)).body.errcode, "M_UNAUTHORIZED", "before the link is confirmed");
  await confirm("cara@example.org");
  assert.equal((await byMailReset(creds)).status, 200);
  assert.equal((await cara.ask("GET", `${V3}/account/whoami`)).status, 401);
  assert.equal((await byMail("cara@example.org", PASSWORD)).status, 200);
  assert.equal((await byMailReset(creds, "and once more, with it")).body.errcode, "M_UNAUTHORIZED", "it counts once");
});

test("an attempt sends one mail, a higher one another, and only its link is good", async () => {
  const client_secret = "one.client";
  const email = "dan@example.org";
  const asked = { client_secret, email };
  const send = async (send_attempt: number) =>
    (await request(server.url, "POST", `${V3}/register/email/requestToken`, { body: { ...asked, send_attempt } })).body
      .sid;
  const sid = await send(1);
  const old = linkTo(mails, email);
  const sent = () => mails.mails.filter(({ to }) => to.includes(email)).length;
  assert.deepEqual([await send(1), sent()], [sid, 1]);
  assert.deepEqual([await send(2), sent()], [sid, 2]);
  assert.equal((await fetch(old)).status, 404);
  mails.refuse(true);
  const away = await request(server.url, "POST", `${V3}/register/email/requestToken`, {
    body: { ...asked, send_attempt: 3 },
  });
  mails.refuse(false);
  assert.equal(away.status, 503);
  assert.ok(await send(3), "the same attempt may try again");
});

test("bad addresses, secrets and next links are refused, and a next link is shown and never followed", async () => {
  for (const email of [
    "ana",
    "a@b@c",
    "a b@c.org",
    "Ana <ana@example.org>",
    "a@example.org, b@example.org",
    "a@example.org\nBcc: b@example.org",
  ])
    assert.equal((await ask("/register", email)).body.errcode, "M_INVALID_PARAM", email);
  assert.equal(foldAddress(" Ana@Example.ORG "), "ana@example.org");
  assert.equal(
    (await ask("/register", "a@example.org", { client_secret: "no spaces" })).body.errcode,
    "M_INVALID_PARAM",
  );
  assert.equal(
    (await ask("/register", "a@example.org", { next_link: "javascript:alert(1)" })).body.errcode,
    "M_INVALID_PARAM",
  );
  await ask("/register", "next@example.org", { next_link: "https://app.example.org/?<b>" });
  const page = await confirm("next@example.org");
  assert.match(page, /^200 .*Go on to app\.example\.org/s);
  assert.ok(!page.includes("<b>"));
  const elsewhere = await fetch(server.url + linkTo(mails, "next@example.org").pathname, {
    method: "POST",
    headers: { origin: "https://evil.example", "content-type": "application/x-www-form-urlencoded" },
    body: "token=x",
  });
  assert.equal(elsewhere.status, 403);
});

test("where an address is wanted at registration, no account is made without one that was confirmed", async () => {
  await using strict = await start("required", { databaseUrl: server.databaseUrl });
  const register = (auth?: object) =>
    request(strict.url, "POST", `${V3}/register`, {
      body: { username: "fay", password: PASSWORD, ...(auth ? { auth } : {}) },
    });
  const { session, flows } = (await register()).body;
  assert.ok(flows.every(({ stages }: Json) => stages.includes("m.login.email.identity")));
  const { body, client_secret } = await ask("/register", "fay@example.org");
  const threepid_creds = { sid: body.sid, client_secret };
  const mail = { type: "m.login.email.identity", session, threepid_creds };
  assert.equal((await register({ type: "m.login.dummy", session })).status, 401);
  assert.equal((await register(mail)).body.errcode, "M_UNAUTHORIZED");
  await confirm("fay@example.org");
  const made = await register(mail);
  assert.deepEqual([made.status, made.body.user_id], [200, "@fay:localhost"]);
  assert.equal((await byMail("fay@example.org", PASSWORD)).status, 200);
});

test("where an address is wanted, one makes one account, and the page that asks for none makes none", async () => {
  await using strict = await start("required", { databaseUrl: server.databaseUrl });
  const register = (username: string, auth?: object) =>
    request(strict.url, "POST", `${V3}/register`, {
      body: { username, password: PASSWORD, ...(auth ? { auth } : {}) },
    });
  const { body, client_secret } = await ask("/register", "hal@example.org");
  await confirm("hal@example.org");
  const threepid_creds = { sid: body.sid, client_secret };
  const names = ["hal1", "hal2", "hal3", "hal4"];
  const answers = await Promise.all(
    names.map(async (name) => {
      const { session } = (await register(name)).body;
      await register(name, { type: "m.login.dummy", session });
      return register(name, { type: "m.login.email.identity", session, threepid_creds });
    }),
  );
  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  const there = await Promise.all(names.map((user) => login({ user, password: PASSWORD })));
  assert.equal(there.filter(({ status }) => status === 200).length, 1);

  const page = "/oauth2/register";
  assert.equal((await fetch(strict.url + page)).status, 403);
  const form = { user: "ida", password: PASSWORD, again: PASSWORD };
  const headers = { origin: strict.ctx.publicUrl(), "content-type": "application/x-www-form-urlencoded" };
  const sent = { method: "POST", headers, body: new URLSearchParams(form).toString(), redirect: "manual" } as const;
  assert.equal((await fetch(strict.url + page, sent)).status, 403);
  assert.equal((await login({ user: "ida", password: PASSWORD })).status, 403);
});

test("a number of an attempt is one that can be kept", async () => {
  const answer = await ask("/register", "jim@example.org", { send_attempt: 3_000_000_000 });
  assert.deepEqual([answer.status, answer.body.errcode], [400, "M_BAD_JSON"]);
});

test("an account that ends gives its address free", async () => {
  const gus = await registerPerson(server.url, "gus");
  await addAddress(gus, "gus@example.org");
  await withPassword(gus, `${V3}/account/deactivate`, {});
  assert.equal((await ask("/register", "gus@example.org")).status, 200);
});

test("a process that dies while an account ends leaves no address behind that nobody can have", async (t) => {
  const kim = await registerPerson(server.url, "kim");
  await addAddress(kim, "kim@example.org");
  const { auth } = server.ctx.db;
  const change = auth.change.bind(auth);
  let hasEnded = false;
  t.mock.method(auth, "change", async (...asked: Parameters<typeof change>) => {
    const ended = "select 1 from auth.accounts where user_id = $1 and deactivated_at is not null";
    hasEnded ||= (await auth.one(ended, [kim.userId])) !== undefined;
    if (hasEnded) throw new Error("killed");
    return change(...asked);
  });
  await deactivateAccount(server.ctx, kim.userId, false).catch(() => undefined);
  t.mock.restoreAll();
  assert.equal((await ask("/register", "kim@example.org")).status, 200);
});

test("without a mail server nobody can add an address, and a reset needs a sign-in", async () => {
  await using plain = await startTestServer();
  const asked = { client_secret: "a", email: "a@example.org", send_attempt: 1 };
  const answer = await request(plain.url, "POST", `${V3}/register/email/requestToken`, { body: asked });
  assert.deepEqual([answer.status, answer.body.errcode], [403, "M_THREEPID_DENIED"]);
  const reset = await request(plain.url, "POST", `${V3}/account/password`, { body: { new_password: PASSWORD } });
  assert.deepEqual([reset.status, reset.body.errcode], [401, "M_MISSING_TOKEN"]);
});

test("the doctor finds a mail server that can not be used", async () => {
  const env = {
    DATABASE_URL: server.databaseUrl,
    PARLEY_DATA_DIR: server.dataDir,
    PARLEY_MAIL_FROM: "parley@example.org",
  };
  const found = async (SMTP_URL: string) =>
    (await examine({ ...env, SMTP_URL })).findings.find(({ check }) => check === "mail");
  assert.equal((await found(mails.url))?.state, "ok");
  const wrong = await found(mails.url.replace("secret", "hunter2"));
  assert.equal(wrong?.state, "failure");
  assert.ok(!JSON.stringify(wrong).includes("hunter2"));
});

test("a mail that can not be sent does not take away the link of a newer one, which was sent meanwhile", async () => {
  const email = "slow@example.org";
  const client_secret = "slow";
  const body = { client_secret, email };
  const askFor = (send_attempt: number) =>
    request(server.url, "POST", `${V3}/register/email/requestToken`, { body: { ...body, send_attempt } });
  const db: { change: Db["change"] } = server.ctx.db.auth;
  const { change } = db;
  const [hasFailed, goesOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  db.change = async (...args) => {
    hasFailed.resolve();
    await goesOn.promise;
    return change(...args);
  };
  mails.refuse(true);
  const first = askFor(1);
  await hasFailed.promise;
  db.change = change;
  mails.refuse(false);
  assert.equal((await askFor(2)).status, 200);
  goesOn.resolve();
  assert.equal((await first).status, 503);
  assert.match(await confirm(email), /^200 /);
});
