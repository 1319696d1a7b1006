import assert from "node:assert/strict";
import { after, test } from "node:test";
import { request } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";

const server = await startTestServer({ config: { roles: ["auth"] } });
after(() => server.stop());

const REGISTER = "/_matrix/client/v3/register";
const dummy = { type: "m.login.dummy" };

function register(body: object, url = server.url) {
  return request(url, "POST", REGISTER, { body });
}

test("one request with m.login.dummy registers and signs in", async () => {
  const { status, body } = await register({ username: "alice", password: "secret", auth: dummy, device_id: "PHONE" });
  assert.equal(status, 200);
  assert.equal(body.user_id, "@alice:localhost");
  assert.equal(body.device_id, "PHONE");
  assert.equal((await server.ctx.authenticate(body.access_token)).userId, "@alice:localhost");
});

test("without auth the answer is the challenge, and its session finishes the registration", async () => {
  const wanted = { username: "staged", password: "secret" };
  const first = await register(wanted);
  assert.equal(first.status, 401);
  assert.deepEqual(first.body.flows[0], { stages: ["m.login.dummy"] });
  const second = await register({ ...wanted, auth: { ...dummy, session: first.body.session } });
  assert.equal(second.status, 200);
});
