/** Trying a provider from the console: with a real one, and with what may be wrong about it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Json } from "../../../../testkit/src/http.ts";
import { makeOperator } from "../../../../testkit/src/operators.ts";
import { startTestServer } from "../../../../testkit/src/server.ts";
import { startUpstream, type Upstream, UPSTREAM_CLIENT } from "../../../../testkit/src/upstream.ts";
import { readSso } from "./config.ts";

const API = "/_parley/admin/v1/settings/providers";
const WELL = ["address true", "sign_in true", "keys true", "client true", "claims true", "sign_out true"];
let upstream: Upstream;
before(async () => (upstream = await startUpstream({ sub: "1" })));
after(() => upstream[Symbol.asyncDispose]());

async function startWith(more: object) {
  const provider = { id: "corp", name: "Example Inc.", issuer: upstream.issuer, ...UPSTREAM_CLIENT, ...more };
  const server = await startTestServer({
    config: { sso: readSso({ PARLEY_SSO_PROVIDERS: JSON.stringify([provider]) }) },
  });
  upstream.serve(server.ctx.publicUrl(), "corp");
  const operator = await makeOperator(server, "omar", "operator");
  const checks = async () => {
    const { ok, checks: made }: Json = await operator.call("POST", `${API}/corp/test`);
    return [ok, ...made.map((each: Json) => `${each.what} ${each.ok}`)];
  };
  return { server, operator, checks, [Symbol.asyncDispose]: () => server.stop() };
}

test("a provider that knows this server is well, and its secret is told to nobody", async () => {
  await using world = await startWith({});
  assert.deepEqual(await world.checks(), [true, ...WELL]);
  const listed = await world.operator.call("GET", API);
  assert.equal(listed.items[0].redirect_uri, `${world.server.ctx.publicUrl()}/oauth2/upstream/corp/callback`);
  const tried = await world.operator.call("POST", `${API}/corp/test`);
  assert(!JSON.stringify([listed, tried]).includes(UPSTREAM_CLIENT.client_secret));
  assert.equal((await world.operator.ask("POST", `${API}/nobody/test`)).status, 404);
  const auditor = await makeOperator(world.server, "audrey", "auditor");
  await auditor.call("GET", API);
  assert.equal((await auditor.ask("POST", `${API}/corp/test`)).status, 403);
});

test("a wrong secret, an unknown client and a provider that is none are told apart", async () => {
  await using secret = await startWith({ client_secret: "another" });
  const unknown = WELL.map((each) => (each === "client true" ? "client false" : each));
  assert.deepEqual(await secret.checks(), [false, ...unknown]);
  await using client = await startWith({ client_id: "nobody" });
  assert.deepEqual(await client.checks(), [false, ...unknown]);
  await using nowhere = await startWith({ issuer: "http://127.0.0.1:1" });
  assert.deepEqual(await nowhere.checks(), [false, "address false"]);
});
