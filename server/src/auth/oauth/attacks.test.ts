/** What somebody tries against the OAuth 2.0 API who is not the client, or not the person. RFC 9700. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { registerPerson, request } from "../../../../testkit/src/http.ts";
import {
  CALLBACK,
  codeFor,
  makePkce,
  METADATA,
  openBrowser,
  openClient,
  postForm,
  scopeFor,
  signIn,
  signInByOAuth,
} from "../../../../testkit/src/oauth.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";
import { endSessions } from "../end-sessions.ts";

let server: TestServer;
before(async () => {
  server = await startTestServer();
  for (const name of ["alice", "mallory"]) await registerPerson(server.url, name);
});
after(() => server.stop());

const whoami = (token: string) => request(server.url, "GET", "/_matrix/client/v3/account/whoami", { token });

/** A code that alice allowed, and what belongs to it. */
async function freshCode() {
  const [client, { verifier, challenge }] = [await openClient(server.url), makePkce()];
  const { code } = await codeFor(openBrowser(server.url), client.authorizeUrl(challenge), "alice");
  return { client, verifier, code };
}

test("no authorisation begins without PKCE, or with another method than S256", async () => {
  const client = await openClient(server.url);
  const { challenge, verifier } = makePkce();
  for (const more of [
    { code_challenge: "", code_challenge_method: "" },
    { code_challenge: verifier, code_challenge_method: "plain" },
  ]) {
    const { location } = await openBrowser(server.url).open(client.authorizeUrl(challenge, more));
    assert.equal(new URL(location ?? "").searchParams.get("error"), "invalid_request");
  }
});

test("a code is worth nothing without its verifier, with another one, another address or another client", async () => {
  const { client, verifier, code } = await freshCode();
  const other = await openClient(server.url, { ...METADATA, client_name: "Other" });
  const refusals = [
    await client.exchange(code, ""),
    await client.exchange(code, makePkce().verifier),
    await client.exchange(code, verifier, { redirect_uri: "https://app.example.com/other" }),
    await other.exchange(code, verifier),
    await client.exchange(code, verifier, { client_id: "nobody" }),
  ];
  for (const { status, body } of refusals) {
    assert.ok(status === 400 || status === 401, String(status));
    assert.match(body.error, /^invalid_(grant|request|client)$/);
  }
  assert.equal((await client.exchange(code, verifier)).status, 200);
});

test("a code that comes twice is refused, and the session that came of it ends", async () => {
  const { client, verifier, code } = await freshCode();
  const { body } = await client.exchange(code, verifier);
  assert.equal((await whoami(body.access_token)).status, 200);
  const again = await client.exchange(code, verifier);
  assert.equal(again.status, 400);
  assert.equal(again.body.error, "invalid_grant");
  assert.equal((await whoami(body.access_token)).status, 401);
  assert.equal((await client.refresh(body.refresh_token)).status, 400);
});

test("of a code that comes many times at once at most one session is left", async () => {
  const { client, verifier, code } = await freshCode();
  const answers = await Promise.all(Array.from({ length: 8 }, () => client.exchange(code, verifier)));
  assert.ok(answers.filter(({ status }) => status === 200).length <= 1);
});

test("a refresh token is worth nothing to another client", async () => {
  const { tokens, client } = await signInByOAuth(server.url, "alice", "STOLENRT01");
  const other = await openClient(server.url, { ...METADATA, client_name: "Other" });
  assert.equal((await other.refresh(tokens.refresh_token)).body.error, "invalid_grant");
  assert.equal((await client.refresh(tokens.refresh_token)).status, 200);
});

test("nobody is sent to an address that the client has not registered", async () => {
  const client = await openClient(server.url);
  for (const redirect_uri of [
    "https://evil.example/callback",
    "https://app.example.com/callback/",
    "https://app.example.com/callback?x=1",
    "https://app.example.com.evil.example/callback",
    "javascript:alert(1)",
  ]) {
    const page = await openBrowser(server.url).open(client.authorizeUrl(makePkce().challenge, { redirect_uri }));
    assert.equal(page.status, 400, redirect_uri);
    assert.equal(page.location, undefined);
  }
});

test("a native client is sent back to this machine on whatever port it listens on", async () => {
  const native = {
    ...METADATA,
    application_type: "native",
    redirect_uris: ["http://127.0.0.1/callback", "com.example.app:/callback"],
  };
  const client = await openClient(server.url, native);
  const browser = openBrowser(server.url);
  const redirect_uri = "http://127.0.0.1:49152/callback";
  const { verifier, challenge } = makePkce();
  const { code } = await codeFor(browser, client.authorizeUrl(challenge, { redirect_uri }), "alice");
  assert.equal((await client.exchange(code, verifier, { redirect_uri })).status, 200);
  const own = await browser.open(client.authorizeUrl(challenge, { redirect_uri: "com.example.app:/callback" }));
  const { location } = await browser.send(own, { decision: "allow" }, 'value="allow"');
  assert.match(location ?? "", /^com\.example\.app:\/callback\?/);
});

test("a scope without the API, without a device or with two is refused before anybody is asked", async () => {
  const client = await openClient(server.url);
  for (const scope of [
    "urn:matrix:client:api:*",
    "urn:matrix:client:device:AAAAAAAAAA",
    `${scopeFor("AAAAAAAAAA")} urn:matrix:client:device:BBBBBBBBBB`,
    scopeFor("with/slash"),
    "openid",
  ]) {
    const { location } = await openBrowser(server.url).open(client.authorizeUrl(makePkce().challenge, { scope }));
    assert.equal(new URL(location ?? "").searchParams.get("error"), "invalid_scope", scope);
  }
});

test("a link to a sign-in that goes on in another browser leads to nothing", async () => {
  const client = await openClient(server.url);
  const mallory = openBrowser(server.url);
  const page = await signIn(mallory, await mallory.open(client.authorizeUrl(makePkce().challenge)), "mallory");
  const victim = openBrowser(server.url);
  await signIn(victim, await victim.open("/oauth2/sign-in"), "alice");
  const shown = await victim.open(page.url);
  assert.equal(shown.status, 400);
  assert.doesNotMatch(shown.text, /value="allow"/);
});

test("no page of another site can press a button: neither without the form's token, nor from another origin", async () => {
  const client = await openClient(server.url);
  const browser = openBrowser(server.url);
  const page = await signIn(browser, await browser.open(client.authorizeUrl(makePkce().challenge)), "alice");
  const token = /name="token" value="([^"]+)"/.exec(page.text)?.[1] ?? "";
  const allow = { decision: "allow", token };
  for (const [fields, headers] of [
    [{ decision: "allow" }, {}],
    [{ ...allow, token: `${token.slice(0, -1)}_` }, {}],
    [allow, { origin: "https://evil.example", "sec-fetch-site": "cross-site" }],
    [allow, { origin: "null" }],
    [allow, { "sec-fetch-site": "same-site" }],
  ] as const) {
    const refused = await browser.post(page.url, fields, headers);
    assert.equal(refused.status, 403);
    assert.equal(refused.location, undefined);
  }
  const foreign = { origin: "https://evil.example" };
  const signedIn = await openBrowser(server.url).post(
    "/oauth2/sign-in",
    { user: "mallory", password: "password of mallory" },
    foreign,
  );
  assert.equal(signedIn.status, 403);
});

test("no link to the sign-in page sends anybody on to somebody else's", async () => {
  for (const next of [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "/oauth2/interactionx",
    "javascript:1",
  ]) {
    const browser = openBrowser(server.url);
    const page = await browser.open(`/oauth2/sign-in?${new URLSearchParams({ next }).toString()}`);
    const { location, url } = await signIn(browser, page, "alice");
    assert.equal(location, undefined);
    assert.equal(new URL(url).pathname, "/oauth2/account", next);
  }
});

test("what an application calls itself is shown as text", async () => {
  const client = await openClient(server.url, { ...METADATA, client_name: `<script>alert("1")</script>` });
  const browser = openBrowser(server.url);
  const page = await signIn(browser, await browser.open(client.authorizeUrl(makePkce().challenge)), "alice");
  assert.doesNotMatch(page.text, /<script/);
  assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  assert.doesNotMatch(page.headers.get("content-security-policy") ?? "", /unsafe/);
});

test("who is not signed in can not use a token of the right shape that none of our keys has signed", async () => {
  const { tokens } = await signInByOAuth(server.url, "alice", "FORGEDDEV1");
  const [header, payload, signature = ""] = (tokens.access_token as string).split(".");
  const none = Buffer.from(JSON.stringify({ alg: "none", typ: "at+jwt" })).toString("base64url");
  for (const forged of [
    `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
    `${none}.${payload}.`,
    `${none}.${payload}.${signature}`,
    "eyJhbGciOiJFUzI1NiJ9.e30.AAAA",
    "eyJ",
  ])
    assert.equal((await whoami(forged)).body.errcode, "M_UNKNOWN_TOKEN");
});

test("a token that stands in the database and was signed by none of our keys is nobody's", async () => {
  const { tokens } = await signInByOAuth(server.url, "alice", "PLANTEDDEV");
  const { tokenHash } = await import("../tokens.ts");
  const [, payload, signature] = (tokens.access_token as string).split(".");
  const header = Buffer.from(JSON.stringify({ alg: "ES256", typ: "at+jwt", kid: "planted" })).toString("base64url");
  const planted = `${header}.${payload}.${signature}`;
  await server.ctx.db.auth.change("update auth.tokens set access_hash = $2 where access_hash = $1", [
    tokenHash(tokens.access_token),
    tokenHash(planted),
  ]);
  const { status, body } = await whoami(planted);
  assert.equal(status, 401);
  assert.equal(body.errcode, "M_UNKNOWN_TOKEN");
});

test("wrong passwords on the page count as those of POST /login, and the page says so", async () => {
  await using strict = await startTestServer({ config: { rateLimits: true } });
  await registerPerson(strict.url, "alice");
  const browser = openBrowser(strict.url);
  const page = await browser.open("/oauth2/sign-in");
  const statuses = [];
  for (let i = 0; i < 7; i++) {
    const answer = await browser.send(page, { user: "alice", password: "wrong" });
    statuses.push(answer.status);
    assert.match(answer.text, /role="alert"/);
  }
  assert.deepEqual(statuses, [403, 403, 403, 403, 403, 429, 429]);
});

test("a device that was let in and has not come yet stays out once all sessions are ended", async () => {
  await registerPerson(server.url, "carol");
  const client = await openClient(server.url);
  const device = { client_id: client.clientId, scope: scopeFor("LATEDEVICE") };
  const { body } = await postForm(`${server.url}/oauth2/device`, device);
  const browser = openBrowser(server.url);
  const page = await signIn(browser, await browser.open(body.verification_uri_complete), "carol");
  await browser.send(page, { decision: "allow" }, 'value="allow"');
  const { verifier, challenge } = makePkce();
  const { code } = await codeFor(browser, client.authorizeUrl(challenge), "carol");
  await endSessions(server.ctx, { userId: "@carol:localhost" });
  const { device_code } = body;
  const grant_type = "urn:ietf:params:oauth:grant-type:device_code";
  const late = await postForm(`${server.url}/oauth2/token`, { grant_type, device_code, client_id: client.clientId });
  assert.deepEqual([late.status, late.body.error], [400, "invalid_grant"]);
  assert.equal((await client.exchange(code, verifier)).body.error, "invalid_grant");
});

test("where somebody signs in from is what the server sees, and not what they say", async () => {
  const { client, verifier, code } = await freshCode();
  const body = new URLSearchParams({
    grant_type: "authorization_code",
    client_id: client.clientId,
    redirect_uri: CALLBACK,
    code,
    code_verifier: verifier,
  });
  const headers = { "x-forwarded-for": "198.51.100.7 (your office)" };
  assert.equal((await fetch(`${server.url}/oauth2/token`, { method: "POST", headers, body })).status, 200);
  const [session] = await server.ctx.db.auth.query<{ last_seen_address: string }>(
    "select last_seen_address from auth.sessions where user_id = '@alice:localhost' and device_id = 'OAUTHDEV01'",
  );
  assert.equal(session?.last_seen_address, "127.0.0.1");
});
