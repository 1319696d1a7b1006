/** Signing in by a provider of OpenID Connect, with a real one: OpenID Connect Core 1.0, and client-server-api, "Client login via SSO". */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { registerPerson, request } from "../../../../testkit/src/http.ts";
import { type Browser, openBrowser, signIn, type Visited } from "../../../../testkit/src/oauth.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";
import { startUpstream, throughUpstream, type Upstream, UPSTREAM_CLIENT } from "../../../../testkit/src/upstream.ts";
import { readSso } from "./config.ts";

let upstream: Upstream;
let server: TestServer;

const APP = "https://app.example.com/";
const V3 = "/_matrix/client/v3";

function settings(more: object = {}): Parameters<typeof startTestServer>[0] {
  const provider = {
    id: "test",
    name: "Test ID",
    issuer: upstream.issuer,
    ...UPSTREAM_CLIENT,
    brand: "keycloak",
    ...more,
  };
  return { config: { sso: readSso({ PARLEY_SSO_PROVIDERS: JSON.stringify([provider]), PARLEY_SSO_CLIENTS: APP }) } };
}

/** A server of a test's own, where the provider is set otherwise. It is the one whom the upstream serves meanwhile. */
async function startWith(more: object): Promise<TestServer> {
  const other = await startTestServer(settings(more));
  upstream.serve(other.ctx.publicUrl(), "test");
  return other;
}

before(async () => {
  upstream = await startUpstream({ sub: "1" });
  server = await startTestServer(settings());
});
after(async () => {
  await server.stop();
  await upstream[Symbol.asyncDispose]();
});

const begin = `${V3}/login/sso/redirect/test?${new URLSearchParams({ redirectUrl: APP }).toString()}`;

interface Came {
  browser: Browser;
  page: Visited;
}

/** Somebody comes by the provider, up to the page on which they are then. */
async function come(
  person: Upstream["person"],
  { at = server, path = begin }: { at?: TestServer; path?: string } = {},
): Promise<Came> {
  if (at === server) upstream.serve(server.ctx.publicUrl(), "test");
  upstream.person = person;
  const browser = openBrowser(at.url);
  const back = await throughUpstream(await browser.open(path), openBrowser(upstream.issuer));
  return { browser, page: await browser.open(back) };
}

async function logInWith(page: Visited, at = server) {
  const token = new URL(page.location ?? "").searchParams.get("loginToken");
  return request(at.url, "POST", `${V3}/login`, { body: { type: "m.login.token", token } });
}

/** Somebody signs a device in by the provider. */
async function logIn(person: Upstream["person"], at = server) {
  const { browser, page } = await come(person, { at });
  assert.match(page.location ?? "", /loginToken=/, page.text);
  return { browser, ...(await logInWith(page, at)).body } as {
    browser: Browser;
    user_id: string;
    access_token: string;
  };
}

const whoami = (token: string, at = server) => request(at.url, "GET", `${V3}/account/whoami`, { token });

test("a client learns of the providers, and a newcomer gets an account with their name by one of them, once", async () => {
  const { body } = await request(server.url, "GET", `${V3}/login`);
  const sso = body.flows.find(({ type }: { type: string }) => type === "m.login.sso");
  assert.deepEqual(sso.identity_providers, [{ id: "test", name: "Test ID", brand: "keycloak" }]);
  const { page } = await come({ sub: "anna", preferred_username: "Anna@example.org", name: "Anna A." });
  const login = await logInWith(page);
  assert.equal(login.body.user_id, "@anna:localhost");
  assert.equal((await logInWith(page)).status, 403, "a login token counts once");
  const profile = await request(server.url, "GET", `${V3}/profile/@anna:localhost`);
  assert.equal(profile.body.displayname, "Anna A.");
  const again = await logIn({ sub: "anna", preferred_username: "somebody.else", name: "Another" });
  assert.equal(again.user_id, "@anna:localhost", "the subject says who it is, and nothing else");
});

test("the pages of OAuth on which one signs in or makes an account lead to the provider, and go on where they were", async () => {
  upstream.serve(server.ctx.publicUrl(), "test");
  upstream.person = { sub: "olga", preferred_username: "olga" };
  for (const path of ["/oauth2/sign-in", "/oauth2/register"]) {
    const browser = openBrowser(server.url);
    const page = await browser.open(`${path}?next=/oauth2/link`);
    assert.match(page.text, /Continue with Test ID/, path);
    const href = /href="(\/oauth2\/upstream\/test[^"]*)"/.exec(page.text)?.[1]?.replaceAll("&#38;", "&") ?? "";
    const back = await throughUpstream(await browser.open(href), openBrowser(upstream.issuer));
    assert.match((await browser.open(back)).url, /\/oauth2\/link$/, path);
  }
});

test("a client that nobody named gets nobody back who has not said yes", async () => {
  const path = `${V3}/login/sso/redirect/test?redirectUrl=${encodeURIComponent("https://other.example/x")}`;
  const { browser, page } = await come({ sub: "anna" }, { path });
  assert.equal(page.status, 200);
  assert.match(page.text, /other\.example/);
  const { location = "" } = await browser.send(page, {}, 'name="redirectUrl"');
  assert.match(location, /^https:\/\/other\.example\/x\?loginToken=/);
  const known = await browser.open(begin.replace("/redirect/test?", "/redirect?"));
  assert.match(
    known.text,
    /Continue as @anna/,
    "a client that was named, but no provider: they may want to be somebody else",
  );
});

test("a provider that there is not is not found", async () => {
  const { status, body } = await request(server.url, "GET", begin.replace("/test?", "/none?"));
  assert.deepEqual([status, body.errcode], [404, "M_NOT_FOUND"]);
});

/** Goes to the provider and comes back with the address changed; gives the page. */
async function comeChanged(change: (back: URL, browser: Browser) => Promise<void> | void): Promise<Visited> {
  upstream.serve(server.ctx.publicUrl(), "test");
  upstream.person = { sub: "mallory", preferred_username: "mallory" };
  const browser = openBrowser(server.url);
  const back = new URL(await throughUpstream(await browser.open(begin), openBrowser(upstream.issuer)));
  await change(back, browser);
  return browser.open(back.href);
}

test("an answer with another state, of another browser, of another issuer, or that came before lets nobody in", async () => {
  const wrongState = await comeChanged((back) => back.searchParams.set("state", "another"));
  assert.equal(wrongState.status, 404, wrongState.text);
  const otherBrowser = await comeChanged((_back, browser) => browser.cookies.clear());
  assert.equal(otherBrowser.status, 404, otherBrowser.text);
  const otherIssuer = await comeChanged((back) => back.searchParams.set("iss", "https://evil.example"));
  assert.equal(otherIssuer.status, 403, otherIssuer.text);
  const twice = await comeChanged(async (back, browser) => void (await browser.open(back.href)));
  assert.equal(twice.status, 404, twice.text);
  assert.match(twice.text, /expired, was used/);
});

test("a code that was used, and one that was got for another browser's state, let nobody in", async () => {
  let used = "";
  await comeChanged(async (back, browser) => {
    used = back.searchParams.get("code") ?? "";
    await browser.open(back.href);
  });
  const replayed = await comeChanged((back) => back.searchParams.set("code", used));
  assert.equal(replayed.status, 403, replayed.text);
  let stolen = "";
  await comeChanged((back) => void (stolen = back.searchParams.get("code") ?? ""));
  const injected = await comeChanged((back) => back.searchParams.set("code", stolen));
  assert.equal(injected.status, 403, injected.text);
});

test("an id token with another nonce lets nobody in", async () => {
  const refused = await comeChanged(async () => {
    await server.ctx.db.auth.change(`update auth.sso_steps set payload = payload || '{"nonce":"another"}'`, []);
  });
  assert.equal(refused.status, 403, refused.text);
});

test("a person who says no to the provider is told so", async () => {
  const page = await comeChanged((back) => {
    back.searchParams.delete("code");
    back.searchParams.set("error", "access_denied");
  });
  assert.equal(page.status, 403);
  assert.match(page.text, /Cancelled/);
});

test("whose name is taken, or can be none, chooses another", async () => {
  await registerPerson(server.url, "bob");
  const { browser, page } = await come({ sub: "bob of elsewhere", preferred_username: "bob", name: "Bob" });
  assert.match(page.text, /The name bob is somebody else/);
  const taken = await browser.send(page, { user: "bob" });
  assert.match(taken.text, /taken/);
  const done = await browser.send(taken, { user: "bobby" });
  assert.equal((await logInWith(done)).body.user_id, "@bobby:localhost");
  const odd = await come({ sub: "odd", preferred_username: "Žofie Nová" });
  assert.match(odd.page.text, /value="zofie-nova"/);
  const stranger = await openBrowser(server.url).open(odd.page.url);
  assert.equal(stranger.status, 404, "the page is this browser's alone");
});

test("a locked and a deactivated account let nobody in, and say so", async () => {
  const { user_id, access_token } = await logIn({ sub: "carl", preferred_username: "carl" });
  await server.ctx.db.auth.change("update auth.accounts set suspended_at = now() where user_id = $1", [user_id]);
  const locked = await come({ sub: "carl" });
  assert.match(locked.page.text, /locked by the operators/);
  assert.equal(locked.page.location, undefined);
  await server.ctx.db.auth.change("update auth.accounts set suspended_at = null where user_id = $1", [user_id]);
  await server.ctx.db.auth.query("select auth.deactivate($1, false)", [user_id]);
  const gone = await come({ sub: "carl", preferred_username: "carl2" });
  assert.match(gone.page.text, /deactivated/);
  assert.equal((await whoami(access_token)).status, 401);
});

test("who may come is said by confirmed addresses and by claims", async () => {
  await using other = await startWith({ email_domains: ["Example.org"], require_claims: { groups: "staff" } });
  const dora = { sub: "dora", preferred_username: "dora", groups: ["staff"] };
  const comes = async (more: object) => (await come({ ...dora, ...more }, { at: other })).page;
  assert.equal((await comes({ email: "dora@elsewhere.example", email_verified: true })).status, 403);
  assert.equal((await comes({ email: "dora@example.org", email_verified: false })).status, 403);
  assert.equal((await comes({ email: "dora@example.org", email_verified: true, groups: [] })).status, 403);
  assert.match((await comes({ email: "dora@example.org", email_verified: true })).location ?? "", /loginToken=/);
});

test("an account is found by a confirmed address only where the operator wants that, and none is made where not", async () => {
  await using other = await startWith({ link_by_verified_email: true, new_accounts: false });
  const { userId } = await registerPerson(other.url, "erik");
  await other.ctx.db.auth.change(
    "insert into auth.third_party_ids (medium, address, user_id, validated_at) values ('email', 'erik@example.org', $1, now())",
    [userId],
  );
  const comes = async (more: object) => (await come({ sub: "erik", ...more }, { at: other })).page;
  assert.equal((await comes({ email: "erik@example.org", email_verified: false })).status, 403);
  const page = await comes({ email: "Erik@example.org", email_verified: true });
  assert.equal((await logInWith(page, other)).body.user_id, userId);
});

test("a person adds a provider to their account with their password, and removes it; the last way in stays", async () => {
  const frida = await registerPerson(server.url, "frida");
  const browser = openBrowser(server.url);
  await signIn(browser, await browser.open("/oauth2/sign-in"), "frida");
  upstream.serve(server.ctx.publicUrl(), "test");
  upstream.person = { sub: "frida there", name: "Frida F." };
  const back = await throughUpstream(
    await browser.open("/oauth2/upstream/test?for=link"),
    openBrowser(upstream.issuer),
  );
  const page = await browser.open(back);
  assert.match(page.text, /Frida F\./);
  const wrong = await browser.send(page, { password: "wrong" });
  assert.match(wrong.text, /not right/);
  const account = await browser.send(wrong, { password: "password of frida" });
  assert.match(account.text, /frida there/);
  assert.equal((await logIn({ sub: "frida there" })).user_id, frida.userId);
  const removed = await browser.send(account, {}, 'value="unlink"');
  assert.match(removed.text, /is removed/);
  const gina = await come({ sub: "gina", preferred_username: "gina" }, { path: "/oauth2/upstream/test" });
  const kept = await gina.browser.send(await gina.browser.open("/oauth2/account"), {}, 'value="unlink"');
  assert.match(kept.text, /your only way/);
});

test("a provider that knows one account is not added to another", async () => {
  await registerPerson(server.url, "hugo");
  const browser = openBrowser(server.url);
  await signIn(browser, await browser.open("/oauth2/sign-in"), "hugo");
  upstream.person = { sub: "anna" };
  const back = await throughUpstream(
    await browser.open("/oauth2/upstream/test?for=link"),
    openBrowser(upstream.issuer),
  );
  const refused = await browser.send(await browser.open(back), { password: "password of hugo" });
  assert.match(refused.text, /another account here, @anna:localhost/);
});

test("who has no password confirms by the provider what needs a word of theirs, and nobody else can", async () => {
  const ida = await logIn({ sub: "ida", preferred_username: "ida" });
  const remove = (auth?: object) =>
    request(server.url, "POST", `${V3}/delete_devices`, {
      token: ida.access_token,
      body: { devices: ["OTHER"], ...(auth ? { auth } : {}) },
    });
  const challenge = await remove();
  assert.equal(challenge.status, 401);
  assert.deepEqual(challenge.body.flows, [{ stages: ["m.login.sso"] }]);
  const { session } = challenge.body as { session: string };
  assert.equal((await remove({ type: "m.login.sso", session })).status, 401, "the page was not there yet");
  const path = `${V3}/auth/m.login.sso/fallback/web?session=${session}`;
  const other = await come({ sub: "anna" }, { path });
  assert.match(other.page.text, /somebody else than @ida/);
  assert.equal((await remove({ session })).status, 401);
  const own = await come({ sub: "ida" }, { path });
  assert.match(own.page.text, /sign devices of yours out/);
  assert.match((await own.browser.send(own.page, {})).text, /onAuthDone/);
  assert.equal((await remove({ session })).status, 200);
  assert.equal((await remove({ session })).status, 401, "once");
});

test("a provider that is away is said on a page, and asked again by whoever comes next", async () => {
  const provider = { id: "test", name: "Test ID", issuer: "http://127.0.0.1:9", client_id: "a" };
  const sso = readSso({ PARLEY_SSO_PROVIDERS: JSON.stringify([provider]) });
  await using other = await startTestServer({ config: { sso } });
  const page = await openBrowser(other.url).open("/oauth2/upstream/test");
  assert.deepEqual([page.status, /can not be reached/.test(page.text)], [502, true]);
});
