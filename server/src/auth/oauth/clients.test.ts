/** How clients register. Specification: client-server-api, "Client registration"; RFC 7591. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { METADATA, postForm, registerClient } from "../../../../testkit/src/oauth.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";
import { checkClient, RefusedClient } from "./client-metadata.ts";

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.stop());

const web = (redirect: string) => ({ ...METADATA, redirect_uris: [redirect] });
const native = (redirect: string) => ({ ...web(redirect), application_type: "native" });

/** The examples of the specification, "Redirect URI validation", and some of our own. */
const right = [
  web("https://example.com/callback"),
  web("https://app.example.com/callback"),
  web("https://example.com:5173/?query=value"),
  native("com.example.app:/callback"),
  native("com.example:/"),
  native("com.example:callback"),
  native("http://localhost/callback"),
  native("http://127.0.0.1/callback"),
  native("http://[::1]/callback"),
  native("https://app.example.com/callback"),
];

const wrong = [
  { ...native("javascript:alert(1)"), client_uri: "https://javascript/" },
  { ...native("com.example:/callback"), client_uri: "https://com/" },
  web("https://example.com/callback#fragment"),
  web("https://example.com/callback#"),
  web("http://example.com/callback"),
  web("http://localhost/"),
  web("com.example.app:/callback"),
  web("https://user:password@example.com/callback"),
  web("https://example.org/callback"),
  web("https://badexample.com/callback"),
  web("no address"),
  native("example:/callback"),
  native("com.example.app://callback"),
  native("com.examples:/callback"),
  native("https://localhost/callback"),
  native("http://localhost:1234/callback"),
  native("http://localhost:80/callback"),
  native("http://192.168.0.1/callback"),
  native("javascript:alert(1)"),
  native("data:text/html,x"),
];

test("the addresses that the specification allows are taken, and no others", () => {
  for (const metadata of right) assert.doesNotThrow(() => checkClient(metadata), metadata.redirect_uris[0]);
  for (const metadata of wrong)
    assert.throws(
      () => checkClient(metadata),
      (thrown: unknown) => thrown instanceof RefusedClient && thrown.code === "invalid_redirect_uri",
      metadata.redirect_uris[0],
    );
});

test("every address of a client is https, without a password, and on the host of client_uri or below it", () => {
  for (const changes of [
    { client_uri: undefined },
    { client_uri: "http://example.com/" },
    { client_uri: "https://a:b@example.com/" },
    { logo_uri: "https://example.org/logo.png" },
    { tos_uri: "http://example.com/tos" },
    { policy_uri: "https://x@example.com/" },
    { application_type: "service" },
    { grant_types: ["refresh_token"] },
    { grant_types: ["implicit"] },
    { redirect_uris: "https://example.com/" },
    { redirect_uris: [] },
  ])
    assert.throws(() => checkClient({ ...METADATA, ...changes }), RefusedClient, JSON.stringify(changes));
});

test("a registration is answered 201 with what was registered, without what the server does not know", async () => {
  const { status, body } = await registerClient(server.url, {
    ...METADATA,
    "client_name#fr": "Mon application",
    grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:token-exchange"],
    response_types: ["code", "id_token"],
    token_endpoint_auth_method: "client_secret_basic",
    contacts: ["somebody@example.com"],
  });
  assert.equal(status, 201);
  const { client_id, client_id_issued_at, ...rest } = body;
  assert.ok(client_id);
  assert.ok(client_id_issued_at > 0);
  assert.deepEqual(rest, {
    client_name: "Example App",
    client_uri: "https://example.com/",
    redirect_uris: METADATA.redirect_uris,
    response_types: ["code"],
    grant_types: ["authorization_code", "refresh_token"],
    token_endpoint_auth_method: "none",
    application_type: "web",
  });
});

test("who registers the same is the same client, and who differs is another", async () => {
  const [first, second] = [await registerClient(server.url), await registerClient(server.url)];
  const other = await registerClient(server.url, { ...METADATA, client_name: "Other" });
  assert.equal(first.body.client_id, second.body.client_id);
  assert.notEqual(first.body.client_id, other.body.client_id);
});

test("a refusal has the error of RFC 7591 and says what is wrong", async () => {
  const redirect = await registerClient(server.url, web("http://example.com/"));
  assert.equal(redirect.status, 400);
  assert.equal(redirect.body.error, "invalid_redirect_uri");
  assert.match(redirect.body.error_description, /http:\/\/example\.com\//);
  const nothing = await registerClient(server.url, {});
  assert.equal(nothing.body.error, "invalid_client_metadata");
  const text = await fetch(`${server.url}/oauth2/clients/register`, { method: "POST", body: "{" });
  assert.equal(text.status, 400);
});

test("what can not be stored is refused with the reason, and is no client's id", async () => {
  for (const client_name of ["half a pair \ud800", "NUL \0"]) {
    const { status, body } = await registerClient(server.url, { ...METADATA, client_name });
    assert.deepEqual([status, body.error], [400, "invalid_client_metadata"]);
  }
  const asked = { client_id: "a\0", grant_type: "refresh_token", refresh_token: "por_a.b" };
  for (const path of ["/oauth2/token", "/oauth2/device"])
    assert.equal((await postForm(server.url + path, asked)).body.error, "invalid_client");
});
