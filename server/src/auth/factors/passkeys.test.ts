/** Passkeys: adding, using and removing them, and what is refused. WebAuthn Level 3, "Verifying an Authentication Assertion". */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { makeAuthenticator } from "../../../../testkit/src/authenticator.ts";
import { registerPerson } from "../../../../testkit/src/http.ts";
import { type Browser, openBrowser, signIn, type Visited } from "../../../../testkit/src/oauth.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";
import { limits } from "../../limits.ts";

const FACTORS = "/oauth2/account/factors";

let server: TestServer;
let place: { origin: string; rpId: string };
before(async () => {
  server = await startTestServer();
  place = { origin: server.ctx.publicUrl(), rpId: "localhost" };
});
after(() => server.stop());

type Authenticator = ReturnType<typeof makeAuthenticator>;

async function openFactors(name: string): Promise<{ browser: Browser; page: Visited }> {
  const browser = openBrowser(server.url);
  return { browser, page: await signIn(browser, await browser.open(FACTORS), name) };
}

function tokenIn(page: Visited): string {
  return /name="token" value="([^"]*)"/.exec(page.text)?.[1] ?? "";
}

async function challengeForNew(browser: Browser, page: Visited) {
  const { text } = await browser.post(`${FACTORS}/passkey/options`, { token: tokenIn(page) });
  return JSON.parse(text);
}

/** Somebody who has a passkey. */
async function withPasskey(name: string, authenticator: Authenticator = makeAuthenticator()) {
  await registerPerson(server.url, name);
  const { browser, page } = await openFactors(name);
  const options = await challengeForNew(browser, page);
  const credential = authenticator.create({ ...place, challenge: options.challenge });
  const done = await browser.send(page, { credential, name: `Key of ${name}` }, "add_passkey");
  assert.match(done.text, /The passkey is added/);
  return { authenticator, browser, page: done, options };
}

async function challengeIn(browser: Browser): Promise<string> {
  const { text } = await browser.post("/oauth2/sign-in/passkey/options", {});
  return JSON.parse(text).challenge;
}

const send = (browser: Browser, credential: string) =>
  browser.post("/oauth2/sign-in/passkey", { credential, next: "/oauth2/account" });

async function isSignedIn(browser: Browser): Promise<boolean> {
  return (await browser.open("/oauth2/account")).text.includes("Your devices");
}

test("a passkey signs its person in, without a name and without the password", async () => {
  const { authenticator } = await withPasskey("ana");
  const browser = openBrowser(server.url);
  const page = await send(browser, authenticator.get({ ...place, challenge: await challengeIn(browser) }));
  assert.match(page.text, /@ana:localhost/);
  assert.equal(await isSignedIn(browser), true);
});

test("the authenticator is asked for a passkey that it finds itself, and for a verified person", async () => {
  const { options } = await withPasskey("berta");
  assert.equal(options.authenticatorSelection.residentKey, "required");
  assert.equal(options.authenticatorSelection.userVerification, "required");
  assert.equal(options.rp.id, "localhost");
  assert.doesNotMatch(Buffer.from(options.user.id, "base64url").toString(), /berta/);
  const { text } = await openBrowser(server.url).post("/oauth2/sign-in/passkey/options", {});
  const asked = JSON.parse(text);
  assert.equal(asked.userVerification, "required");
  assert.equal(asked.allowCredentials, undefined, "whose passkeys there are is told nobody");
});

test("a challenge is good once", async () => {
  const { authenticator } = await withPasskey("carla");
  const browser = openBrowser(server.url);
  const challenge = await challengeIn(browser);
  assert.equal((await send(browser, authenticator.get({ ...place, challenge }))).status, 200);
  const again = await send(browser, authenticator.get({ ...place, challenge }));
  assert.equal(again.status, 403);
});

test("a challenge of one browser is not good in another", async () => {
  const { authenticator } = await withPasskey("dora");
  const [victim, thief] = [openBrowser(server.url), openBrowser(server.url)];
  const challenge = await challengeIn(victim);
  await challengeIn(thief);
  assert.equal((await send(thief, authenticator.get({ ...place, challenge }))).status, 403);
  assert.equal(await isSignedIn(thief), false);
  assert.equal((await send(victim, authenticator.get({ ...place, challenge }))).status, 200);
});

test("a challenge that the server did not make, or that has expired, is refused", async () => {
  const { authenticator } = await withPasskey("erna");
  const browser = openBrowser(server.url);
  const challenge = await challengeIn(browser);
  const own = Buffer.from("of my own making, thirty-two long").toString("base64url");
  assert.equal((await send(browser, authenticator.get({ ...place, challenge: own }))).status, 403);
  await server.ctx.db.auth.change("update auth.passkey_challenges set expires_at = now() - interval '1 second'");
  assert.equal((await send(browser, authenticator.get({ ...place, challenge }))).status, 403);
  assert.equal(await isSignedIn(browser), false);
});

for (const [what, wrong] of Object.entries({
  "another origin": { origin: "https://parley.example.net" },
  "another site": { rpId: "example.net" },
  "nobody verified": { isVerified: false },
  "somebody else's handle": { userHandle: Buffer.from("somebody").toString("base64url") },
}))
  test(`an answer with ${what} is refused, and the same without it is not`, async () => {
    const name = `f${what.length}`;
    const { authenticator } = await withPasskey(name);
    const browser = openBrowser(server.url);
    const refused = await send(
      browser,
      authenticator.get({ ...place, challenge: await challengeIn(browser), ...wrong }),
    );
    assert.equal(refused.status, 403);
    assert.equal(await isSignedIn(browser), false);
    const right = authenticator.get({ ...place, challenge: await challengeIn(browser) });
    assert.equal((await send(browser, right)).status, 200);
  });

test("a counter that does not go up is refused: there are two of the passkey", async () => {
  const { authenticator } = await withPasskey("gina");
  const browser = openBrowser(server.url);
  const use = async () => send(browser, authenticator.get({ ...place, challenge: await challengeIn(browser) }));
  assert.equal((await use()).status, 200);
  authenticator.state.counter -= 1;
  assert.equal((await use()).status, 403);
  assert.equal((await use()).status, 200);
});

test("a passkey that never counts, as those that sync, is good", async () => {
  const { authenticator } = await withPasskey("hilde", makeAuthenticator({ counts: false }));
  const browser = openBrowser(server.url);
  for (let i = 0; i < 2; i++) {
    const answer = authenticator.get({ ...place, challenge: await challengeIn(browser) });
    assert.equal((await send(browser, answer)).status, 200);
  }
});

test("the signature is verified with the key of this passkey", async () => {
  const { authenticator } = await withPasskey("ida");
  const browser = openBrowser(server.url);
  const other = makeAuthenticator().get({ ...place, challenge: await challengeIn(browser) });
  const forged = JSON.stringify({ ...JSON.parse(other), id: authenticator.id, rawId: authenticator.id });
  assert.equal((await send(browser, forged)).status, 403);
  assert.equal(await isSignedIn(browser), false);
});

test("what is no answer of a passkey is refused with a sentence", async () => {
  const browser = openBrowser(server.url);
  await challengeIn(browser);
  for (const credential of ["", "{", "[]", '{"id":1}', `{"id":"${"a".repeat(12_000)}"}`]) {
    const { status, text } = await send(browser, credential);
    assert.equal(status, 400, credential.slice(0, 20));
    assert.match(text, /no answer of a passkey/);
  }
});

test("a passkey is listed, renamed and removed, and opens nothing after that", async () => {
  const { authenticator, browser, page } = await withPasskey("jana");
  assert.match(page.text, /Key of jana/);
  const renamed = await browser.send(page, { name: "Telephone <b>" }, "rename_passkey");
  assert.match(renamed.text, /Telephone &#60;b&#62;/);
  const removed = await browser.send(renamed, {}, "remove_passkey");
  assert.doesNotMatch(removed.text, /Telephone/);
  const other = openBrowser(server.url);
  const refused = await send(other, authenticator.get({ ...place, challenge: await challengeIn(other) }));
  assert.equal(refused.status, 403);
  assert.match(refused.text, /not known here/);
});

test("nobody renames or removes somebody else's passkey", async () => {
  const { authenticator } = await withPasskey("karla");
  await registerPerson(server.url, "lena");
  const { browser, page } = await openFactors("lena");
  for (const act of ["rename_passkey", "remove_passkey"])
    await browser.post(FACTORS, { act, id: authenticator.id, name: "Mine", token: tokenIn(page) });
  const [row] = await server.ctx.db.auth.query<{ name: string }>(
    "select name from auth.passkeys where user_id = '@karla:localhost'",
  );
  assert.equal(row?.name, "Key of karla");
});

test("a passkey is somebody's once, and an account has a limited number of them", async () => {
  const { authenticator, browser, page } = await withPasskey("mona");
  const add = async (of: Authenticator) => {
    const { challenge } = await challengeForNew(browser, page);
    return browser.send(page, { credential: of.create({ ...place, challenge }), name: "Another" }, "add_passkey");
  };
  assert.match((await add(authenticator)).text, /belongs to an account here already/);
  await server.ctx.db.auth.change(
    `insert into auth.passkeys (credential_id, user_id, public_key, counter, transports, name)
     select decode(lpad(n::text, 8, '0'), 'hex'), '@mona:localhost', '', 0, '{}', 'one of many' from generate_series(2, $1) n`,
    [limits.passkeys],
  );
  assert.match((await add(makeAuthenticator())).text, /at most 20 passkeys/);
});

test("to change passkeys one has signed in a moment ago, in this browser, with this page", async () => {
  const { authenticator, browser, page } = await withPasskey("nora");
  const stranger = openBrowser(server.url);
  assert.match((await stranger.post(FACTORS, { act: "remove_passkey", id: authenticator.id })).text, /name="password"/);
  const forged = await browser.post(FACTORS, { act: "remove_passkey", id: authenticator.id, token: "guess" });
  assert.equal(forged.status, 403);
  await server.ctx.db.auth.change(
    "update auth.browser_sessions set created_at = now() - interval '11 minutes' where user_id = '@nora:localhost'",
  );
  const late = await browser.send(page, {}, "remove_passkey");
  assert.match(late.text, /name="password"/, "the sign-in page");
  assert.equal((await browser.post(`${FACTORS}/passkey/options`, { token: tokenIn(page) })).status, 403);
  const shown = await browser.open(FACTORS);
  assert.match(shown.text, /Sign in again/);
  assert.match(shown.text, /Key of nora/);
  assert.doesNotMatch(shown.text, /remove_passkey|add_passkey/);
});

test("the pages with a script allow this one file's origin and nothing inline; the others allow none", async () => {
  const browser = openBrowser(server.url);
  const { headers, text } = await browser.open("/oauth2/sign-in");
  const policy = headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self';/);
  assert.match(policy, /require-trusted-types-for 'script'/);
  assert.doesNotMatch(policy, /unsafe|nonce/);
  assert.deepEqual(text.match(/<script[^>]*>/g), ['<script src="/oauth2/passkeys.js" type="module">']);
  const script = await browser.open("/oauth2/passkeys.js");
  assert.match(script.headers.get("content-type") ?? "", /^text\/javascript/);
  const without = await browser.open("/oauth2/register");
  assert.doesNotMatch(without.headers.get("content-security-policy") ?? "", /script-src/);
});

test("an account that ends has no passkeys left", async () => {
  const { authenticator } = await withPasskey("olga");
  const olga = openBrowser(server.url);
  const page = await signIn(olga, await olga.open("/oauth2/account?action=org.matrix.account_deactivate"), "olga");
  await olga.send(page, { password: "password of olga" }, 'value="deactivate"');
  const browser = openBrowser(server.url);
  const refused = await send(browser, authenticator.get({ ...place, challenge: await challengeIn(browser) }));
  assert.match(refused.text, /not known here/);
});
