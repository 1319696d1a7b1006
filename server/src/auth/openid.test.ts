import assert from "node:assert/strict";
import { test } from "node:test";
import { registerPerson, request } from "../../../testkit/src/http.ts";
import { makeAdministrator } from "../../../testkit/src/operators.ts";
import { startTestServer } from "../../../testkit/src/server.ts";

const tokenPath = (userId: string) => `/_matrix/client/v3/user/${userId}/openid/request_token`;
const USERINFO = "/_matrix/federation/v1/openid/userinfo";

test("a token of OpenID says who somebody is, and is good for nothing else", async () => {
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const bob = await registerPerson(server.url, "bob");
  const { access_token: token, ...told } = await alice.call("POST", tokenPath(alice.userId), {});
  assert.deepEqual(told, { token_type: "Bearer", matrix_server_name: "localhost", expires_in: 3_600 });
  for (let i = 0; i < 2; i++)
    assert.deepEqual((await request(server.url, "GET", `${USERINFO}?access_token=${token}`)).body, {
      sub: alice.userId,
    });
  assert.equal((await request(server.url, "GET", "/_matrix/client/v3/sync", { token })).status, 401);
  assert.equal((await alice.ask("POST", tokenPath(bob.userId), {})).body.errcode, "M_FORBIDDEN");
});

test("an access token, an unknown one, none, and that of a locked account are refused", async () => {
  await using server = await startTestServer();
  const root = await makeAdministrator(server, "root");
  const alice = await registerPerson(server.url, "alice");
  const { access_token: token } = await alice.call("POST", tokenPath(alice.userId), {});
  const answerTo = async (query: string) => {
    const { status, body } = await request(server.url, "GET", USERINFO + query);
    return `${status} ${body.errcode}`;
  };
  assert.equal(await answerTo(`?access_token=${alice.token}`), "401 M_UNKNOWN_TOKEN");
  assert.equal(await answerTo("?access_token=nothing"), "401 M_UNKNOWN_TOKEN");
  assert.equal(await answerTo(""), "401 M_MISSING_TOKEN");
  await root.call("PUT", `/_matrix/client/v1/admin/lock/${alice.userId}`, { locked: true });
  assert.equal(await answerTo(`?access_token=${token}`), "401 M_UNKNOWN_TOKEN");
});
