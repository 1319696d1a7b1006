/** Who has no password signs in to the console by the server's own sign-in pages, and shows there again who they are. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { makeAuthenticator } from "../../../../testkit/src/authenticator.ts";
import { type Browser as Console, openBrowser as openConsole, SESSION } from "../../../../testkit/src/console.ts";
import { type Browser, openBrowser, signIn, type Visited } from "../../../../testkit/src/oauth.ts";
import { makeAdministrator } from "../../../../testkit/src/operators.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";
import { ssoBy, startUpstream, throughUpstream, type Upstream } from "../../../../testkit/src/upstream.ts";
import { limits } from "../../limits.ts";
import { listEntries } from "../audit/entries.ts";

const NEXT = encodeURIComponent("/admin/signed-in?to=/admin/users");
const BY_PROVIDER = `/oauth2/upstream/test?next=${NEXT}`;
const FROM_PAGES = `${SESSION}/from-pages`;
const CONFIRM = `${SESSION}/confirm/from-pages`;
const ACT = "/api/admin/v1/registration-tokens";

let upstream: Upstream;
let server: TestServer;

before(async () => {
  upstream = await startUpstream({ sub: "1" });
  server = await startTestServer({ config: { sso: ssoBy(upstream, { id: "test", name: "Test ID" }) } });
  upstream.serve(server.ctx.publicUrl(), "test");
});
after(async () => {
  await server.stop();
  await upstream[Symbol.asyncDispose]();
});

/** The provider's own sessions, by the browser that is signed in there. */
const atProvider = new WeakMap<Browser, Browser>();

/** Goes to the provider and back. `change` is what somebody makes of the address that leads there. */
async function byProvider(browser: Browser, sub: string, change: (url: URL) => void = () => {}): Promise<Visited> {
  upstream.person = { sub, preferred_username: sub };
  const there = await browser.open(BY_PROVIDER);
  const url = new URL(there.location ?? "");
  change(url);
  const provider = atProvider.get(browser) ?? openBrowser(upstream.issuer);
  atProvider.set(browser, provider);
  return browser.open(await throughUpstream({ ...there, location: url.href }, provider));
}

/** An account that the provider alone lets in, with what makes an owner of it. */
async function ownerByProvider(sub: string): Promise<Browser> {
  const browser = openBrowser(server.url);
  await byProvider(browser, sub);
  await server.ctx.db.auth.change("update auth.accounts set is_admin = true where user_id = $1", [`@${sub}:localhost`]);
  return browser;
}

/** The console in that browser. */
function consoleIn(browser: Browser): Console {
  const console = openConsole(server.url);
  return {
    ...console,
    ask: (...[method, path, body, headers = {}]) => {
      const pages = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      return console.ask(method, path, body, { cookie: `${pages}; ${console.cookie}`, ...headers });
    },
  };
}

/** As if so much time had passed for the console's sessions and for the browsers'. */
async function pass(time_ms: number): Promise<void> {
  await server.ctx.db.console.change(
    `update console.sessions set data = (data::jsonb || jsonb_build_object(
       'confirmed_ms', greatest(0, (data::jsonb->>'confirmed_ms')::bigint - $1::bigint)))::text`,
    [time_ms],
  );
  const earlier = "- $1 * interval '1 millisecond'";
  await server.ctx.db.auth.change(
    `update auth.browser_sessions set created_at = created_at ${earlier}, proved_at = proved_at ${earlier}`,
    [time_ms],
  );
}

const outcome = async (asked: Promise<{ status: number; body: { errcode?: string } }>) => {
  const { status, body } = await asked;
  return status === 200 ? "done" : `${status} ${body.errcode}`;
};

test("an operator whom a provider alone lets in signs in, acts, and shows again who they are", async () => {
  const browser = await ownerByProvider("olga");
  const { ask } = consoleIn(browser);
  assert.deepEqual((await ask("GET", `${SESSION}/ways`)).body, {
    pages: true,
    providers: [{ id: "test", name: "Test ID" }],
  });
  const { body } = await ask("POST", FROM_PAGES);
  assert.deepEqual([body.user_id, body.role, body.has_password], ["@olga:localhost", "owner", false]);
  assert.equal(await outcome(ask("POST", ACT, {})), "done");
  await pass(limits.consoleConfirm_ms + 1);
  assert.equal(await outcome(ask("POST", ACT, {})), "401 IO_PARLEY_CONFIRM");
  assert.equal(await outcome(ask("POST", CONFIRM)), "403 M_FORBIDDEN", "the sign-in of then is none of now");
  await byProvider(browser, "olga");
  assert.equal(await outcome(ask("POST", CONFIRM)), "done");
  assert.equal(await outcome(ask("POST", ACT, {})), "done");
  const kept = await listEntries(server.ctx, { actor: "@olga:localhost" }, { below: null, limit: 20 });
  assert.deepEqual(
    kept.filter(({ action }) => action.startsWith("session.")).map((each) => `${each.action} ${each.outcome}`),
    ["session.confirm done", "session.confirm denied", "session.begin done"],
  );
});

test("the provider is asked to ask; whoever takes that out of the address reads and changes nothing", async () => {
  const browser = await ownerByProvider("oscar");
  const asked: Record<string, string | null> = {};
  await byProvider(browser, "oscar", ({ searchParams }) => {
    for (const name of ["prompt", "max_age"]) {
      asked[name] = searchParams.get(name);
      searchParams.delete(name);
    }
  });
  assert.deepEqual(asked, { prompt: "login", max_age: "0" });
  const { ask } = consoleIn(browser);
  assert.equal(await outcome(ask("POST", FROM_PAGES)), "done");
  assert.equal(await outcome(ask("GET", "/api/admin/v1/users")), "done");
  assert.equal(await outcome(ask("POST", ACT, {})), "401 IO_PARLEY_CONFIRM");
  assert.equal(await outcome(ask("POST", CONFIRM)), "403 M_FORBIDDEN");
  await byProvider(browser, "oscar");
  assert.equal(await outcome(ask("POST", CONFIRM)), "done");
  assert.equal(await outcome(ask("POST", ACT, {})), "done");
});

test("a sign-in at the pages opens the console for minutes, from our own pages, and for operators", async () => {
  const browser = await ownerByProvider("ohad");
  const { ask } = consoleIn(browser);
  const elsewhere = { origin: "https://elsewhere.example" };
  assert.equal(await outcome(ask("POST", FROM_PAGES, undefined, elsewhere)), "403 IO_PARLEY_CSRF");
  await pass(limits.consoleSignIn_ms + 1);
  assert.equal(await outcome(ask("POST", FROM_PAGES)), "403 M_FORBIDDEN");
  assert.equal(await outcome(openConsole(server.url).ask("POST", FROM_PAGES)), "403 M_FORBIDDEN");
  const stranger = openBrowser(server.url);
  await byProvider(stranger, "nobody");
  const refused = await consoleIn(stranger).ask("POST", FROM_PAGES);
  assert.deepEqual([refused.status, refused.body.error], [403, "@nobody:localhost is no operator of this server."]);
});

test("nobody shows for another who they are", async () => {
  const browser = await ownerByProvider("otto");
  const { ask } = consoleIn(browser);
  await ask("POST", FROM_PAGES);
  await pass(limits.consoleConfirm_ms + 1);
  atProvider.delete(browser);
  await byProvider(browser, "another");
  atProvider.delete(browser);
  assert.equal(await outcome(ask("POST", CONFIRM)), "403 M_FORBIDDEN");
  await byProvider(browser, "otto");
  assert.equal(await outcome(ask("POST", CONFIRM, undefined, { "x-csrf-token": "" })), "403 IO_PARLEY_CSRF");
});

test("the console closes when the provider signs its person out", async () => {
  const { ask } = consoleIn(await ownerByProvider("oda"));
  await ask("POST", FROM_PAGES);
  assert.equal(await outcome(ask("GET", SESSION)), "done");
  await upstream.signOut("oda");
  assert.equal(await outcome(ask("GET", SESSION)), "401 M_UNKNOWN_TOKEN");
});

test("a passkey opens the console, and confirms in it", async () => {
  await makeAdministrator(server, "orla");
  const factors = "/oauth2/account/factors";
  const browser = openBrowser(server.url);
  const page = await signIn(browser, await browser.open(factors), "orla");
  const token = /name="token" value="([^"]*)"/.exec(page.text)?.[1] ?? "";
  const place = { origin: server.ctx.publicUrl(), rpId: "localhost" };
  const passkey = makeAuthenticator();
  const { challenge } = JSON.parse((await browser.post(`${factors}/passkey/options`, { token })).text);
  await browser.send(page, { credential: passkey.create({ ...place, challenge }), name: "Key" }, "add_passkey");
  const show = async () => {
    const options = JSON.parse((await browser.post("/oauth2/sign-in/passkey/options", {})).text);
    const credential = passkey.get({ ...place, challenge: options.challenge });
    await browser.post("/oauth2/sign-in/passkey", { credential, next: "/admin/signed-in" });
  };
  await pass(limits.consoleConfirm_ms);
  await show();
  const { ask } = consoleIn(browser);
  assert.equal((await ask("POST", FROM_PAGES)).body.has_password, true);
  await pass(limits.consoleConfirm_ms + 1);
  assert.equal(await outcome(ask("POST", CONFIRM)), "403 M_FORBIDDEN");
  await show();
  assert.equal(await outcome(ask("POST", CONFIRM)), "done");
  assert.equal(await outcome(ask("POST", ACT, {})), "done");
});

test("during maintenance operators come in by the pages to end it, and nobody else does", async () => {
  const browser = await ownerByProvider("orson");
  const { ask } = consoleIn(browser);
  await ask("POST", FROM_PAGES);
  const reason = "A move";
  await ask("POST", "/api/admin/v1/system/maintenance/begin", { message: "Back at noon.", reason });
  try {
    assert.match((await byProvider(openBrowser(server.url), "orson")).url, /\/admin\/signed-in/);
    assert.match((await byProvider(openBrowser(server.url), "newcomer")).text, /Back at noon/);
  } finally {
    await ask("POST", "/api/admin/v1/system/maintenance/end", { reason });
  }
});
