/** The OAuth 2.0 API through a client library that others wrote and that follows the RFCs to the letter. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as oauth from "openid-client";
import { registerPerson, request } from "../../../../testkit/src/http.ts";
import { CALLBACK, METADATA, openBrowser, scopeFor, signIn } from "../../../../testkit/src/oauth.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";

let server: TestServer;
before(async () => {
  server = await startTestServer();
  await registerPerson(server.url, "alice");
});
after(() => server.stop());

/** It insists on https, which a test server has not. */
const options = { execute: [oauth.allowInsecureRequests] };

test("openid-client discovers, registers, signs in with PKCE, refreshes and revokes", async () => {
  const issuer = new URL(server.ctx.publicUrl());
  const config = await oauth.dynamicClientRegistration(issuer, METADATA, oauth.None(), options);
  const verifier = oauth.randomPKCECodeVerifier();
  const [state, nonce] = [oauth.randomState(), oauth.randomNonce()];
  const url = oauth.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK,
    scope: `openid ${scopeFor("INDEPENDEN")}`,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
  });
  const browser = openBrowser(server.url);
  const page = await signIn(browser, await browser.open(url.href), "alice");
  const { location = "" } = await browser.send(page, { decision: "allow" }, 'value="allow"');
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
  const tokens = await oauth.authorizationCodeGrant(config, new URL(location), checks);
  assert.equal(tokens.claims()?.sub, "@alice:localhost");
  const whoami = (token: string) => request(server.url, "GET", "/_matrix/client/v3/account/whoami", { token });
  assert.equal((await whoami(tokens.access_token)).body.device_id, "INDEPENDEN");
  const refreshed = await oauth.refreshTokenGrant(config, tokens.refresh_token ?? "");
  assert.notEqual(refreshed.refresh_token, tokens.refresh_token);
  assert.equal((await whoami(refreshed.access_token)).status, 200);
  await oauth.tokenRevocation(config, refreshed.access_token);
  assert.equal((await whoami(refreshed.access_token)).status, 401);
});
