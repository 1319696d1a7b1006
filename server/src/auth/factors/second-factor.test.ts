/** Codes after the password (RFC 6238), recovery codes, and what an account with a second factor refuses to the password alone. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { codeOf, codesIn, factorsConfig, secretIn, setUpCodes } from "../../../../testkit/src/factors.ts";
import { registerPerson, request } from "../../../../testkit/src/http.ts";
import { type Browser, openBrowser, signIn, signInByOAuth } from "../../../../testkit/src/oauth.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";
import { limits } from "../../limits.ts";
import { masterKeysOf, parseMasterKeys } from "../../secrets/master-keys.ts";
import { realSeams } from "../../seams.ts";
import { purposeOf, rewrapSecrets } from "./sealing.ts";
import { sections } from "../for-export.ts";

const FACTORS = "/oauth2/account/factors";

const config = factorsConfig();
let server: TestServer;
before(async () => {
  server = await startTestServer({ config });
});
after(() => server.stop());

const protect = async (name: string) => {
  const person = await registerPerson(server.url, name);
  return { person, ...(await setUpCodes(server.url, name)) };
};

/** A browser after the password. */
async function atCode(name: string, url = server.url) {
  const browser = openBrowser(url);
  return { browser, page: await signIn(browser, await browser.open("/oauth2/account"), name) };
}

async function enter(name: string, code: string, url = server.url) {
  const { browser, page } = await atCode(name, url);
  return { browser, answer: await browser.send(page, { code }, 'name="code"') };
}

async function isSignedIn(browser: Browser): Promise<boolean> {
  return (await browser.open("/oauth2/account")).text.includes("Your devices");
}

test("after the password comes the code, and nothing is open before it", async () => {
  const { secret } = await protect("ana");
  const { browser, page } = await atCode("ana");
  assert.match(page.text, /Your code/);
  assert.equal(await isSignedIn(browser), false);
  const wrong = await browser.send(page, { code: "000000" }, 'name="code"');
  assert.equal(wrong.status, 403);
  assert.match(wrong.text, /role="alert"/);
  assert.equal(await isSignedIn(browser), false);
  await browser.send(wrong, { code: ` ${codeOf(secret, 1).replace(/^.../, "$& ")} ` }, 'name="code"');
  assert.equal(await isSignedIn(browser), true);
});

test("a code is taken once, and none that is older", async () => {
  const { secret } = await protect("berta");
  await server.ctx.db.auth.change("update auth.totp_secrets set last_step = 0 where user_id = '@berta:localhost'");
  const code = codeOf(secret, 1);
  assert.equal(await isSignedIn((await enter("berta", code)).browser), true);
  const again = await enter("berta", code);
  assert.equal(again.answer.status, 403);
  assert.equal(await isSignedIn(again.browser), false);
  assert.equal((await enter("berta", codeOf(secret))).answer.status, 403, "the step before it");
});

test("of two that send one code at once one is taken", async () => {
  const { secret } = await protect("bruno");
  const code = codeOf(secret, 1);
  const pages = await Promise.all([1, 2, 3, 4].map(() => atCode("bruno")));
  const answers = await Promise.all(pages.map(({ browser, page }) => browser.send(page, { code }, 'name="code"')));
  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  assert.equal(answers.filter(({ status }) => status === 403).length, 3);
});

test("the code of the next step is good, since clocks differ, and those of others are not", async () => {
  const { secret } = await protect("carla");
  for (const steps of [-3, 3]) assert.equal((await enter("carla", codeOf(secret, steps))).answer.status, 403);
  assert.equal(await isSignedIn((await enter("carla", codeOf(secret, 1))).browser), true);
});

test("a recovery code stands in for a code, once, however it is written", async () => {
  const { codes } = await protect("dora");
  assert.equal(new Set(codes).size, limits.recoveryCodes);
  const [code = "", other = ""] = codes;
  const { browser } = await enter("dora", ` ${code.toUpperCase().replaceAll("-", " ")}`);
  assert.equal(await isSignedIn(browser), true);
  assert.match((await browser.open(FACTORS)).text, /9 left/);
  assert.equal((await enter("dora", code)).answer.status, 403);
  assert.equal(await isSignedIn((await enter("dora", other)).browser), true);
});

test("new recovery codes end those of before", async () => {
  const { codes, browser, page } = await protect("erna");
  const made = codesIn(await browser.send(page, {}, "recovery_codes"));
  assert.equal(made.length, limits.recoveryCodes);
  assert.doesNotMatch((await browser.open(FACTORS)).text, new RegExp(made[0] as string), "shown once");
  assert.equal((await enter("erna", codes[0] as string)).answer.status, 403);
  assert.equal(await isSignedIn((await enter("erna", made[0] as string)).browser), true);
});

test("a secret protects nothing until a code of it was typed, and one browser's wrong code changes nothing", async () => {
  await registerPerson(server.url, "fritz");
  const browser = openBrowser(server.url);
  const begun = await browser.send(await signIn(browser, await browser.open(FACTORS), "fritz"), {}, "begin_totp");
  assert.match(begun.text, /<svg/);
  assert.equal((await browser.send(begun, { code: "000000" }, "confirm_totp")).status, 403);
  assert.equal(await isSignedIn((await atCode("fritz")).browser), true);
  const done = await browser.send(begun, { code: codeOf(secretIn(begun)) }, "confirm_totp");
  assert.equal(codesIn(done).length, limits.recoveryCodes);
  assert.equal(await isSignedIn((await atCode("fritz")).browser), false);
});

test("guesses are limited for the account, whatever browser they come from, and the right code is refused then too", async () => {
  const { secret } = await protect("gina");
  await using strict = await startTestServer({
    databaseUrl: server.databaseUrl,
    config: { ...config, rateLimits: true },
  });
  const { browser, page } = await atCode("gina", strict.url);
  const guess = (code: string) => browser.send(page, { code }, 'name="code"');
  const { burst } = limits.rates.secondFactor;
  for (let i = 0; i < burst; i++) assert.equal((await guess(String(i).padStart(6, "0"))).status, 403);
  assert.equal((await guess(codeOf(secret))).status, 429);
  const other = await atCode("gina", strict.url);
  assert.equal((await other.browser.send(other.page, { code: codeOf(secret, 1) }, 'name="code"')).status, 429);
  assert.equal(await isSignedIn(browser), false);
});

test("the step after the password ends with its time, with all sessions, and with the form's own origin", async () => {
  const { person, secret } = await protect("hilde");
  const { browser, page } = await atCode("hilde");
  const foreign = await browser.post(
    "/oauth2/sign-in/code",
    { code: codeOf(secret, 1) },
    { origin: "https://evil.example" },
  );
  assert.equal(foreign.status, 403);
  await server.ctx.db.auth.change("update auth.half_sign_ins set expires_at = now() - interval '1 second'");
  await browser.send(page, { code: codeOf(secret, 1) }, 'name="code"');
  assert.equal(await isSignedIn(browser), false);
  const second = await atCode("hilde");
  await person.call("POST", "/_matrix/client/v3/logout/all", {});
  await second.browser.send(second.page, { code: codeOf(secret, 1) }, 'name="code"');
  assert.equal(await isSignedIn(second.browser), false);
});

test("POST /login with the password is refused and says where to sign in; a login token of the browser is good", async () => {
  const { codes } = await protect("ida");
  const login = (body: object) => request(server.url, "POST", "/_matrix/client/v3/login", { body });
  const identifier = { type: "m.id.user", user: "ida" };
  const refused = await login({ type: "m.login.password", identifier, password: "password of ida" });
  assert.equal(refused.status, 403);
  assert.equal(refused.body.errcode, "M_FORBIDDEN");
  assert.match(refused.body.error, /through the browser/);
  assert.match(refused.body["io.parley.second_factor"].sign_in, /\/oauth2\/sign-in$/);
  const wrong = await login({ type: "m.login.password", identifier, password: "wrong" });
  assert.equal(wrong.body["io.parley.second_factor"], undefined, "told to nobody who does not know the password");
  const browser = openBrowser(server.url);
  const asked = await browser.open("/_matrix/client/v3/login/sso/redirect?redirectUrl=https://app.example.com/");
  const code = await signIn(browser, asked, "ida");
  const allowed = await browser.send(
    await browser.send(code, { code: codes[0] as string }, 'name="code"'),
    {},
    "redirectUrl",
  );
  const token = new URL(allowed.location ?? "").searchParams.get("loginToken");
  const { status, body } = await login({ type: "m.login.token", token });
  assert.equal(status, 200, JSON.stringify(body));
});

test("OAuth sign-in asks for the code before the application gets anything", async () => {
  await protect("jana");
  await assert.rejects(signInByOAuth(server.url, "jana"), /no such form|no code/);
});

test("neither an access token with the password nor an open browser takes a second factor away", async () => {
  const { person, secret, browser, page } = await protect("karla");
  const auth = {
    type: "m.login.password",
    identifier: { type: "m.id.user", user: "karla" },
    password: "password of karla",
  };
  for (const [method, path, body] of [
    ["POST", "/v3/account/password", { new_password: "another password" }],
    ["POST", "/v3/account/deactivate", {}],
    ["POST", "/v1/login/get_token", {}],
    ["DELETE", "/v3/devices/NODEVICE", {}],
  ] as const) {
    const answer = await person.ask(method, `/_matrix/client${path}`, { ...body, auth });
    assert.equal(answer.status, 403, path);
    assert.match(answer.body.error, /second factor.*\/oauth2\/account/);
  }
  await server.ctx.db.auth.change(
    "update auth.browser_sessions set created_at = now() - interval '11 minutes' where user_id = '@karla:localhost'",
  );
  assert.match((await browser.send(page, {}, "remove_totp")).text, /name="password"/, "the sign-in page");
  const account = await browser.open("/oauth2/account");
  const fields = { password: "password of karla", new_password: "another password" };
  const changed = await browser.send(account, fields, 'value="password"');
  assert.equal(changed.status, 403);
  assert.match(changed.text, /signed in some time ago/);
  assert.equal(await isSignedIn((await enter("karla", codeOf(secret, 1))).browser), true, "nothing has changed");
});

test("turned off, the password alone signs in again, and no recovery code is left", async () => {
  const { browser, page } = await protect("lena");
  const done = await browser.send(page, {}, "remove_totp");
  assert.match(done.text, /Codes are turned off/);
  assert.equal(await isSignedIn((await atCode("lena")).browser), true);
  const left = await server.ctx.db.auth.query("select 1 from auth.recovery_codes where user_id = '@lena:localhost'");
  assert.equal(left.length, 0);
});

test("the database has no secret and no code that would be of use to whoever copies it", async () => {
  const { secret, codes } = await protect("mona");
  const [row] = await server.ctx.db.auth.query<{ all: string }>(
    `select (select encode(wrapped, 'hex') from auth.totp_secrets where user_id = $1)
       || (select string_agg(encode(code_hash, 'hex'), ' ') from auth.recovery_codes where user_id = $1) as all`,
    ["@mona:localhost"],
  );
  const plain = codes
    .flatMap((code) => [code, code.replaceAll("-", "")])
    .map((code) => Buffer.from(code).toString("hex"));
  for (const text of [Buffer.from(secret).toString("hex"), ...plain]) assert.ok(!row?.all.includes(text));
  assert.match(row?.all ?? "", /^504b01/, "wrapped with a master key");
  // Put into another's row it opens nothing.
  await protect("nora");
  await server.ctx.db.auth.change(
    `update auth.totp_secrets set wrapped = (select wrapped from auth.totp_secrets where user_id = '@mona:localhost')
     where user_id = '@nora:localhost'`,
  );
  assert.equal(await isSignedIn((await enter("nora", codeOf(secret, 1))).browser), false);
});

test("an export names passkeys and says that there is a second factor, and an account that ends has neither", async () => {
  const { person, browser, codes } = await protect("olga");
  const { userId } = person;
  await server.ctx.db.auth.change(
    "insert into auth.passkeys (credential_id, user_id, public_key, counter, transports, name) values ('x', $1, 'k', 0, '{}', 'Telephone')",
    [userId],
  );
  const read = async () => {
    const of = sections.filter(({ name }) => name === "passkeys" || name === "second_factor");
    const pages = await Promise.all(of.map((section) => section.read(server.ctx, { userId, after: "", limit: 10 })));
    return pages.flatMap(({ records }) => records.map((record) => JSON.parse(record)));
  };
  const [passkey, second] = await read();
  assert.deepEqual(Object.keys(passkey).toSorted(), ["created_ts", "last_used_ts", "name"]);
  assert.equal(passkey.name, "Telephone");
  assert.deepEqual(Object.keys(second).toSorted(), ["confirmed_ts", "created_ts", "recovery_codes"]);
  assert.equal(second.recovery_codes, codes.length);
  const page = await browser.open("/oauth2/account?action=org.matrix.account_deactivate");
  await browser.send(page, { password: "password of olga" }, 'value="deactivate"');
  assert.deepEqual(await read(), []);
  const left = await server.ctx.db.auth.query("select 1 from auth.recovery_codes where user_id = $1", [userId]);
  assert.equal(left.length, 0);
});

test("without a master key there are no codes, and a sentence says what there is", async () => {
  await using bare = await startTestServer();
  await registerPerson(bare.url, "paula");
  const browser = openBrowser(bare.url);
  const page = await signIn(browser, await browser.open(FACTORS), "paula");
  const refused = await browser.send(page, {}, "begin_totp");
  assert.equal(refused.status, 400);
  assert.match(refused.text, /MASTER_ENCRYPTION_KEY. A passkey needs none/);
});

test("a rotation of the master key wraps every secret anew, and the new key alone opens it", async () => {
  await using own = await startTestServer({ config });
  await registerPerson(own.url, "rita");
  await setUpCodes(own.url, "rita");
  const before = config.explorer.masterKey as string;
  const next = randomBytes(32).toString("base64");
  const ring = (...lines: string[]) => masterKeysOf(() => parseMasterKeys(lines.join("\n")), realSeams);
  const { auth } = own.ctx.db;
  assert.equal(await rewrapSecrets(auth, ring(next, before)), 1);
  assert.equal(await rewrapSecrets(auth, ring(next, before)), 0);
  const row = await auth.one<{ wrapped: Buffer }>("select wrapped from auth.totp_secrets");
  assert.equal(ring(next).unwrap(row?.wrapped as Buffer, purposeOf("@rita:localhost")).length, 20);
  await assert.rejects(rewrapSecrets(auth, ring(before)), /does not have/);
});
