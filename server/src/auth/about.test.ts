import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, test } from "node:test";
import { registerPerson, request } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";

const server = await startTestServer({ config: { roles: ["auth"], publicUrl: "https://chat.example.org" } });
after(() => server.stop());

test("the versions are those of the specification from 1.1 to 1.19", async () => {
  const { body } = await request(server.url, "GET", "/_matrix/client/versions");
  assert.deepEqual([body.versions[0], body.versions.at(-1), body.versions.length], ["v1.1", "v1.19", 19]);
});

test("capabilities say which room versions there are", async () => {
  const alice = await registerPerson(server.url, "alice");
  const { capabilities } = await alice.call("GET", "/_matrix/client/v3/capabilities");
  const { default: usual, available } = capabilities["m.room_versions"];
  assert.equal(usual, "12");
  assert.deepEqual(available, Object.fromEntries(Array.from({ length: 12 }, (_, i) => [String(i + 1), "stable"])));
});

test(".well-known names the public address; there are no contacts and no TURN server", async () => {
  const client = await request(server.url, "GET", "/.well-known/matrix/client");
  assert.deepEqual(client.body, { "m.homeserver": { base_url: "https://chat.example.org" } });
  assert.equal((await request(server.url, "GET", "/.well-known/matrix/support")).status, 404);
  const bob = await registerPerson(server.url, "bob");
  const turn = await bob.ask("GET", "/_matrix/client/v3/voip/turnServer");
  assert.deepEqual([turn.status, turn.body.errcode], [404, "M_NOT_FOUND"]);
});

test("where a TURN server and contacts are set, people get a password of their own for it, and are told whom to ask", async () => {
  const turn = { uris: ["turn:turn.example.org:3478?transport=udp"], secret: "shared", ttl_s: 600 };
  const support = { contacts: [{ role: "m.role.admin" as const, email_address: "admin@example.org" }] };
  await using other = await startTestServer({ config: { turn, support } });
  assert.deepEqual((await request(other.url, "GET", "/.well-known/matrix/support")).body, support);
  const bob = await registerPerson(other.url, "bob");
  const before_s = Math.floor(Date.now() / 1_000);
  const { username, password, uris, ttl } = await bob.call("GET", "/_matrix/client/v3/voip/turnServer");
  assert.deepEqual([uris, ttl], [turn.uris, 600]);
  const [until_s, ...name] = username.split(":");
  assert.equal(name.join(":"), bob.userId);
  assert.ok(Number(until_s) >= before_s + 600 && Number(until_s) <= Date.now() / 1_000 + 600);
  assert.equal(password, createHmac("sha1", "shared").update(username).digest("base64"));
  assert.equal((await request(other.url, "GET", "/_matrix/client/v3/voip/turnServer")).status, 401);
});
