/** The provider ends what it has begun: OpenID Connect Back-Channel Logout 1.0. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { SignJWT, generateKeyPair } from "jose";
import { request } from "../../../../testkit/src/http.ts";
import { diesIn } from "../../../../testkit/src/mortal.ts";
import { makePkce, openBrowser, openClient, postForm } from "../../../../testkit/src/oauth.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";
import { startUpstream, throughUpstream, type Upstream, UPSTREAM_CLIENT } from "../../../../testkit/src/upstream.ts";
import { tokenHash } from "../tokens.ts";
import { readSso, type SsoProvider } from "./config.ts";
import { endLogins } from "./sessions.ts";
import { guardedFetch } from "./upstream.ts";

let upstream: Upstream;
let server: TestServer;

const APP = "https://app.example.com/";
const V3 = "/_matrix/client/v3";
const BEGIN = `${V3}/login/sso/redirect/test?${new URLSearchParams({ redirectUrl: APP }).toString()}`;

before(async () => {
  upstream = await startUpstream({ sub: "1" });
  const provider = { id: "test", name: "Test ID", issuer: upstream.issuer, ...UPSTREAM_CLIENT };
  const sso = readSso({ PARLEY_SSO_PROVIDERS: JSON.stringify([provider]), PARLEY_SSO_CLIENTS: APP });
  server = await startTestServer({ config: { sso } });
  upstream.serve(server.url, "test");
});
after(async () => {
  await server.stop();
  await upstream[Symbol.asyncDispose]();
});

/** Somebody comes by the provider, up to the application's address. */
async function come(name: string) {
  upstream.serve(server.ctx.publicUrl(), "test");
  upstream.person = { sub: name, preferred_username: name };
  const browser = openBrowser(server.url);
  const there = openBrowser(upstream.issuer);
  const page = await browser.open(await throughUpstream(await browser.open(BEGIN), there));
  const token = new URL(page.location ?? "").searchParams.get("loginToken") ?? "";
  // With which the provider's own requests reach this server.
  upstream.serve(server.url, "test");
  return { browser, token };
}

const logIn = (token: string) => request(server.url, "POST", `${V3}/login`, { body: { type: "m.login.token", token } });

/** Somebody signs a device in by the provider; gives its access token. */
async function deviceOf(name: string): Promise<string> {
  return (await logIn((await come(name)).token)).body.access_token as string;
}

const isIn = async (token: string) =>
  (await request(server.url, "GET", `${V3}/account/whoami`, { token })).status === 200;

const send = (logout_token: string) => postForm(`${server.url}/oauth2/upstream/test/logout`, { logout_token });

test("who signs out at the provider is signed out here: devices, browsers and what is under way", async () => {
  const [one, two] = [await deviceOf("anna"), await deviceOf("anna")];
  const { browser, token } = await come("anna");
  const other = await deviceOf("bert");
  await upstream.signOut("anna");
  assert.deepEqual([await isIn(one), await isIn(two), await isIn(other)], [false, false, true]);
  assert.equal((await logIn(token)).status, 403, "a login token that was not used yet");
  assert.match((await browser.open("/oauth2/account")).url, /sign-in/);
});

test("a session of an OAuth application ends too, and its code that was not used yet is worth nothing", async () => {
  const { browser } = await come("cora");
  const [client, first, second] = [await openClient(server.url), makePkce(), makePkce()];
  const codeFor = async (challenge: string) => {
    const page = await browser.open(client.authorizeUrl(challenge));
    const { location = "" } = await browser.send(page, { decision: "allow" }, 'value="allow"');
    return new URL(location).searchParams.get("code") ?? "";
  };
  const { body } = await client.exchange(await codeFor(first.challenge), first.verifier);
  assert.equal(await isIn(body.access_token), true);
  const waiting = await codeFor(second.challenge);
  assert.equal((await send(await upstream.logoutToken({ sub: "cora" }))).status, 200);
  assert.equal(await isIn(body.access_token), false);
  assert.equal((await client.exchange(waiting, second.verifier)).body.error, "invalid_grant");
});

test("a session that begins in the moment in which the provider ends it does not stay", async () => {
  const { token } = await come("dirk");
  await server.ctx.db.auth.change(
    "update auth.sso_logins set ended_at = now() where login_id = (select sso_login from auth.login_tokens where token_hash = $1)",
    [tokenHash(token)],
  );
  const refused = await logIn(token);
  assert.deepEqual([refused.status, refused.body.errcode], [403, "M_FORBIDDEN"]);
  const left = await server.ctx.db.auth.query("select 1 from auth.sessions where user_id = '@dirk:localhost'", []);
  assert.equal(left.length, 0);
});

test("a process that dies while it ends what the provider began leaves nobody signed in: at once, or with the provider's next try", async () => {
  const issuer = upstream.issuer;
  for (const when of ["before", "after"] as const) {
    const name = `dies-${when}`;
    const devices = [await deviceOf(name), await deviceOf(name)];
    const ending = { issuer, clientId: UPSTREAM_CLIENT.client_id, subject: name, sid: undefined, tokenId: name };
    assert.ok(
      await diesIn(server.ctx, { at: 1, when, of: ["auth"] }, (mortal) => endLogins(mortal, ending)),
      "it died",
    );
    assert.equal(await endLogins(server.ctx, ending), when === "before", "the token was used, or it was not");
    assert.deepEqual(await Promise.all(devices.map(isIn)), [false, false], when);
  }
});

test("a device that signs in again by itself is not the provider's any more", async () => {
  const { token } = await come("emil");
  const device = (await logIn(token)).body;
  const made = await server.ctx.db.auth.one<{ login: number }>(
    "select login_id as login from auth.sso_sessions x join auth.sessions s on s.session_id = x.session_id where s.user_id = $1",
    [device.user_id],
  );
  assert.ok(made?.login);
  await server.ctx.db.auth.query("select auth.sso_attach($1, $2, null)", [device.user_id, device.device_id]);
  assert.equal((await send(await upstream.logoutToken({ sub: "emil" }))).status, 200);
  assert.equal(await isIn(device.access_token), true);
});

test("a logout token counts once, and one that is wrong in any part ends nothing", async () => {
  const token = await deviceOf("fynn");
  const event = "http://schemas.openid.net/event/backchannel-logout";
  const now_s = Math.floor(Date.now() / 1_000);
  const sub = "fynn";
  const wrong: Record<string, [claims: Record<string, unknown>, header?: Record<string, unknown>]> = {
    "another issuer": [{ sub, iss: "https://evil.example" }],
    "for somebody else": [{ sub, aud: "another client" }],
    "without aud": [{ sub, aud: undefined }],
    old: [{ sub, iat: now_s - 3_600, exp: now_s + 60 }],
    "from the future": [{ sub, iat: now_s + 3_600, exp: now_s + 7_200 }],
    expired: [{ sub, exp: now_s - 600 }],
    "without iat": [{ sub, iat: undefined }],
    "without jti": [{ sub, jti: undefined }],
    "without events": [{ sub, events: undefined }],
    "with another event": [{ sub, events: { "urn:other": {} } }],
    "with an event that is no object": [{ sub, events: { [event]: true } }],
    "with a nonce, as an id token": [{ sub, nonce: "n" }],
    "without sub and sid": [{}],
    "an access token": [{ sub }, { typ: "at+jwt" }],
    "of an unknown key": [{ sub }, { kid: "another" }],
  };
  for (const [what, [claims, header]] of Object.entries(wrong)) {
    const answer = await send(await upstream.logoutToken(claims, header));
    assert.deepEqual([answer.status, answer.body.error], [400, "invalid_request"], what);
    assert.equal(answer.headers.get("cache-control"), "no-store");
  }
  for (const forged of await forgeries(sub)) assert.equal((await send(forged)).status, 400, forged);
  assert.equal(await isIn(token), true);
  const right = await upstream.logoutToken({ sub: "nobody here" });
  assert.equal((await send(right)).status, 200);
  assert.match((await send(right)).body.error_description, /used before/);
  assert.equal(await isIn(token), true);
});

/** Signed by somebody else, by nobody, with a secret that both know, and garbage. */
async function forgeries(sub: string): Promise<string[]> {
  const [header = "", body = ""] = (await upstream.logoutToken({ sub })).split(".");
  const { privateKey } = await generateKeyPair("RS256");
  const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as Record<string, unknown>;
  const foreign = await new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "upstream" }).sign(privateKey);
  const secret = new TextEncoder().encode(UPSTREAM_CLIENT.client_secret);
  const shared = await new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(secret);
  const none = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${body}.`;
  return [foreign, shared, none, `${header}.${body}.`, "garbage", ""];
}

test("by sid one session of the provider ends, and by both it has to be that person's", async () => {
  const [one, two] = [await deviceOf("gerd"), await deviceOf("gerd")];
  const rows = await server.ctx.db.auth.query<{ loginId: string }>(
    `select login_id as "loginId" from auth.sso_logins where subject = 'gerd' order by login_id`,
    [],
  );
  assert.equal(rows.length, 2);
  await server.ctx.db.auth.change("update auth.sso_logins set sid = 'first' where login_id = $1", [rows[0]?.loginId]);
  assert.equal((await send(await upstream.logoutToken({ sid: "first", sub: "another" }))).status, 200);
  assert.deepEqual([await isIn(one), await isIn(two)], [true, true]);
  assert.equal((await send(await upstream.logoutToken({ sid: "first" }))).status, 200);
  assert.deepEqual([await isIn(one), await isIn(two)], [false, true]);
});

test("a provider's keys are fetched from where it says, and nobody is sent where nobody allowed", async () => {
  let asked = 0;
  const inside = createServer((_request, response) => void (asked++, response.end("{}")));
  await new Promise<void>((listening) => inside.listen(0, "127.0.0.1", listening));
  const { port } = inside.address() as AddressInfo;
  const sso = readSso({
    PARLEY_SSO_PROVIDERS: JSON.stringify([
      { id: "x", name: "X", issuer: "https://203.0.113.9", client_id: "a", hosts: `192.0.2.1:${port}` },
    ]),
  });
  await using other = await startTestServer({ config: { sso } });
  const fetch = guardedFetch(other.ctx, sso.providers[0] as SsoProvider);
  await assert.rejects(
    fetch(`http://127.0.0.1:${port}/keys`, { method: "GET", headers: {}, body: null, redirect: "manual" }),
    /127\.0\.0\.1/,
  );
  assert.equal(asked, 0);
  inside.close();
});
