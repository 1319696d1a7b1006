import assert from "node:assert/strict";
import { after, test } from "node:test";
import { registerPerson, request, signInPerson } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { checkPassword } from "./passwords.ts";
import { accountExists, deviceNames, isActive, isAdmin, isDeactivated, erasedAmong, listDevices } from "./queries.ts";
import { signIn } from "./sign-in.ts";

const server = await startTestServer({ config: { roles: ["auth"] } });
after(() => server.stop());

const V3 = "/_matrix/client/v3";
const WHOAMI = `${V3}/account/whoami`;
const PASSWORD = `${V3}/account/password`;

function passwordOf(name: string) {
  return { type: "m.login.password", identifier: { type: "m.id.user", user: name }, password: `password of ${name}` };
}

function login(body: object) {
  return request(server.url, "POST", `${V3}/login`, { body });
}

test("whoami names the person and the device", async () => {
  const alice = await registerPerson(server.url, "alice", { device_id: "PHONE" });
  const { user_id, device_id } = await alice.call("GET", WHOAMI);
  assert.deepEqual([user_id, device_id], ["@alice:localhost", "PHONE"]);
});

test("a new password needs the old one, and ends all sessions but the one that set it", async () => {
  const here = await registerPerson(server.url, "bob");
  const there = await signInPerson(server.url, "bob");
  const challenge = await here.ask("POST", PASSWORD, { new_password: "changed" });
  assert.deepEqual([challenge.status, challenge.body.flows], [401, [{ stages: ["m.login.password"] }]]);
  const wrong = { ...passwordOf("bob"), password: "wrong" };
  assert.equal((await here.ask("POST", PASSWORD, { new_password: "changed", auth: wrong })).status, 401);
  assert.equal((await there.ask("GET", WHOAMI)).status, 200);

  await here.call("POST", PASSWORD, { new_password: "changed", auth: passwordOf("bob") });
  assert.equal((await here.ask("GET", WHOAMI)).status, 200);
  assert.equal((await there.ask("GET", WHOAMI)).status, 401);
  assert.equal((await login(passwordOf("bob"))).status, 403);
  assert.equal((await login({ ...passwordOf("bob"), password: "changed" })).status, 200);
});

test("with logout_devices false the other sessions stay", async () => {
  const here = await registerPerson(server.url, "carol");
  const there = await signInPerson(server.url, "carol");
  await here.call("POST", PASSWORD, { new_password: "changed", logout_devices: false, auth: passwordOf("carol") });
  assert.equal((await there.ask("GET", WHOAMI)).status, 200);
});

test("an empty password is refused before the old one is asked for", async () => {
  const dave = await registerPerson(server.url, "dave");
  const { status, body } = await dave.ask("POST", PASSWORD, { new_password: "" });
  assert.deepEqual([status, body.errcode], [400, "M_WEAK_PASSWORD"]);
});

test("a deactivated account has no session, signs nobody in, and its name stays taken", async () => {
  const erin = await registerPerson(server.url, "erin");
  assert.equal((await erin.ask("POST", `${V3}/account/deactivate`, {})).status, 401);
  assert.equal(await isActive(server.ctx, erin.userId), true);
  const answer = await erin.call("POST", `${V3}/account/deactivate`, { auth: passwordOf("erin"), erase: true });
  assert.deepEqual(answer, { id_server_unbind_result: "success" });
  assert.equal((await erin.ask("GET", WHOAMI)).status, 401);
  const again = await login(passwordOf("erin"));
  assert.deepEqual([again.status, again.body.errcode], [403, "M_USER_DEACTIVATED"]);
  const taken = await request(server.url, "GET", `${V3}/register/available?username=erin`);
  assert.equal(taken.body.errcode, "M_USER_IN_USE");
  const { ctx } = server;
  assert.deepEqual(
    [await accountExists(ctx, erin.userId), await isDeactivated(ctx, erin.userId), await isActive(ctx, erin.userId)],
    [true, true, false],
  );
  assert.deepEqual([...(await erasedAmong(ctx, [erin.userId]))], [erin.userId]);
  assert.equal(await isAdmin(ctx, erin.userId), false);
});

test("a login token signs one client in, once", async () => {
  const frank = await registerPerson(server.url, "frank");
  const path = "/_matrix/client/v1/login/get_token";
  assert.equal((await frank.ask("POST", path, {})).status, 401);
  const { login_token, expires_in_ms } = await frank.call("POST", path, { auth: passwordOf("frank") });
  assert.equal(expires_in_ms, 120_000);
  const body = { type: "m.login.token", token: login_token };
  const answers = await Promise.all([login(body), login(body), login(body)]);
  assert.deepEqual(
    answers.map((answer) => answer.status).toSorted((a, b) => a - b),
    [200, 403, 403],
  );
  assert.equal(answers.find((answer) => answer.status === 200)?.body.user_id, frank.userId);
});

test("a login token that has expired, or whose account changed its password, signs nobody in", async () => {
  const grace = await registerPerson(server.url, "grace");
  const path = "/_matrix/client/v1/login/get_token";
  const late = await grace.call("POST", path, { auth: passwordOf("grace") });
  await server.ctx.db.auth.change("update auth.login_tokens set expires_at = now() - interval '1 second'");
  assert.equal((await login({ type: "m.login.token", token: late.login_token })).status, 403);
  const old = await grace.call("POST", path, { auth: passwordOf("grace") });
  await grace.call("POST", PASSWORD, { new_password: "changed", auth: passwordOf("grace") });
  assert.equal((await login({ type: "m.login.token", token: old.login_token })).status, 403);
});

test("a sign-in that was checked against a password which changed meanwhile fails", async () => {
  const heidi = await registerPerson(server.url, "heidi");
  const who = { userId: heidi.userId, address: "192.0.2.1" };
  const passwordHash = await checkPassword(server.ctx, { ...who, password: "password of heidi" });
  assert.ok(passwordHash);
  await heidi.call("POST", PASSWORD, { new_password: "changed", auth: passwordOf("heidi") });
  await assert.rejects(signIn(server.ctx, { ...who, passwordHash, device: {} }), { errcode: "M_FORBIDDEN" });
});

test("there are no e-mail addresses and no phone numbers, and nobody can add one", async () => {
  const ivan = await registerPerson(server.url, "ivan");
  assert.deepEqual(await ivan.call("GET", `${V3}/account/3pid`), { threepids: [] });
  const body = { client_secret: "s", email: "a@b.example", send_attempt: 1 };
  for (const path of ["/account/3pid", "/account/password", "/register"]) {
    const answer = await ivan.ask("POST", `${V3}${path}/email/requestToken`, body);
    assert.deepEqual([answer.status, answer.body.errcode], [403, "M_THREEPID_DENIED"]);
  }
  const unbound = await ivan.call("POST", `${V3}/account/3pid/delete`, { medium: "email", address: "a@b.example" });
  assert.deepEqual(unbound, { id_server_unbind_result: "success" });
});

test("other domains can list the devices of people", async () => {
  const judy = await registerPerson(server.url, "judy", { device_id: "J1" });
  await judy.call("PUT", `${V3}/devices/J1`, { display_name: "Judy's phone" });
  const device = { deviceId: "J1", displayName: "Judy's phone" };
  assert.deepEqual(await deviceNames(server.ctx, [judy.userId, "@nobody:localhost"]), [
    { userId: judy.userId, ...device },
  ]);
  assert.equal((await listDevices(server.ctx, judy.userId))[0]?.displayName, "Judy's phone");
});
