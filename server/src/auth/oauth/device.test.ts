/** Devices that are let in from elsewhere. Specification: client-server-api, "Device authorisation flow"; RFC 8628. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { registerPerson, request } from "../../../../testkit/src/http.ts";
import {
  CALLBACK,
  type OAuthClient,
  openBrowser,
  openClient,
  postForm,
  scopeFor,
  signIn,
} from "../../../../testkit/src/oauth.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";

let server: TestServer;
before(async () => {
  server = await startTestServer();
  await registerPerson(server.url, "alice");
});
after(() => server.stop());

const NUL = "\0";

const begin = ({ clientId }: OAuthClient, deviceId: string, url = server.url) =>
  postForm(`${url}/oauth2/device`, { client_id: clientId, scope: scopeFor(deviceId) });

const poll = ({ clientId }: OAuthClient, device_code: string, url = server.url) =>
  postForm(`${url}/oauth2/token`, {
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
    device_code,
    client_id: clientId,
  });

const whoami = (token: string) => request(server.url, "GET", "/_matrix/client/v3/account/whoami", { token });

test("a device waits until somebody lets it in elsewhere, through whichever replica, and then has a session", async () => {
  const config = { publicUrl: server.ctx.publicUrl() };
  await using other = await startTestServer({ databaseUrl: server.databaseUrl, config });
  const client = await openClient(server.url);
  const { status, body } = await begin(client, "TELEVISION", other.url);
  assert.equal(status, 200);
  assert.match(body.user_code, /^[A-Z]{4}-[A-Z]{4}$/);
  assert.match(body.verification_uri_complete, /\/oauth2\/link\?user_code=/);
  assert.ok(body.interval >= 5);
  assert.ok(body.expires_in > 600);
  assert.equal((await poll(client, body.device_code)).body.error, "authorization_pending");
  const browser = openBrowser(server.url);
  const page = await signIn(browser, await browser.open(body.verification_uri_complete), "alice");
  for (const shown of [body.user_code, "Example App", "example.com", "TELEVISION"])
    assert.ok(page.text.includes(shown), shown);
  const done = await browser.send(page, { decision: "allow" }, 'value="allow"');
  assert.match(done.text, /is being signed in/);
  const tokens = await poll(client, body.device_code, other.url);
  assert.equal(tokens.status, 200);
  assert.equal(tokens.body.scope, scopeFor("TELEVISION"));
  assert.equal((await whoami(tokens.body.access_token)).body.device_id, "TELEVISION");
  assert.equal((await client.refresh(tokens.body.refresh_token)).status, 200);
});

test("a device code that comes again after its use is refused, and ends the session", async () => {
  const client = await openClient(server.url);
  const { body } = await begin(client, "REUSEDCODE");
  const browser = openBrowser(server.url);
  const page = await signIn(browser, await browser.open(body.verification_uri_complete), "alice");
  await browser.send(page, { decision: "allow" }, 'value="allow"');
  const tokens = await poll(client, body.device_code);
  assert.equal((await whoami(tokens.body.access_token)).status, 200);
  assert.equal((await poll(client, body.device_code)).body.error, "invalid_grant");
  assert.equal((await whoami(tokens.body.access_token)).status, 401);
});

test("a code is typed as people type it; who cancels turns the device away, and the code is answered once", async () => {
  const client = await openClient(server.url);
  const { body } = await begin(client, "CANCELLED1");
  const browser = openBrowser(server.url);
  await signIn(browser, await browser.open("/oauth2/link"), "alice");
  const typed = ` ${body.user_code.toLowerCase().replace("-", " ")}`;
  const page = await browser.open(`/oauth2/link?${new URLSearchParams({ user_code: typed }).toString()}`);
  assert.match((await browser.send(page, { decision: "deny" }, 'value="allow"')).text, /was not let in/);
  assert.equal((await poll(client, body.device_code)).body.error, "access_denied");
  const again = await browser.open(body.verification_uri_complete);
  assert.equal(again.status, 404);
  assert.match(again.text, /No device shows this code/);
});

test("an expired code can not be allowed any more, and the device is told", async () => {
  const client = await openClient(server.url);
  const { body } = await begin(client, "EXPIREDDEV");
  await server.ctx.db.auth.change(
    `update auth.oauth_state set expires_at = expires_at - interval '1 hour', payload = payload || '{"exp": 1}'
     where kind = 'DeviceCode' and user_code = $1`,
    [body.user_code.replace("-", "")],
  );
  const browser = openBrowser(server.url);
  const page = await signIn(browser, await browser.open(body.verification_uri_complete), "alice");
  assert.equal(page.status, 404);
  assert.equal((await poll(client, body.device_code)).body.error, "expired_token");
});

test("no page of another site lets a device in", async () => {
  const client = await openClient(server.url);
  const { body } = await begin(client, "CSRFDEVICE");
  const browser = openBrowser(server.url);
  await signIn(browser, await browser.open("/oauth2/link"), "alice");
  const fields = { decision: "allow", user_code: body.user_code };
  assert.equal((await browser.post("/oauth2/link", fields)).status, 403);
  assert.equal((await poll(client, body.device_code)).body.error, "authorization_pending");
});

test("codes can not be guessed: after some wrong ones there is a pause", async () => {
  await using strict = await startTestServer({ config: { rateLimits: true } });
  await registerPerson(strict.url, "alice");
  const browser = openBrowser(strict.url);
  await signIn(browser, await browser.open("/oauth2/link"), "alice");
  const statuses = [];
  for (let i = 0; i < 12; i++) statuses.push((await browser.open("/oauth2/link?user_code=BCDF-GHJK")).status);
  assert.deepEqual(statuses, [...Array.from({ length: 10 }, () => 404), 429, 429]);
});

/** Lets the time since the device last asked pass. */
const wait_s = (userCode: string, seconds: number) =>
  server.ctx.db.auth.change(
    `update auth.oauth_state set payload = jsonb_set(payload, '{asked_s}', to_jsonb((payload->>'asked_s')::numeric - $2))
     where kind = 'DeviceCode' and user_code = $1`,
    [userCode.replace("-", ""), seconds],
  );

test("a device that asks too soon is slowed down by five seconds each time, and is let in all the same", async () => {
  const client = await openClient(server.url);
  const { body } = await begin(client, "IMPATIENT1");
  const errorOf = async () => {
    const answer = await poll(client, body.device_code);
    assert.equal(answer.status, 400);
    return answer.body.error;
  };
  assert.equal(await errorOf(), "authorization_pending");
  assert.equal(await errorOf(), "slow_down");
  // What was right before is too soon now.
  await wait_s(body.user_code, 6);
  assert.equal(await errorOf(), "slow_down");
  await wait_s(body.user_code, 12);
  assert.equal(await errorOf(), "slow_down", "the interval is 15 seconds, and then 20");
  await wait_s(body.user_code, 20);
  assert.equal(await errorOf(), "authorization_pending");
  const browser = openBrowser(server.url);
  const page = await signIn(browser, await browser.open(body.verification_uri_complete), "alice");
  await browser.send(page, { decision: "allow" }, 'value="allow"');
  assert.equal((await poll(client, body.device_code)).status, 200, "who is let in does not wait");
});

test("a device asks for a scope that can be granted, and with a client that has registered for it", async () => {
  const client = await openClient(server.url);
  const wrong = await postForm(`${server.url}/oauth2/device`, {
    client_id: client.clientId,
    scope: "urn:matrix:client:api:*",
  });
  assert.equal(wrong.body.error, "invalid_scope");
  const unknown = await postForm(`${server.url}/oauth2/device`, { client_id: "nobody", scope: scopeFor("NOBODYSDEV") });
  assert.equal(unknown.body.error, "invalid_client");
});

test("an address that names two codes is the page that asks for one", async () => {
  const browser = openBrowser(server.url);
  await signIn(browser, await browser.open("/oauth2/account"), "alice");
  const page = await browser.open("/oauth2/link?user_code=AAAA-BBBB&user_code=CCCC-DDDD");
  assert.equal(page.status, 200);
  assert.match(page.text, /name="user_code"/);
});

test("what the database can not keep is the client's mistake, whichever parameter has it", async () => {
  const { clientId } = await openClient(server.url);
  const right = { client_id: clientId, scope: scopeFor("NULDEVICE") };
  const statusOf = async (path: string, form: Record<string, string>) =>
    (await postForm(`${server.url}/oauth2/${path}`, form)).status;
  for (const name of ["login_hint", "scope", "ui_locales"])
    assert.equal(await statusOf("device", { ...right, [name]: NUL }), 400, name);
  const form = { client_id: clientId, grant_type: "authorization_code", code: "unknown", redirect_uri: CALLBACK };
  for (const name of ["code", "redirect_uri", "code_verifier"])
    assert.equal(await statusOf("token", { ...form, [name]: NUL }), 400, name);
  assert.equal(await statusOf("device", { ...right, client_id: NUL }), 401);
});
