/** The pages of stages, for clients that do not know them. Specification: client-server-api, "Fallback". */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { factorsConfig, setUpCodes } from "../../../testkit/src/factors.ts";
import { registerPerson, request } from "../../../testkit/src/http.ts";
import { openBrowser } from "../../../testkit/src/oauth.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { makeRegistrationToken } from "./registration-tokens.ts";

const V3 = "/_matrix/client/v3";
const server = await startTestServer({ config: factorsConfig() });
after(() => server.stop());

const pathOf = (stage: string, session: string) => `${V3}/auth/${stage}/fallback/web?session=${session}`;

test("a password given on its page completes the stage, for the person who asks and for that request alone", async () => {
  const alice = await registerPerson(server.url, "alice");
  const ask = (session?: string) =>
    alice.ask("POST", `${V3}/delete_devices`, { devices: ["GONE"], ...(session && { auth: { session } }) });
  const { session } = (await ask()).body;
  const path = pathOf("m.login.password", session);
  const browser = openBrowser(server.url);
  const page = await browser.open(path);
  assert.match(page.text, /signed in as @alice:localhost wants to <strong>sign devices of yours out<\/strong>/);
  const refused = await browser.send(page, { password: "not it" });
  assert.equal(refused.status, 403);
  assert.match(refused.text, /role="alert">The password is not right/);
  assert.equal((await ask(session)).status, 401);
  const done = await browser.send(refused, { password: "password of alice" });
  assert.match(done.text, /onAuthDone/);
  const other = await alice.ask("POST", `${V3}/account/deactivate`, { auth: { session } });
  assert.deepEqual([other.status, other.body.errcode], [403, "M_FORBIDDEN"]);
  assert.equal((await ask(session)).status, 200);
  assert.equal((await browser.open(path)).status, 404, "the request is over");
});

test("a registration token given on its page completes the stage", async () => {
  const { token } = await makeRegistrationToken(server.ctx, {
    uses_allowed: 1,
    expires_in_ms: 60_000,
    note: undefined,
    created_by: "@ana:localhost",
  });
  const register = (auth?: object) =>
    request(server.url, "POST", `${V3}/register`, { body: { username: "tess", password: "a password", auth } });
  const { session } = (await register()).body;
  const browser = openBrowser(server.url);
  const page = await browser.open(pathOf("m.login.registration_token", session));
  const refused = await browser.send(page, { token: "made up" });
  assert.equal(refused.status, 403);
  assert.match((await browser.send(refused, { token })).text, /onAuthDone/);
  assert.equal((await register({ session })).status, 200);
  assert.equal((await browser.send(page, { token })).status, 404);
});

test("the stage that asks for nothing has a page with a button", async () => {
  const register = (auth?: object) =>
    request(server.url, "POST", `${V3}/register`, { body: { username: "dora", password: "a password", auth } });
  const { session } = (await register()).body;
  const browser = openBrowser(server.url);
  const page = await browser.open(pathOf("m.login.dummy", session));
  assert.equal((await register({ session })).status, 401, "looking at it is not enough");
  assert.match((await browser.send(page, {})).text, /onAuthDone/);
  assert.equal((await register({ session })).status, 200);
});

test("there is no page for another's session, for a stage that is none, and where a password proves nothing", async () => {
  const bob = await registerPerson(server.url, "bob");
  const { session } = (await bob.ask("POST", `${V3}/delete_devices`, { devices: ["GONE"] })).body;
  const browser = openBrowser(server.url);
  for (const path of [
    pathOf("m.login.password", "nobody's"),
    pathOf("m.login.registration_token", session),
    pathOf("m.login.dummy", session),
    pathOf("m.login.email.identity", session),
    pathOf("toString", session),
  ])
    assert.equal((await browser.open(path)).status, 404, path);

  assert.equal((await browser.open(pathOf("m.login.password", session))).status, 200);
  await setUpCodes(server.url, "bob");
  const page = await browser.open(pathOf("m.login.password", session));
  assert.equal(page.status, 404);
  assert.match(page.text, /has a second factor/);
});
