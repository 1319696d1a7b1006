/** Newcomers by a provider accept the policies too. Specification: client-server-api, "Terms of service at registration". */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { registerPerson } from "../../../../testkit/src/http.ts";
import { openBrowser } from "../../../../testkit/src/oauth.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";
import { ssoBy, startUpstream, throughUpstream, type Upstream } from "../../../../testkit/src/upstream.ts";
import { acceptedBy } from "./acceptance.ts";
import { readTerms } from "./config.ts";

let upstream: Upstream;
let server: TestServer;
before(async () => {
  upstream = await startUpstream({ sub: "1" });
  const terms = readTerms({
    PARLEY_TERMS: `{"terms":{"version":"1","en":{"name":"Terms","url":"https://example.org/terms"}}}`,
  });
  server = await startTestServer({ config: { terms, sso: ssoBy(upstream, { id: "test", name: "Test ID" }) } });
  upstream.serve(server.ctx.publicUrl(), "test");
});
after(async () => {
  await server.stop();
  await upstream[Symbol.asyncDispose]();
});

async function come(person: Upstream["person"]) {
  upstream.person = person;
  const browser = openBrowser(server.url);
  const begun = await browser.open("/oauth2/upstream/test?next=/oauth2/account");
  return { browser, page: await browser.open(await throughUpstream(begun, openBrowser(upstream.issuer))) };
}

async function versionsOf(userId: string): Promise<string[]> {
  return (await acceptedBy(server.ctx, userId)).map(({ policy_id, version }) => `${policy_id} ${version}`);
}

test("a newcomer whose name is free accepts the policies first, and is not asked again", async () => {
  const { browser, page } = await come({ sub: "anna", preferred_username: "anna", name: "Anna A." });
  assert.match(page.text, /you will be <strong>@anna:localhost/);
  assert.match(page.text, /href="https:\/\/example\.org\/terms"/);
  assert.doesNotMatch(page.text, /name="user"/, "the name is the provider's");
  const refused = await browser.send(page, { user: "another" });
  assert.equal(refused.status, 400);
  assert.match(refused.text, /you accept Terms/);
  const done = await browser.send(refused, { user: "another", "policy terms": "1" });
  assert.match(done.text, /@anna:localhost/);
  assert.deepEqual(await versionsOf("@anna:localhost"), ["terms 1"]);
  const again = await come({ sub: "anna" });
  assert.match(again.page.url, /\/oauth2\/account/);
});

test("a newcomer who has to choose a name accepts them on the same page", async () => {
  await server.ctx.db.auth.query("select auth.create_account('@bob:localhost', null, null)", []);
  const { browser, page } = await come({ sub: "bob of elsewhere", preferred_username: "bob" });
  assert.match(page.text, /The name bob is somebody else/);
  const refused = await browser.send(page, { user: "bobby" });
  assert.match(refused.text, /you accept Terms/);
  assert.match(refused.text, /value="bobby"/);
  const done = await browser.send(refused, { user: "bobby", "policy terms": "1" });
  assert.match(done.text, /@bobby:localhost/);
  assert.deepEqual(await versionsOf("@bobby:localhost"), ["terms 1"]);
  assert.deepEqual(await versionsOf("@bob:localhost"), []);
});

test("without policies a newcomer is asked nothing", async () => {
  await using plain = await startTestServer({ config: { sso: server.ctx.config.sso } });
  upstream.serve(plain.ctx.publicUrl(), "test");
  upstream.person = { sub: "carl", preferred_username: "carl" };
  const browser = openBrowser(plain.url);
  const begun = await browser.open("/oauth2/upstream/test?next=/oauth2/account");
  const page = await browser.open(await throughUpstream(begun, openBrowser(upstream.issuer)));
  assert.match(page.url, /\/oauth2\/account/);
  assert.equal((await registerPerson(plain.url, "dora")).userId, "@dora:localhost");
});
