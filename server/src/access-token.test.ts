import assert from "node:assert/strict";
import { test } from "node:test";
import { registerPerson, request } from "../../testkit/src/http.ts";
import { startTestServer } from "../../testkit/src/server.ts";

const WHOAMI = "/_matrix/client/v3/account/whoami";

test("a token in the query string counts while the setting says so, and not beside a header", async () => {
  await using server = await startTestServer({ config: { queryTokens: true } });
  const alice = await registerPerson(server.url, "alice");
  const inQuery = `${WHOAMI}?access_token=${alice.token}`;
  assert.equal((await request(server.url, "GET", inQuery)).body.user_id, alice.userId);
  const wrong = await request(server.url, "GET", inQuery, { token: "wrong" });
  assert.deepEqual([wrong.status, wrong.body.errcode], [401, "M_UNKNOWN_TOKEN"]);
  for (const query of ["access_token=", `access_token=${alice.token}&access_token=${alice.token}`])
    assert.equal((await request(server.url, "GET", `${WHOAMI}?${query}`)).body.errcode, "M_MISSING_TOKEN");
});

test("with the setting off a token in the query string is none", async () => {
  await using server = await startTestServer({ config: { queryTokens: false } });
  const alice = await registerPerson(server.url, "alice");
  const { status, body } = await request(server.url, "GET", `${WHOAMI}?access_token=${alice.token}`);
  assert.deepEqual([status, body.errcode], [401, "M_MISSING_TOKEN"]);
  assert.equal((await request(server.url, "GET", WHOAMI, { token: alice.token })).status, 200);
});
