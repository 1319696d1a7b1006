/** A provider before it is set: tried as one that is, described by an owner, with its secret in nobody's answer, log or row. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { saying, serve } from "../../../../testkit/src/false-provider.ts";
import type { Json, Person } from "../../../../testkit/src/http.ts";
import { makeAdministrator, makeOperator } from "../../../../testkit/src/operators.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";
import { startUpstream, type Upstream, UPSTREAM_CLIENT } from "../../../../testkit/src/upstream.ts";
import { limits } from "../../limits.ts";
import { readSso } from "./config.ts";

const API = "/_parley/admin/v1/settings/providers";
const { client_secret: SECRET } = UPSTREAM_CLIENT;
let upstream: Upstream;
let server: TestServer;
let owner: Person;

before(async () => {
  upstream = await startUpstream({ sub: "1" });
  server = await startTestServer();
  upstream.serve(server.ctx.publicUrl(), "corp");
  owner = await makeAdministrator(server, "root");
});
after(async () => {
  await server.stop();
  await upstream[Symbol.asyncDispose]();
});

const described = (more: object = {}) => ({
  id: "corp",
  name: "Example Inc.",
  issuer: upstream.issuer,
  ...UPSTREAM_CLIENT,
  ...more,
});

const draft = (more: object = {}): Promise<Json> => owner.call("POST", `${API}/draft`, described(more));

/** What the first check that failed says. */
const fault = async (more: object): Promise<string> =>
  (await draft(more)).checks.find(({ ok }: { ok: boolean }) => !ok)?.says ?? "nothing is wrong";

test("a provider that knows this server is well, and is told where the provider has to send people", async () => {
  const { ok, checks, redirect_uri, logout_uri, others } = await draft();
  assert.deepEqual([ok, checks.every((each: Json) => each.ok)], [true, true], JSON.stringify(checks));
  const at = `${server.ctx.publicUrl()}/oauth2/upstream/corp`;
  assert.deepEqual([redirect_uri, logout_uri, others], [`${at}/callback`, `${at}/logout`, []]);
  const listed = await owner.call("GET", API);
  assert.deepEqual(listed.new, {
    redirect_uri: at.replace("corp", "{id}") + "/callback",
    logout_uri: at.replace("corp", "{id}") + "/logout",
  });
  assert.deepEqual(listed.items, [], "nothing was set by it");
});

test("what is wrong with a provider is said in a sentence", async () => {
  assert.match(
    await fault({ client_secret: "another" }),
    /does not take this server as parley: it refuses the id and the secret/,
  );
  assert.match(await fault({ issuer: "http://127.0.0.1:1" }), /does not answer as a provider: .*ECONNREFUSED/);
  await using page = await serve((_, answer) => void answer.setHeader("content-type", "text/html").end("<h1>Hello"));
  assert.match(await fault({ issuer: page.issuer }), /what it answers is no JSON/);
  await using missing = await serve((_, answer) => void answer.writeHead(404).end());
  assert.match(await fault({ issuer: missing.issuer }), /it answers with the status 404/);
  await using other = await saying((issuer) => ({ issuer: `${issuer}/realms/a` }));
  assert.match(
    await fault({ issuer: other.issuer }),
    /it calls itself http:.*\/realms\/a: set the issuer to exactly that/,
  );
  await using nameless = await saying(() => ({ issuer: undefined }));
  assert.match(await fault({ issuer: nameless.issuer }), /does not name an issuer/);
  await using endless = await saying(() => ({ token_endpoint: undefined }));
  assert.match(
    await fault({ issuer: endless.issuer }),
    /does not say where people sign in: there is no token_endpoint/,
  );
  await using implicit = await saying(() => ({ response_types_supported: ["id_token"] }));
  assert.match(await fault({ issuer: implicit.issuer }), /does not offer the code flow/);
  await using plain = await saying(() => ({ code_challenge_methods_supported: ["plain"] }));
  assert.match(await fault({ issuer: plain.issuer }), /PKCE with S256/);
  await using keyless = await saying(() => ({ jwks_uri: undefined }));
  assert.match(await fault({ issuer: keyless.issuer }), /it does not say where they are \(jwks_uri\)/);
});

test("claims that the provider does not list, and sign-outs that it does not tell of, are said without being faults", async () => {
  const says = async (more: object, what: string) => {
    const { checks } = await draft(more);
    const { ok, says } = checks.find((each: Json) => each.what === what);
    assert(ok);
    return says;
  };
  assert.match(
    await says({ attributes: { localpart: "upn", display_name: "{name} {title}" } }, "claims"),
    /upn, title/,
  );
  assert.match(await says({}, "claims"), /It lists the claims/);
  assert.match(await says({}, "sign_out"), /can tell this server/);
  await using silent = await saying(() => ({}));
  assert.match(await says({ issuer: silent.issuer }, "sign_out"), /sessions here go on/);
});

test("one that sends on is not followed, and one that is slow is given up", async () => {
  let reached = 0;
  await using inside = await serve((_, answer) => void (reached++, answer.end("{}")));
  await using moved = await serve(
    (_, answer) => void answer.writeHead(302, { location: `${inside.issuer}/sso` }).end(),
  );
  assert.match(await fault({ issuer: moved.issuer }), /sends on to http:.*\/sso, and nobody is followed/);
  assert.equal(reached, 0);
  await using slow = await serve(() => undefined);
  const begun_ms = performance.now();
  assert.match(await fault({ issuer: slow.issuer }), /there was no answer within 10000 ms/);
  assert(performance.now() - begun_ms < limits.ssoAnswer_ms + 5_000);
});

test("the host of the issuer may be anywhere as it may in the setting, and what the issuer names in turn may not", async () => {
  assert.match(await fault({ issuer: "https://169.254.169.254/latest" }), /is never connected to/);
  assert.match(await fault({ issuer: "https://[fd00:ec2::254]" }), /is never connected to/);
  const asked: string[] = [];
  await using inside = await serve((request, answer) => {
    asked.push(`${request.method} ${request.url}`);
    answer.end("root:x:0:0");
  });
  // 127.0.0.2 is this machine as well, and nobody has named it.
  const elsewhere = inside.issuer.replace("127.0.0.1", "127.0.0.2");
  await using pointing = await saying(() => ({ token_endpoint: `${elsewhere}/token`, jwks_uri: `${elsewhere}/keys` }));
  const { checks } = await draft({ issuer: pointing.issuer });
  const refused = checks.filter(({ ok }: Json) => !ok).map(({ what, says }: Json) => [what, says]);
  assert.deepEqual(
    refused.map(([what]: string[]) => what),
    ["keys", "client"],
  );
  for (const [, says] of refused) assert.match(says, /127\.0\.0\.2 is not allowed by hosts of the provider corp/);
  assert.deepEqual(asked, []);
  // What is there is not quoted, whatever it is.
  await using reading = await saying(
    () => ({}),
    (_, answer) => void answer.end("root:x:0:0"),
  );
  const read = await draft({ issuer: reading.issuer });
  assert.match(JSON.stringify(read), /can not be read: there are none at/);
  assert.doesNotMatch(JSON.stringify(read), /root/);
});

test("what would stop a start is refused with its sentence, and so is a second provider of an id", async () => {
  const told = async (more: object) => {
    const { status, body } = await owner.ask("POST", `${API}/draft`, described(more));
    assert.equal(status, 400, JSON.stringify(body));
    assert(!body.error.includes(SECRET));
    return `${body.errcode} ${body.error}`;
  };
  assert.match(
    await told({ issuer: "http://sso.example.org" }),
    /^M_INVALID_PARAM The issuer of the provider corp is /,
  );
  assert.match(await told({ issuer: "https://a:b@sso.example.org" }), /^M_INVALID_PARAM The issuer/);
  assert.match(
    await told({ parameters: { state: "x" } }),
    /^M_INVALID_PARAM Parameters of the provider corp has state/,
  );
  assert.match(await told({ id: "a/b" }), /M_BAD_JSON "id" is not valid/);
  assert.match(await told({ issuer: undefined }), /M_MISSING_PARAM/);
  const sso = readSso({ PARLEY_SSO_PROVIDERS: JSON.stringify([described()]) });
  await using other = await startTestServer({ config: { sso } });
  const root = await makeAdministrator(other, "root");
  const twice = await root.ask("POST", `${API}/draft`, described());
  assert.deepEqual([twice.status, /id corp already/.test(twice.body.error)], [400, true]);
});

test("a secret is itself: no file and no other secret of this server goes to the issuer", async () => {
  const asked: string[] = [];
  await using curious = await saying(
    () => ({}),
    (request, answer) => {
      asked.push(`${request.method} ${request.url}`);
      answer.setHeader("content-type", "application/json").end("{}");
    },
  );
  const directory = mkdtempSync(join(tmpdir(), "parley-draft-"));
  writeFileSync(join(directory, "private"), "a private key of this server");
  for (const client_secret of [`file://${directory}/private`, "secret://prod/database#url"]) {
    const { status, body } = await owner.ask(
      "POST",
      `${API}/draft`,
      described({ issuer: curious.issuer, client_secret }),
    );
    assert.deepEqual([status, /is the secret itself/.test(body.error)], [400, true]);
  }
  rmSync(directory, { recursive: true });
  assert.deepEqual(asked, []);
  await draft({ issuer: curious.issuer });
  assert.deepEqual(new Set(asked), new Set(["GET /keys", "POST /token"]));
});

test("only owners, and each try is in the audit log with the issuer and without the secret", async () => {
  for (const role of ["auditor", "operator"] as const) {
    const other = await makeOperator(server, role, role);
    const { status, body } = await other.ask("POST", `${API}/draft`, described());
    assert.deepEqual([status, body.required_role], [403, "owner"]);
  }
  await draft();
  await owner.ask("POST", `${API}/draft`, described({ issuer: "nowhere" }));
  const { items } = await owner.call("GET", "/_parley/admin/v1/audit?action=providers.draft&limit=2");
  assert.deepEqual(
    items.map((each: Json) => [each.actor, each.target, each.outcome, each.after?.issuer]),
    [
      [owner.userId, "corp", "failed", undefined],
      [owner.userId, "corp", "done", upstream.issuer],
    ],
  );
});

test("too many tries have to wait", async () => {
  await using other = await startTestServer({ config: { rateLimits: true } });
  const root = await makeAdministrator(other, "root");
  const statuses = [];
  for (let i = 0; i <= limits.rates.providerTrial.burst; i++)
    statuses.push((await root.ask("POST", `${API}/draft`, described({ issuer: "http://127.0.0.1:1" }))).status);
  assert.deepEqual([statuses.indexOf(429), statuses.length], [limits.rates.providerTrial.burst, statuses.length]);
});
