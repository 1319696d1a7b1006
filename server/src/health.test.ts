import assert from "node:assert/strict";
import { test } from "node:test";
import { request } from "../../testkit/src/http.ts";
import { startTestServer } from "../../testkit/src/server.ts";

test("the probes answer on the public port", async () => {
  await using server = await startTestServer();
  assert.deepEqual((await request(server.url, "GET", "/health/live")).body, { live: true });
  assert.deepEqual((await request(server.url, "GET", "/health/ready")).body, { ready: true, lag_entries: 0 });
});

test("they answer below /api too, where the back end of the web apps is looked for, and nothing else does", async () => {
  await using server = await startTestServer();
  assert.deepEqual((await request(server.url, "GET", "/api/health/ready")).body, { ready: true, lag_entries: 0 });
  assert.deepEqual((await request(server.url, "GET", "/api/v1/health")).body, { live: true });
  assert.equal((await request(server.url, "GET", "/api/v1/nothing")).body.errcode, "M_UNRECOGNIZED");
});

test("the address of a request is the proxy's, unless the proxy is trusted", async () => {
  for (const [trustedProxies, expected] of [
    [[], "127.0.0.1"],
    [["127.0.0.1"], "192.0.2.7"],
  ] as const) {
    await using server = await startTestServer({ config: { trustedProxies } });
    const body = { username: "alice", password: "password of alice", auth: { type: "m.login.dummy" } };
    const headers = { "x-forwarded-for": "192.0.2.7" };
    const { access_token: token } = (
      await request(server.url, "POST", "/_matrix/client/v3/register", { body, headers })
    ).body;
    const { devices } = (await request(server.url, "GET", "/_matrix/client/v3/devices", { token, headers })).body;
    assert.equal(devices[0].last_seen_ip, expected);
  }
});
