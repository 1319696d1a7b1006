/** Clients of the legacy API and the sign-in pages. Specification: client-server-api, "Client login via SSO". */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { registerPerson, request } from "../../../../testkit/src/http.ts";
import { openBrowser, signIn } from "../../../../testkit/src/oauth.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";

let server: TestServer;
before(async () => {
  server = await startTestServer();
  await registerPerson(server.url, "alice");
});
after(() => server.stop());

const start = (redirectUrl: string, more: Record<string, string> = {}) =>
  `/_matrix/client/v3/login/sso/redirect?${new URLSearchParams({ redirectUrl, ...more }).toString()}`;

test("a client of the legacy API gets a person back with a token that signs them in, once", async () => {
  const { body: flows } = await request(server.url, "GET", "/_matrix/client/v3/login");
  const sso = flows.flows.find(({ type }: { type: string }) => type === "m.login.sso");
  assert.equal(sso.oauth_aware_preferred, true);
  const browser = openBrowser(server.url);
  const page = await signIn(browser, await browser.open(start("https://app.example.com/?x=1#there")), "alice");
  assert.match(page.text, /app\.example\.com/);
  const { location = "" } = await browser.send(page, {}, 'name="redirectUrl"');
  const url = new URL(location);
  assert.equal(url.searchParams.get("x"), "1");
  const body = { type: "m.login.token", token: url.searchParams.get("loginToken") };
  const login = await request(server.url, "POST", "/_matrix/client/v3/login", { body });
  assert.equal(login.body.user_id, "@alice:localhost");
  assert.equal((await request(server.url, "POST", "/_matrix/client/v3/login", { body })).status, 403);
});

test("who wants to register is led to that page", async () => {
  const page = await openBrowser(server.url).open(start("https://app.example.com/", { action: "register" }));
  assert.match(page.url, /\/oauth2\/register/);
});

test("nobody is sent to what is no application's address, and no other site gets a token", async () => {
  for (const redirectUrl of ["javascript:alert(1)", "data:text/html,x", "nowhere"]) {
    const { status, body } = await request(server.url, "GET", start(redirectUrl));
    assert.equal(status, 400, redirectUrl);
    assert.equal(body.errcode, "M_INVALID_PARAM");
  }
  const browser = openBrowser(server.url);
  await signIn(browser, await browser.open(start("https://app.example.com/")), "alice");
  const refused = await browser.post("/oauth2/sso", { redirectUrl: "https://evil.example/" });
  assert.equal(refused.status, 403);
  assert.equal(refused.location, undefined);
});
