import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, test } from "node:test";
import { type Received, request } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";

const SECRET = "correct horse battery";
const PATH = "/_synapse/admin/v1/register";
const server = await startTestServer({ config: { registrationSecret: SECRET, registration: "off" } });
after(() => server.stop());

interface Wanted {
  username: string;
  password?: string;
  admin?: boolean;
  user_type?: string;
  [more: string]: unknown;
}

async function newNonce(): Promise<string> {
  const { status, body } = await request(server.url, "GET", PATH);
  assert.equal(status, 200);
  return body.nonce as string;
}

function macOf(nonce: string, wanted: Wanted, secret = SECRET): string {
  const { username, password = "a password", admin, user_type } = wanted;
  const parts = [nonce, username, password, admin ? "admin" : "notadmin", ...(user_type ? [user_type] : [])];
  return createHmac("sha1", secret).update(parts.join("\0")).digest("hex");
}

function post(body: object): Promise<Received> {
  return request(server.url, "POST", PATH, { body });
}

async function register(wanted: Wanted, secret?: string): Promise<Received> {
  const nonce = await newNonce();
  return post({ password: "a password", ...wanted, nonce, mac: macOf(nonce, wanted, secret) });
}

test("whoever knows the secret makes an account and is signed in, also while registration is off", async () => {
  const { status, body } = await register({ username: "alice", displayname: "Alice Liddell", device_id: "TOOL" });
  assert.equal(status, 200);
  assert.deepEqual([body.user_id, body.device_id, body.home_server], ["@alice:localhost", "TOOL", "localhost"]);
  const profile = await request(server.url, "GET", "/_matrix/client/v3/profile/@alice:localhost", {
    token: body.access_token,
  });
  assert.equal(profile.body.displayname, "Alice Liddell");
});

test("admin makes an administrator, and nothing else does", async () => {
  const isAdmin = async (token: string) => (await server.ctx.authenticate(token)).isAdmin;
  assert.equal(await isAdmin((await register({ username: "root", admin: true })).body.access_token), true);
  assert.equal(await isAdmin((await register({ username: "plain", admin: false })).body.access_token), false);
});

test("user_type is part of what is signed, and one that is not known is refused", async () => {
  assert.equal((await register({ username: "robot", user_type: "bot" })).status, 200);
  const nonce = await newNonce();
  const unsigned = macOf(nonce, { username: "robot2" });
  const forged = { nonce, username: "robot2", password: "a password", user_type: "bot", mac: unsigned };
  assert.equal((await post(forged)).status, 403);
  assert.equal((await register({ username: "robot3", user_type: "emperor" })).status, 400);
});

test("a wrong mac is 403, whatever its form", async () => {
  assert.equal((await register({ username: "mallory" }, "another secret")).status, 403);
  for (const mac of ["", "00", "z".repeat(40), "0".repeat(40)]) {
    const body = { nonce: await newNonce(), username: "mallory", password: "a password", mac };
    assert.equal((await post(body)).status, 403, mac);
  }
});

test("a nonce is good for one request, and only one that was given out", async () => {
  const nonce = await newNonce();
  const body = { nonce, username: "once", password: "a password", mac: macOf(nonce, { username: "once" }) };
  assert.equal((await post({ ...body, mac: "00" })).status, 403);
  assert.equal((await post(body)).status, 400);
  const invented = { ...body, nonce: "invented", mac: macOf("invented", { username: "once" }) };
  assert.equal((await post(invented)).status, 400);
});

test("a name that is taken is M_USER_IN_USE", async () => {
  await register({ username: "taken" });
  const { status, body } = await register({ username: "taken" });
  assert.deepEqual([status, body.errcode], [400, "M_USER_IN_USE"]);
});

test("without the setting there is nothing at this path", async () => {
  await using closed = await startTestServer({ config: { roles: ["auth"] } });
  for (const method of ["GET", "POST"]) {
    const sent = method === "POST" ? { body: { nonce: "a", username: "b", password: "c", mac: "d" } } : {};
    const { status, body } = await request(closed.url, method, PATH, sent);
    assert.deepEqual([status, body.errcode], [404, "M_UNRECOGNIZED"]);
  }
});
