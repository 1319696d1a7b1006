/** The OAuth 2.0 API as a client sees it. Specification: client-server-api, "OAuth 2.0 API". */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createLocalJWKSet, createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import { type Json, registerPerson, request, signInPerson } from "../../../../testkit/src/http.ts";
import { diesIn } from "../../../../testkit/src/mortal.ts";
import {
  codeFor,
  METADATA,
  makePkce,
  openBrowser,
  openClient,
  scopeFor,
  signIn,
  signInByOAuth,
} from "../../../../testkit/src/oauth.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";
import { limits } from "../../limits.ts";
import { refreshSession } from "./sessions.ts";

let server: TestServer;
before(async () => {
  server = await startTestServer();
  for (const name of ["alice", "bob"]) await registerPerson(server.url, name);
});
after(() => server.stop());

const whoami = (token: string, url = server.url) => request(url, "GET", "/_matrix/client/v3/account/whoami", { token });

/** What is not Matrix's own, and so in none of its schemas. */
const plain = async (path: string): Promise<Json> => (await fetch(server.url + path)).json();

test("the metadata says where everything is, and is the same at every address where clients look for it", async () => {
  const { status, body, headers } = await request(server.url, "GET", "/_matrix/client/v1/auth_metadata");
  assert.equal(status, 200);
  assert.deepEqual(body.response_types_supported, ["code"]);
  assert.deepEqual(body.response_modes_supported, ["query", "fragment"]);
  assert.deepEqual(body.code_challenge_methods_supported, ["S256"]);
  assert.deepEqual(body.prompt_values_supported, ["create"]);
  assert.ok(body.grant_types_supported.includes("urn:ietf:params:oauth:grant-type:device_code"));
  for (const each of ["authorization", "token", "revocation", "registration", "device_authorization"])
    assert.ok(body[`${each}_endpoint`].startsWith(body.issuer), each);
  assert.match(headers.get("cache-control") ?? "", /max-age/);
  for (const path of [
    "/_matrix/client/unstable/org.matrix.msc2965/auth_metadata",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
  ])
    assert.deepEqual(await plain(path), body, path);
});

test("a client signs a person in by a code, and has a session as every other, with the device that it chose", async () => {
  const { tokens } = await signInByOAuth(server.url, "alice", "CODEDEVICE");
  assert.equal(tokens.token_type, "Bearer");
  assert.equal(tokens.scope, scopeFor("CODEDEVICE"));
  assert.equal(tokens.expires_in, 3_600);
  const { body } = await whoami(tokens.access_token);
  assert.deepEqual(body, { user_id: "@alice:localhost", device_id: "CODEDEVICE", is_guest: false });
  const device = await request(server.url, "GET", "/_matrix/client/v3/devices/CODEDEVICE", {
    token: tokens.access_token,
  });
  assert.equal(device.body.display_name, "Example App");
});

test("an answer comes in the query or in the fragment, with the state and the issuer", async () => {
  const client = await openClient(server.url);
  for (const response_mode of ["query", "fragment"]) {
    const { challenge } = makePkce();
    const browser = openBrowser(server.url);
    let page = await browser.open(client.authorizeUrl(challenge, { response_mode }));
    page = await signIn(browser, page, "alice");
    assert.match(page.text, /Example App/);
    assert.match(page.text, /example\.com/);
    page = await browser.send(page, { decision: "allow" }, 'value="allow"');
    const url = new URL(page.location ?? "");
    assert.equal(url.origin + url.pathname, "https://app.example.com/callback");
    const parameters = new URLSearchParams(response_mode === "query" ? url.search : url.hash.slice(1));
    assert.equal(parameters.get("state"), "a state");
    assert.match(parameters.get("iss") ?? "", /^http:\/\/localhost:\d+\/$/);
    assert.ok(parameters.get("code"));
    assert.equal(response_mode === "query" ? url.hash : url.search, "");
  }
});

test("an answer in a form is refused before anybody is asked, as every mode that there is not", async () => {
  const client = await openClient(server.url);
  for (const response_mode of ["form_post", "web_message"]) {
    const page = await openBrowser(server.url).open(client.authorizeUrl(makePkce().challenge, { response_mode }));
    const url = new URL(page.location ?? "");
    assert.equal(url.origin + url.pathname, "https://app.example.com/callback", response_mode);
    assert.equal(url.searchParams.get("error"), "unsupported_response_mode");
    assert.equal(url.searchParams.get("state"), "a state");
  }
});

test("who does not allow it sends the client back with access_denied", async () => {
  const client = await openClient(server.url);
  const browser = openBrowser(server.url);
  const page = await signIn(browser, await browser.open(client.authorizeUrl(makePkce().challenge)), "alice");
  const { location } = await browser.send(page, { decision: "deny" }, 'value="allow"');
  assert.equal(new URL(location ?? "").searchParams.get("error"), "access_denied");
});

test("an access token is a JWT that anybody can verify by the JWKS, and says who, for which client and what", async () => {
  const { tokens, client } = await signInByOAuth(server.url, "alice", "JWTDEVICE1");
  const { body } = await request(server.url, "GET", "/_matrix/client/v1/auth_metadata");
  const keys = createRemoteJWKSet(new URL(body.jwks_uri));
  const { payload, protectedHeader } = await jwtVerify(tokens.access_token, keys, {
    issuer: body.issuer,
    audience: body.issuer,
    algorithms: ["ES256"],
    typ: "at+jwt",
  });
  assert.equal(payload.sub, "@alice:localhost");
  assert.equal(payload["client_id"], client.clientId);
  assert.equal(payload["scope"], scopeFor("JWTDEVICE1"));
  assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 3_600);
  const jwks = await plain(new URL(body.jwks_uri).pathname);
  assert.ok(jwks.keys.every((key: object) => !("d" in key)));
  assert.ok(jwks.keys.some((key: { kid: string }) => key.kid === protectedHeader.kid));
});

test("with the scope openid there is an id token of the same person, with the nonce of the request", async () => {
  const client = await openClient(server.url);
  const { verifier, challenge } = makePkce();
  const scope = `openid ${scopeFor("IDTOKENDEV")}`;
  const url = client.authorizeUrl(challenge, { scope, nonce: "a nonce" });
  const { code } = await codeFor(openBrowser(server.url), url, "alice");
  const { body } = await client.exchange(code, verifier);
  assert.equal(body.scope, scope);
  const jwks = await plain("/oauth2/keys");
  const { payload } = await jwtVerify(body.id_token, createLocalJWKSet(jwks), { audience: client.clientId });
  assert.equal(payload.sub, "@alice:localhost");
  assert.equal(payload["nonce"], "a nonce");
});

test("both names of the scopes are taken, and the answer has those that were asked for", async () => {
  const client = await openClient(server.url);
  const { verifier, challenge } = makePkce();
  const prefix = "urn:matrix:org.matrix.msc2967.client";
  const scope = `${prefix}:api:* ${prefix}:device:OLDSCOPES1`;
  const { code } = await codeFor(openBrowser(server.url), client.authorizeUrl(challenge, { scope }), "alice");
  const { body } = await client.exchange(code, verifier);
  assert.equal(body.scope, scope);
  assert.equal((await whoami(body.access_token)).body.device_id, "OLDSCOPES1");
});

test("tokens are refreshed; the old pair is good until the new one is used, so that a lost answer costs nothing", async () => {
  const { client, tokens } = await signInByOAuth(server.url, "bob", "REFRESHDEV");
  const lost = await client.refresh(tokens.refresh_token);
  assert.equal(lost.status, 200);
  assert.equal((await whoami(tokens.access_token)).status, 200);
  const again = await client.refresh(tokens.refresh_token);
  assert.equal(again.status, 200);
  assert.equal(again.body.scope, scopeFor("REFRESHDEV"));
  assert.equal((await whoami(again.body.access_token)).status, 200);
});

/** As if so much time had gone by since tokens were made. */
const age = (time_ms: number) =>
  server.ctx.db.auth.change("update auth.tokens set created_at = created_at - $1 * interval '1 millisecond'", [
    time_ms,
  ]);

test("a process that dies at any step of a refresh signs nobody out: the token that the client has is good for another pair", async () => {
  const { client, tokens } = await signInByOAuth(server.url, "bob", "DYINGDEV01");
  const { clientId } = client;
  let refreshToken = tokens.refresh_token as string;
  let deaths = 0;
  for (const when of ["before", "after"] as const)
    for (let at = 1, died = true; died; at++) {
      const death = { at, when, of: ["auth"] } as const;
      died = await diesIn(server.ctx, death, (mortal) => refreshSession(mortal, { refreshToken, clientId }));
      if (died) deaths += 1;
      // The client comes again late, and somewhere else.
      await age(limits.oauthTwice_ms);
      const again = await client.refresh(refreshToken);
      assert.equal(again.status, 200, `${when} ${at}: ${JSON.stringify(again.body)}`);
      assert.equal((await whoami(again.body.access_token)).body.device_id, "DYINGDEV01");
      refreshToken = again.body.refresh_token;
    }
  assert.ok(deaths >= 4, `it died ${deaths} times`);
});

test("two tabs that refresh the same token at the same time both go on, for hours", async () => {
  const { client, tokens } = await signInByOAuth(server.url, "bob", "TWOTABSDEV");
  let [one, other] = [tokens, tokens];
  for (let hour = 0; hour < 3; hour++) {
    const refreshed = await client.refresh(one.refresh_token);
    assert.equal((await whoami(refreshed.body.access_token)).status, 200);
    const late = await client.refresh(other.refresh_token);
    assert.equal(late.status, 200, JSON.stringify(late.body));
    [one, other] = [late.body, refreshed.body];
    for (const { access_token } of [one, other, one]) assert.equal((await whoami(access_token)).status, 200);
    await age(3_600_000);
  }
});

test("a refresh token that comes again after its successor was used ends the session, however old it is", async () => {
  for (const generations of [1, 3]) {
    const { client, tokens } = await signInByOAuth(server.url, "bob", "REUSEDEV01");
    let newest = tokens;
    for (let i = 0; i < generations; i++) {
      newest = (await client.refresh(newest.refresh_token)).body;
      assert.equal((await whoami(newest.access_token)).status, 200);
    }
    await age(limits.oauthTwice_ms);
    const reused = await client.refresh(tokens.refresh_token);
    assert.equal(reused.status, 400);
    assert.equal(reused.body.error, "invalid_grant");
    const { status, body } = await whoami(newest.access_token);
    assert.equal(status, 401);
    assert.equal(body.soft_logout, undefined);
    assert.equal((await client.refresh(newest.refresh_token)).status, 400);
  }
});

test("revoking either token ends the session and its device, whoever asks; what is not known is answered the same", async () => {
  for (const kind of ["access_token", "refresh_token"]) {
    const { client, tokens } = await signInByOAuth(server.url, "bob", "REVOKEDEV1");
    const other = await openClient(server.url, { ...METADATA, client_name: "Other" });
    assert.equal((await other.revoke(tokens[kind])).status, 200);
    assert.equal((await whoami(tokens.access_token)).body.errcode, "M_UNKNOWN_TOKEN");
    assert.equal((await client.refresh(tokens.refresh_token)).status, 400);
    assert.equal((await client.revoke(tokens[kind])).status, 200);
    assert.equal((await client.revoke("nonsense")).status, 200);
    assert.equal((await client.revoke("")).status, 400);
  }
});

test("signing in again with a device ends its earlier tokens, and the API that was used last is the one that counts", async () => {
  const first = await signInByOAuth(server.url, "bob", "SAMEDEVICE");
  const second = await signInByOAuth(server.url, "bob", "SAMEDEVICE");
  assert.equal((await whoami(first.tokens.access_token)).status, 401);
  assert.equal((await whoami(second.tokens.access_token)).status, 200);
  const legacy = await signInPerson(server.url, "bob", { device_id: "SAMEDEVICE" });
  assert.equal((await second.client.refresh(second.tokens.refresh_token)).status, 400);
  assert.equal((await whoami(legacy.token)).status, 200);
  const refused = await request(server.url, "POST", "/_matrix/client/v3/refresh", {
    body: { refresh_token: second.tokens.refresh_token },
  });
  assert.equal(refused.body.errcode, "M_UNKNOWN_TOKEN");
});

test("another replica goes on at every step with what this one began", async () => {
  const config = { publicUrl: server.ctx.publicUrl() };
  await using other = await startTestServer({ databaseUrl: server.databaseUrl, config });
  const client = await openClient(server.url);
  const { verifier, challenge } = makePkce();
  const { code } = await codeFor(openBrowser(server.url), client.authorizeUrl(challenge), "alice");
  const { body } = await client.exchange(code, verifier, { at: other.url });
  assert.equal((await whoami(body.access_token, server.url)).status, 200);
  const refreshed = (await client.refresh(body.refresh_token, server.url)).body;
  assert.equal((await whoami(refreshed.access_token, other.url)).status, 200);
  assert.equal(decodeProtectedHeader(refreshed.access_token).kid, decodeProtectedHeader(body.access_token).kid);
  assert.equal((await client.revoke(refreshed.access_token, other.url)).status, 200);
  assert.equal((await whoami(refreshed.access_token, other.url)).status, 401);
});

test("an account is made on the page to which prompt=create leads, and goes on to the application", async () => {
  const client = await openClient(server.url);
  const { verifier, challenge } = makePkce();
  const browser = openBrowser(server.url);
  let page = await browser.open(client.authorizeUrl(challenge, { prompt: "create" }));
  assert.match(page.url, /\/oauth2\/register/);
  const fields = { user: "carol", password: "password of carol", again: "password of carole" };
  page = await browser.send(page, fields);
  assert.equal(page.status, 400);
  assert.match(page.text, /The two passwords differ/);
  page = await browser.send(page, { ...fields, again: fields.password });
  page = await browser.send(page, { decision: "allow" }, 'value="allow"');
  const code = new URL(page.location ?? "").searchParams.get("code") ?? "";
  const { body } = await client.exchange(code, verifier);
  assert.equal((await whoami(body.access_token)).body.user_id, "@carol:localhost");
});
