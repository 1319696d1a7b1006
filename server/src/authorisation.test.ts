/**
 * Every route of clients against everybody whose token opens nothing: made from the routes that are mounted, at each of their
 * paths, so that a new one is in it by itself. Whom a token does open rooms and accounts to: authorisation-rooms.test.ts;
 * operators: console/authorisation.test.ts.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { registerPerson, signInPerson } from "../../testkit/src/http.ts";
import { mountedRoutes } from "../../testkit/src/mounted.ts";
import { askRoute, askRoutes, nameOf } from "../../testkit/src/routes-asked.ts";
import { startTestServer, type TestServer } from "../../testkit/src/server.ts";
import { moderateAccount } from "./auth/moderation.ts";
import { neededFor, scopeNames } from "./bots/scopes.ts";

const mounted = await mountedRoutes();
const OF_CLIENTS = /^\/(_matrix|_parley\/client)\//;
/** What wants a token, wherever it is mounted. A new password does without one where mail is set up: here it is not. */
const closed = mounted.filter(({ access }) => access !== "anyone");
type Mounted = (typeof mounted)[number];

const patternsOf = (routes: readonly Mounted[]) =>
  [...new Set(routes.map(({ method, pattern }) => `${method} ${pattern}`))].toSorted();

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.stop());

/** All of these routes answer the same. */
async function checkAll(routes: readonly Mounted[], token: string | undefined, expected: string): Promise<void> {
  const answers = await askRoutes(routes, { url: server.url, ...(token === undefined ? {} : { token }) });
  const others = answers.filter(([, { told }]) => told !== expected).map(([name, { told }]) => `${name}: ${told}`);
  assert.deepEqual(others, [], `not ${expected}`);
}

const DELAYED = "/_matrix/client/unstable/org.matrix.msc4140/delayed_events/:delayId";
/** What asks for no token. A route that is not here has to want one. */
const open = [
  // What the server is and can.
  "GET /_matrix/client/versions",
  "GET /_matrix/client/v1/auth_metadata",
  "GET /_matrix/client/unstable/org.matrix.msc2965/auth_issuer",
  // Becoming somebody: these look at passwords, tokens and rates themselves.
  "GET /_matrix/client/v3/login",
  "POST /_matrix/client/v3/login",
  "GET /_matrix/client/v3/login/sso/redirect",
  "GET /_matrix/client/v3/login/sso/redirect/:idpId",
  "GET /_matrix/client/v3/auth/:authType/fallback/web",
  "GET /_matrix/static/client/login",
  "GET /_matrix/static/client/login/login.js",
  "POST /_matrix/client/v3/auth/:authType/fallback/web",
  "POST /_matrix/client/v3/refresh",
  "POST /_matrix/client/v3/register",
  "GET /_matrix/client/v3/register/available",
  "GET /_matrix/client/v1/register/m.login.registration_token/validity",
  // Refused where no mail is set up, and telephone numbers always: no identity server is asked.
  "POST /_matrix/client/v3/register/email/requestToken",
  "POST /_matrix/client/v3/register/msisdn/requestToken",
  "POST /_matrix/client/v3/account/password/email/requestToken",
  "POST /_matrix/client/v3/account/password/msisdn/requestToken",
  "POST /_matrix/client/v3/account/3pid/email/requestToken",
  "POST /_matrix/client/v3/account/3pid/msisdn/requestToken",
  // The link of a mail, with its secret.
  "GET /_parley/client/v1/email/confirm",
  "POST /_parley/client/v1/email/confirm",
  // What the specification has as public.
  "GET /_matrix/client/v3/profile/:userId",
  "GET /_matrix/client/v3/profile/:userId/:keyName",
  "GET /_matrix/client/v3/publicRooms",
  "GET /_matrix/client/v3/directory/room/:roomAlias",
  "GET /_matrix/client/v3/directory/list/room/:roomId",
  // What somebody can not know who has not been given it: an OpenID token, the id of a delayed event.
  "GET /_matrix/federation/v1/openid/userinfo",
  `POST ${DELAYED}`,
  `POST ${DELAYED}/cancel`,
  `POST ${DELAYED}/restart`,
  `POST ${DELAYED}/send`,
  // Frozen: nothing is behind them.
  "GET /_matrix/media/v3/download/:serverName/:mediaId",
  "GET /_matrix/media/v3/download/:serverName/:mediaId/:fileName",
  "GET /_matrix/media/v3/thumbnail/:serverName/:mediaId",
  // Its first frame has the token.
  "GET /_parley/client/v1/stream",
];

test("what asks for no token is known, and everything else does", async () => {
  const without = mounted.filter(({ access, path }) => access === "anyone" && OF_CLIENTS.test(path));
  assert.deepEqual(patternsOf(without), open.toSorted());
  assert.ok(closed.length > 200);
  await checkAll(closed, undefined, "401 M_MISSING_TOKEN");
});

test("a token that was made up, or has ended, opens nothing", async () => {
  await checkAll(closed, "made_up", "401 M_UNKNOWN_TOKEN");
  const leaving = await registerPerson(server.url, "leaving");
  const staying = await signInPerson(server.url, "leaving");
  await leaving.call("GET", "/_matrix/client/v3/sync");
  await leaving.call("POST", "/_matrix/client/v3/logout");
  await checkAll(closed, leaving.token, "401 M_UNKNOWN_TOKEN");
  await staying.call("GET", "/_matrix/client/v3/account/whoami");
});

test("a deactivated account's token opens nothing", async () => {
  const gone = await registerPerson(server.url, "gone");
  const auth = {
    type: "m.login.password",
    identifier: { type: "m.id.user", user: "gone" },
    password: "password of gone",
  };
  await gone.call("POST", "/_matrix/client/v3/account/deactivate", { auth });
  await checkAll(closed, gone.token, "401 M_UNKNOWN_TOKEN");
});

const signsOut = ({ pattern }: Mounted) => /\/logout(\/all)?$/.test(pattern);

test("a locked account is told so everywhere but where it signs out", async () => {
  const locked = await registerPerson(server.url, "locked");
  await moderateAccount(server.ctx, locked.userId, { locked: true });
  const rest = closed.filter((route) => !signsOut(route) && route.access !== "service");
  await checkAll(rest, locked.token, "401 M_USER_LOCKED");
});

const CLIENT = "/_matrix/client/v3";
/** What a suspended account may not: what others notice. Everything else it may. */
const notSuspended = [
  ...["createRoom", "join/:roomIdOrAlias", "knock/:roomIdOrAlias"].map((path) => `POST ${CLIENT}/${path}`),
  ...["ban", "invite", "join", "kick", "unban", "upgrade"].map((verb) => `POST ${CLIENT}/rooms/:roomId/${verb}`),
  `PUT ${CLIENT}/rooms/:roomId/send/:eventType/:txnId`,
  `POST ${CLIENT}/rooms/:roomId/send/:eventType`,
  // Their own they may: this one is not.
  `PUT ${CLIENT}/rooms/:roomId/redact/:eventId/:txnId`,
  `POST ${CLIENT}/rooms/:roomId/redact/:eventId`,
  `PUT ${CLIENT}/rooms/:roomId/state/:eventType`,
  `PUT ${CLIENT}/rooms/:roomId/state/:eventType/:stateKey`,
  `PUT ${CLIENT}/rooms/:roomId/typing/:userId`,
  `PUT ${CLIENT}/presence/:userId/status`,
  `PUT ${CLIENT}/profile/:userId/:keyName`,
  `DELETE ${CLIENT}/profile/:userId/:keyName`,
  `PUT ${CLIENT}/directory/room/:roomAlias`,
  `DELETE ${CLIENT}/directory/room/:roomAlias`,
  `PUT ${CLIENT}/directory/list/room/:roomId`,
  `POST ${CLIENT}/user/:userId/openid/request_token`,
  ...["", "/add", "/bind", "/delete", "/unbind"].map((verb) => `POST ${CLIENT}/account/3pid${verb}`),
  "POST /_matrix/media/v1/create",
  "POST /_matrix/media/v3/upload",
  "PUT /_matrix/media/v3/upload/:serverName/:mediaId",
  "POST /_parley/client/v1/uploads",
  "PATCH /_parley/client/v1/uploads/:uploadId",
  "DELETE /_parley/client/v1/uploads/:uploadId",
  "POST /_parley/v1/registration_tokens",
  "PUT /_matrix/client/v1/admin/lock/:userId",
  "PUT /_matrix/client/v1/admin/suspend/:userId",
];

test("a suspended account reads, and does what concerns nobody else", async () => {
  const { userId, token } = await registerPerson(server.url, "suspended");
  await moderateAccount(server.ctx, userId, { suspended: true });
  const refused: Mounted[] = [];
  const values = { userId };
  for (const route of closed.filter((each) => !signsOut(each) && each.access !== "service")) {
    const { told } = await askRoute(route, { url: server.url, token, values });
    assert.doesNotMatch(told, /^5|M_UNKNOWN_TOKEN|M_USER_LOCKED/, nameOf(route));
    if (told === "403 M_USER_SUSPENDED") refused.push(route);
  }
  assert.deepEqual(patternsOf(refused), notSuspended.toSorted());
  for (const route of closed.filter(signsOut)) {
    const { token: another } = await signInPerson(server.url, "suspended");
    assert.equal((await askRoute(route, { url: server.url, token: another })).told, "200");
  }
});

test("a bot's token opens what its scope covers alone", async () => {
  const needless = closed.filter(({ method, pattern }) => neededFor(method, pattern) === "always");
  const always = ["GET /account/whoami", "GET /capabilities", "POST /logout"];
  assert.deepEqual(patternsOf(needless), always.map((each) => each.replace(" ", ` ${CLIENT}`)).toSorted());
  for (const scope of scopeNames) {
    const bot = await registerPerson(server.url, `bot_${scope}`);
    await server.ctx.db.auth.change("update auth.sessions set scopes = $2 where user_id = $1", [bot.userId, [scope]]);
    const others = closed.filter(({ method, pattern, access }) => {
      const needed = neededFor(method, pattern);
      return access !== "service" && needed !== "always" && needed !== scope;
    });
    await checkAll(others, bot.token, "403 M_FORBIDDEN");
  }
});

test("no scope covers accounts, devices, exports, pushers, and what administrators do", () => {
  const never =
    /\/(account\/(?!whoami)|devices|delete_devices|logout\/all|login|admin|exports|pushers|registration_tokens)/;
  const covered = closed.filter(({ method, pattern }) => never.test(pattern) && neededFor(method, pattern));
  assert.deepEqual(patternsOf(covered), []);
});

test("what administrators and application services do, nobody else does", async () => {
  const { token } = await registerPerson(server.url, "ordinary");
  const whoami = closed.filter(({ path }) => path.endsWith("/whoami"));
  await assert.rejects(checkAll(whoami, token, "403 M_FORBIDDEN"), /whoami: 200/, "an open door is noticed");
  const special = closed.filter(
    ({ access, pattern }) => /^(admin|service)$/.test(access) || pattern.includes("/admin/"),
  );
  assert.ok(special.length >= 7);
  await checkAll(special, token, "403 M_FORBIDDEN");
});
