/** What a draft ends with: a setting that a start takes, for each place, with the secret in none; and the same in the shell. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseEnv } from "node:util";
import { parley } from "../../../../testkit/src/command.ts";
import { saying } from "../../../../testkit/src/false-provider.ts";
import { makeAdministrator } from "../../../../testkit/src/operators.ts";
import { startProcess, temporaryDirectory } from "../../../../testkit/src/process.ts";
import { startTestServer } from "../../../../testkit/src/server.ts";
import { startUpstream, UPSTREAM_CLIENT } from "../../../../testkit/src/upstream.ts";
import { type Draft, draftShape, providerOf, readSso } from "./config.ts";
import { placesOf, SECRET_PLACE } from "./places.ts";

const SECRET = `"it's a {{ secret }} \\ of $HOME"`;

const plain = { id: "corp", name: "Example Inc.", issuer: "https://sso.example.org/realms/a", client_id: "parley" };
const rich = {
  ...plain,
  id: "a~b.c_d-e",
  name: `Ana's "{{ corner }}" $HOME \\n`,
  client_secret: SECRET,
  scopes: ["profile", "email", "groups"],
  attributes: { localpart: "upn", email: "email" },
  new_accounts: false,
  email_domains: ["example.org"],
  require_claims: { groups: "chat" },
  hosts: "10.1.0.0/16",
};

const drafted = (given: object): Draft => draftShape.parse(given);
const read = (setting: string | undefined) => readSso({ PARLEY_SSO_PROVIDERS: setting }).providers;

test("the line for a file of variables is the provider that was tried, with its secret in a file", () => {
  for (const [given, clientSecret, file] of [
    [plain, undefined, null],
    [rich, "file:///run/secrets/parley-sso-a~b.c_d-e", "/run/secrets/parley-sso-a~b.c_d-e"],
  ] as const) {
    const { env, secret_file } = placesOf(drafted(given), { isFirst: true });
    const read_ = read(parseEnv(env)["PARLEY_SSO_PROVIDERS"]);
    assert.deepEqual(read_, [{ ...providerOf(drafted(given)), clientSecret }]);
    assert.equal(secret_file, file);
  }
});

test("what is as it is without being said is not written down", () => {
  const { env } = placesOf(drafted({ ...plain, new_accounts: true, scopes: ["profile", "email"] }), { isFirst: true });
  assert.equal(env, `PARLEY_SSO_PROVIDERS='${JSON.stringify([plain])}'`);
  const { stored } = placesOf(drafted({ ...plain, attributes: { localpart: "upn" } }), { isFirst: true });
  assert.deepEqual(JSON.parse(stored), [{ ...plain, attributes: { localpart: "upn" } }]);
});

test("the chart's values name a secret, and what is stored there is the list", () => {
  const { helm_values, stored } = placesOf(drafted(rich), { isFirst: true });
  assert.equal(helm_values, "externalSecrets:\n  api:\n    data:\n      PARLEY_SSO_PROVIDERS: parley/sso-providers\n");
  const whole = stored.replace(`"client_secret":"${SECRET_PLACE}"`, `"client_secret":${JSON.stringify(SECRET)}`);
  assert.deepEqual(read(whole), [providerOf(drafted(rich))]);
});

test("where there are providers already it is the entry that is added to theirs", () => {
  const { env, stored, external_secret } = placesOf(drafted(rich), { isFirst: false });
  assert.equal(JSON.parse(env).client_secret, "file:///run/secrets/parley-sso-a~b.c_d-e");
  assert.equal(JSON.parse(stored).client_secret, SECRET_PLACE);
  assert.match(
    external_secret,
    /^# Into the list in spec\.target\.template\.data:\n\{"id".*\n# Into spec\.data:\n {4}- secretKey: /,
  );
  for (const text of [env, stored, external_secret]) {
    assert(!text.includes(`a {{ secret }} `));
    assert(!text.includes("'"), "it comes into a list that stands between such quotes");
  }
});

test("the shell does the same, and takes the secret from a file", async () => {
  await using upstream = await startUpstream({ sub: "1" });
  await using server = await startTestServer();
  upstream.serve(server.ctx.publicUrl(), "corp");
  using directory = temporaryDirectory();
  const path = join(directory.path, "secret");
  writeFileSync(path, `${UPSTREAM_CLIENT.client_secret}\n`);
  const env = { DATABASE_URL: server.databaseUrl, PARLEY_PORT: new URL(server.url).port };
  const typed = ["provider", "draft", "corp", upstream.issuer, "--name", "Example Inc.", "--client-id", "parley"];
  const said = await parley([...typed, "--client-secret-file", path], { env });
  assert.equal(said.code, 0, said.error);
  assert.match(said.out, /redirect_uri +http:\S+\/oauth2\/upstream\/corp\/callback/);
  assert.match(said.out, /^env +PARLEY_SSO_PROVIDERS='\[\{"id":"corp",.*parley-sso-corp"\}\]'$/m);
  assert.match(said.out, /^client +true +It knows this server as parley/m);
  const failed = await parley([...typed, "--json"], { env });
  assert.deepEqual([failed.code, failed.json().secret_file], [1, null], "without its secret it is not known");
});

test("the secret is in no answer, though the provider says it, in no log line and in no row", async () => {
  const secret = "s3cr3t-of-the-draft";
  await using gossip = await saying(
    () => ({}),
    (_, answer) =>
      void answer
        .writeHead(400, { "content-type": "application/json" })
        .end(JSON.stringify({ error: `bad ${secret}`, error_description: secret })),
  );
  await using server = await startTestServer();
  const root = await makeAdministrator(server, "root");
  using directory = temporaryDirectory();
  await using beside = await startProcess(directory.path, {
    DATABASE_URL: server.databaseUrl,
    PARLEY_LOG_LEVEL: "trace",
  });
  const ask = async (more: object) => {
    const answer = await fetch(`${beside.url}/_parley/admin/v1/settings/providers/draft`, {
      method: "POST",
      headers: { authorization: `Bearer ${root.token}`, "content-type": "application/json" },
      body: JSON.stringify({ ...plain, issuer: gossip.issuer, client_secret: secret, ...more }),
    });
    return answer.text();
  };
  const tried = await ask({});
  assert.match(tried, /it says bad …/);
  const answers = [tried, await ask({ issuer: "nowhere" }), await ask({ hosts: "a b" }), await ask({ id: "/" })];
  assert(!answers.join().includes(secret));
  const { stderr } = await beside.end("SIGTERM");
  assert.match(stderr, /settings\/providers\/draft/);
  assert(!stderr.includes(secret));
  const rows = await server.ctx.db.console.query<{ a: string }>("select a::text from console.audit a");
  assert(rows.length >= 3 && !JSON.stringify(rows).includes(secret));
});
