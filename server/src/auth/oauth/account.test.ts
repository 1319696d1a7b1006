/** The account page, and what sessions of the OAuth 2.0 API do there. Specification: "Account management" of the OAuth 2.0 API. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { registerPerson, request, signInPerson } from "../../../../testkit/src/http.ts";
import { openBrowser, signIn, signInByOAuth } from "../../../../testkit/src/oauth.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.stop());

const ask = (token: string, ...[method, path, body]: [string, string, unknown?]) =>
  request(server.url, method, `/_matrix/client/v3${path}`, { token, body });

/** A browser in which somebody is signed in, on the account page or a part of it. */
async function openAccount(name: string, query = "") {
  const browser = openBrowser(server.url);
  const page = await signIn(browser, await browser.open(`/oauth2/account${query}`), name);
  return { browser, page };
}

test("a person sees their devices and ends one, and its tokens end with it", async () => {
  const alice = await registerPerson(server.url, "alice");
  const { tokens } = await signInByOAuth(server.url, "alice", "ENDEDDEV01");
  const { browser, page } = await openAccount("alice");
  assert.match(page.text, /@alice:localhost/);
  assert.match(page.text, /ENDEDDEV01/);
  const done = await browser.send(page, {}, 'value="ENDEDDEV01"');
  assert.match(done.text, /role="status"/);
  assert.doesNotMatch(done.text, /ENDEDDEV01/);
  assert.equal((await ask(tokens.access_token, "GET", "/account/whoami")).status, 401);
  assert.equal((await alice.ask("GET", "/_matrix/client/v3/account/whoami")).status, 200);
});

test("links of clients lead to the part that they name, also by its older name, after a sign-in too", async () => {
  await registerPerson(server.url, "bella", { device_id: "BELLASDEV1" });
  for (const [action, expected] of [
    ["org.matrix.profile", /Name that others see/],
    ["org.matrix.devices_list", /Your devices/],
    ["org.matrix.device_view", /Sign this device out/],
    ["org.matrix.device_delete", /Sign this device out/],
    ["org.matrix.session_end", /Sign this device out/],
    ["org.matrix.account_deactivate", /Deactivate for good/],
    ["org.matrix.cross_signing_reset", /Allow the reset/],
    ["something.else", /Your devices/],
  ] as const) {
    const { page } = await openAccount("bella", `?action=${action}&device_id=BELLASDEV1`);
    assert.match(page.text, expected, action);
  }
  const { browser, page } = await openAccount("bella", "?action=org.matrix.device_delete&device_id=BELLASDEV1");
  assert.match((await browser.send(page, {}, 'value="end"')).text, /The device is signed out/);
});

test("a name is saved, and shown as text", async () => {
  const carla = await registerPerson(server.url, "carla");
  const { browser, page } = await openAccount("carla");
  const done = await browser.send(page, { displayname: "Carla <b>" }, 'value="rename"');
  assert.match(done.text, /Your name is saved/);
  assert.doesNotMatch(done.text, /<b>/);
  const { displayname } = await carla.call("GET", `/_matrix/client/v3/profile/${carla.userId}`);
  assert.equal(displayname, "Carla <b>");
});

test("a new password needs the old one; with the box all devices are signed out, and this browser is not", async () => {
  const dora = await registerPerson(server.url, "dora");
  const { browser, page } = await openAccount("dora");
  const fields = { password: "wrong", new_password: "another password", logout_devices: "yes" };
  const refused = await browser.send(page, fields, 'value="password"');
  assert.equal(refused.status, 403);
  assert.match(refused.text, /The password is not right/);
  const done = await browser.send(page, { ...fields, password: "password of dora" }, 'value="password"');
  assert.match(done.text, /Password changed/);
  assert.equal((await dora.ask("GET", "/_matrix/client/v3/account/whoami")).status, 401);
  assert.match((await browser.open("/oauth2/account")).text, /Your devices/);
});

test("signing out everywhere ends what browsers know too", async () => {
  const erna = await registerPerson(server.url, "erna");
  const { browser } = await openAccount("erna");
  await erna.call("POST", "/_matrix/client/v3/logout/all", {});
  assert.match((await browser.open("/oauth2/account")).text, /name="password"/);
});

test("a deactivation needs the password, and is one", async () => {
  const fritz = await registerPerson(server.url, "fritz");
  const { browser, page } = await openAccount("fritz", "?action=org.matrix.account_deactivate");
  assert.equal((await browser.send(page, { password: "wrong" }, 'value="deactivate"')).status, 403);
  const done = await browser.send(page, { password: "password of fritz" }, 'value="deactivate"');
  assert.match(done.text, /The account is deactivated/);
  assert.equal((await fritz.ask("GET", "/_matrix/client/v3/account/whoami")).status, 401);
  const again = await browser.send(await browser.open("/oauth2/account"), {
    user: "fritz",
    password: "password of fritz",
  });
  assert.match(again.text, /has been deactivated/);
});

test("no form of the account page is taken without its token", async () => {
  await registerPerson(server.url, "greta");
  const { browser } = await openAccount("greta");
  for (const act of ["end", "rename", "password", "deactivate", "cross_signing_reset"]) {
    const answer = await browser.post("/oauth2/account", { act, password: "password of greta" });
    assert.equal(answer.status, 403, act);
  }
});

test("what asks for a password in the legacy API sends a session of OAuth 2.0 to the account page", async () => {
  await registerPerson(server.url, "hanna");
  const { tokens } = await signInByOAuth(server.url, "hanna", "HANNASDEV1");
  await signInPerson(server.url, "hanna", { device_id: "OTHERDEV01" });
  for (const [method, path, body] of [
    ["DELETE", "/devices/OTHERDEV01", {}],
    ["POST", "/delete_devices", { devices: ["OTHERDEV01"] }],
    ["POST", "/account/password", { new_password: "another password" }],
    ["POST", "/account/deactivate", {}],
  ] as const) {
    const { status, body: refusal } = await ask(tokens.access_token, method, path, body);
    assert.equal(status, 403, path);
    assert.equal(refusal.errcode, "M_FORBIDDEN");
    assert.match(refusal.error, /\/oauth2\/account/);
  }
  assert.equal((await ask(tokens.access_token, "GET", "/devices/OTHERDEV01")).status, 200);
});

test("new cross-signing keys of a session of OAuth 2.0 are allowed on the account page, once", async () => {
  await registerPerson(server.url, "ivo");
  const { tokens } = await signInByOAuth(server.url, "ivo", "IVOSDEVICE");
  const upload = (key: string, auth?: object) =>
    ask(tokens.access_token, "POST", "/keys/device_signing/upload", {
      ...(auth ? { auth } : {}),
      master_key: { user_id: "@ivo:localhost", usage: ["master"], keys: { [`ed25519:${key}`]: key } },
    });
  assert.equal((await upload("firstkey")).status, 200);
  const challenge = await upload("secondkey");
  assert.equal(challenge.status, 401);
  assert.deepEqual(challenge.body.flows[0], { stages: ["m.oauth"] });
  const { url } = challenge.body.params["m.oauth"];
  assert.match(url, /\?action=org\.matrix\.cross_signing_reset$/);
  const auth = { session: challenge.body.session };
  assert.equal((await upload("secondkey", auth)).status, 401);
  const browser = openBrowser(server.url);
  const page = await signIn(browser, await browser.open(url), "ivo");
  assert.equal((await browser.send(page, { password: "wrong" }, "cross_signing_reset")).status, 403);
  assert.equal((await upload("secondkey", auth)).status, 401);
  await browser.send(page, { password: "password of ivo" }, "cross_signing_reset");
  assert.equal((await upload("secondkey", auth)).status, 200);
  assert.equal((await upload("thirdkey", auth)).status, 401);
});
