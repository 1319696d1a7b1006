/**
 * Every operation against everybody who may come: made from the list of operations, so that a new one is in it by itself. What
 * passes the gates is refused for its query, which no operation knows: so nothing is done, and each answer is exactly one.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Browser, openBrowser, SESSION, signInToConsole } from "../../../testkit/src/console.ts";
import { registerPerson, signInPerson } from "../../../testkit/src/http.ts";
import { makeAdministrator, makeOperator } from "../../../testkit/src/operators.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { limits } from "../limits.ts";
import { CONSOLE_API } from "./bff/routes-of.ts";
import { API } from "./mount.ts";
import { type Operation, operatorRoles } from "./operation.ts";
import { operations } from "./operations.ts";
import { isAtLeast } from "./operators.ts";

const PASSED = "400 M_INVALID_PARAM";

let server: TestServer;
const tokens: Record<string, string> = {};
const browsers: Record<string, Browser> = {};

before(async () => {
  server = await startTestServer();
  const root = await makeAdministrator(server, "owner");
  tokens["owner"] = root.token;
  for (const role of ["auditor", "operator"] as const) tokens[role] = (await makeOperator(server, role, role)).token;
  tokens["ordinary user"] = (await registerPerson(server.url, "ordinary")).token;
  const bot = await makeAdministrator(server, "bot");
  await server.ctx.db.auth.change("update auth.sessions set scopes = array['read', 'rooms'] where user_id = $1", [
    bot.userId,
  ]);
  tokens["bot of an owner"] = bot.token;
  const leaving = await signInPerson(server.url, "owner");
  await leaving.call("POST", "/_matrix/client/v3/logout");
  tokens["signed-out owner"] = leaving.token;
  for (const role of operatorRoles) browsers[role] = await signInToConsole(server.url, role);
});
after(() => server.stop());

interface Sent {
  prefix: string;
  headers: Record<string, string>;
}

/** What comes back for a request that would be understood, but for its query: "400 M_INVALID_PARAM" once all gates are passed. */
async function answerTo(operation: Operation, { prefix, headers }: Sent): Promise<string> {
  const path = operation.path.replaceAll(/:[^/]+/g, "1");
  const body = operation.method === "GET" || operation.method === "DELETE" ? {} : { body: "{}" };
  const url = `${server.url}${prefix}${path}?nothing_knows_this=1`;
  const response = await fetch(url, { method: operation.method, headers, ...body });
  const { errcode } = (await response.json()) as { errcode: string };
  // Where the query has something that must be there, that is told first.
  return errcode === "M_MISSING_PARAM" ? PASSED : `${response.status} ${errcode}`;
}

const FORBIDDEN = "403 M_FORBIDDEN";

/** For all operations at once: what differs is shown by the operation's id. */
async function check(expected: (operation: Operation) => string, sent: (operation: Operation) => Sent): Promise<void> {
  const found: [string, string][] = [];
  for (const operation of operations) found.push([operation.id, await answerTo(operation, sent(operation))]);
  assert.deepEqual(
    Object.fromEntries(found),
    Object.fromEntries(operations.map((operation) => [operation.id, expected(operation)])),
  );
}

const bearer = (token: string | undefined) => ({ prefix: API, headers: { authorization: `Bearer ${token}` } });
const allowedTo = (role: (typeof operatorRoles)[number]) => (operation: Operation) =>
  isAtLeast(role, operation.role) ? PASSED : FORBIDDEN;

test("there is something to check, each with a name of its own", () => {
  assert.ok(operations.length >= 15);
  assert.equal(new Set(operations.map(({ id }) => id)).size, operations.length);
  assert.equal(new Set(operations.map(({ method, path }) => `${method} ${path}`)).size, operations.length);
});

test("nobody is told anything without a token or a session", async () => {
  for (const prefix of [API, CONSOLE_API])
    await check(
      () => "401 M_MISSING_TOKEN",
      () => ({ prefix, headers: {} }),
    );
});

test("an ordinary person's token opens nothing", () =>
  check(
    () => FORBIDDEN,
    () => bearer(tokens["ordinary user"]),
  ));

test("a token with scopes opens nothing, even where its account is an owner's", () =>
  check(
    () => FORBIDDEN,
    () => bearer(tokens["bot of an owner"]),
  ));

test("the token of an owner who signed out opens nothing", () =>
  check(
    () => "401 M_UNKNOWN_TOKEN",
    () => bearer(tokens["signed-out owner"]),
  ));

for (const role of operatorRoles) {
  test(`with a token, ${role} may do what the operations say, and no more`, () =>
    check(allowedTo(role), () => bearer(tokens[role])));

  test(`in a browser, ${role} may do what the operations say, and no more`, () =>
    check(allowedTo(role), () => ({ prefix: CONSOLE_API, headers: ownHeaders(role) })));
}

/** What a page of ours sends. */
function ownHeaders(role: string): Record<string, string> {
  const { cookie, csrf } = browsers[role] as Browser;
  return { cookie, origin: new URL(server.url).origin, "x-csrf-token": csrf };
}

const CSRF = "403 IO_PARLEY_CSRF";
const isGet = ({ method }: Operation) => method === "GET";

const forgeries: Record<string, () => Record<string, string>> = {
  "no token of the session": () => ({ "x-csrf-token": "" }),
  "the token of another session": () => ({ "x-csrf-token": browsers["auditor"]?.csrf ?? "" }),
  "another origin": () => ({ origin: "https://evil.example" }),
  "an origin that is none": () => ({ origin: "null" }),
  "an origin that begins like ours": () => ({ origin: `${new URL(server.url).origin}.evil.example` }),
  "a site that the browser calls another": () => ({ "sec-fetch-site": "same-site" }),
};

for (const [what, headers] of Object.entries(forgeries))
  test(`in a browser, what is no GET is refused with ${what}`, () =>
    check(
      (operation) => (isGet(operation) ? PASSED : CSRF),
      () => ({ prefix: CONSOLE_API, headers: { ...ownHeaders("owner"), ...headers() } }),
    ));

test("in a browser, what is no GET is refused without any origin", () =>
  check(
    (operation) => (isGet(operation) ? PASSED : CSRF),
    () => {
      const { origin: _, ...headers } = ownHeaders("owner");
      return { prefix: CONSOLE_API, headers };
    },
  ));

test("a cookie does not open the API of tokens, nor a token the console's", async () => {
  await check(
    () => "401 M_MISSING_TOKEN",
    () => ({ prefix: API, headers: ownHeaders("owner") }),
  );
  await check(
    () => "401 M_MISSING_TOKEN",
    () => ({ ...bearer(tokens["owner"]), prefix: CONSOLE_API }),
  );
});

test("in a browser, what changes something needs a password of the last 15 minutes, but for who may not do it at all", async () => {
  await server.ctx.db.console.change(
    `update console.sessions
     set data = (data::jsonb || jsonb_build_object('confirmed_ms', (data::jsonb->>'confirmed_ms')::bigint - $1::bigint))::text`,
    [limits.consoleConfirm_ms + 1_000],
  );
  for (const role of ["owner", "auditor"] as const)
    await check(
      (operation) =>
        isAtLeast(role, operation.role) && operation.isWrite ? "401 IO_PARLEY_CONFIRM" : allowedTo(role)(operation),
      () => ({ prefix: CONSOLE_API, headers: ownHeaders(role) }),
    );
  const browser = browsers["owner"] as Browser;
  await browser.call("POST", `${SESSION}/confirm`, { password: "password of owner" });
  await check(allowedTo("owner"), () => ({ prefix: CONSOLE_API, headers: ownHeaders("owner") }));
});

test("a session that its person has left opens nothing", async () => {
  const browser = await signInToConsole(server.url, "owner");
  const headers = { ...ownHeaders("owner"), cookie: browser.cookie, "x-csrf-token": browser.csrf };
  await browser.call("DELETE", SESSION);
  await check(
    () => "401 M_UNKNOWN_TOKEN",
    () => ({ prefix: CONSOLE_API, headers }),
  );
});

test("a ticket of the shell opens one request, and no other after it", async () => {
  const { writeTicket } = await import("./tickets.ts");
  for (const operation of operations.slice(0, 3)) {
    const ticket = await writeTicket(server.ctx.db.console, { seams: server.ctx.seams, actor: "shell:root@here" });
    assert.equal(await answerTo(operation, bearer(ticket)), PASSED);
    assert.equal(await answerTo(operation, bearer(ticket)), "401 M_UNKNOWN_TOKEN");
    const old = await writeTicket(server.ctx.db.console, { seams: server.ctx.seams, actor: "shell:root@here" });
    await server.ctx.db.console.change("update console.shell_tickets set expires_at = now()");
    assert.equal(await answerTo(operation, bearer(old)), "401 M_UNKNOWN_TOKEN");
  }
});

test("nobody is in a browser who was not signed in to it", async () => {
  const { cookie } = openBrowser(server.url);
  assert.equal(cookie, "");
  await check(
    () => "401 M_UNKNOWN_TOKEN",
    () => ({ prefix: CONSOLE_API, headers: { cookie: "parley-console=forged" } }),
  );
});
