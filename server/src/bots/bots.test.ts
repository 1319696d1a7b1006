/** Bots: a token does what its scopes say and nothing else, whoever may; webhooks post once, and only where nothing is encrypted. */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { after, test } from "node:test";
import { type Json, registerPerson, request } from "../../../testkit/src/http.ts";
import { makeAdministrator, makeOperator } from "../../../testkit/src/operators.ts";
import { createRoom } from "../../../testkit/src/room.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { openSocket, openStream } from "../../../testkit/src/stream.ts";
import type { Route } from "../http.ts";
import { domains } from "../server.ts";
import { keptNames } from "./kept-headers.ts";
import { neededFor, scopeNames } from "./scopes.ts";

const ADMIN = "/_parley/admin/v1";
const CLIENT = "/_matrix/client/v3";
const reason = "a test";
const server = await startTestServer();
after(() => server.stop());
const root = await makeAdministrator(server, "root");
const ana = await registerPerson(server.url, "ana");
await root.call("POST", `${ADMIN}/bots`, {
  username: "deploys",
  owner: "ana",
  display_name: "Deploys",
  purpose: "Says what was released",
});
const BOT = `${ADMIN}/bots/@deploys:localhost`;

const issue = (scopes: string[], name = scopes.join("+")): Promise<Json> =>
  root.call("POST", `${BOT}/tokens`, { name, scopes });
const ask = (token: string, ...[method, path, body]: [string, string, unknown?]) =>
  request(server.url, method, path, { token, ...(body === undefined ? {} : { body }) });
const whoami = async (token: string, url = server.url) =>
  (await request(url, "GET", `${CLIENT}/account/whoami`, { token })).status;

test("devices of bots are told apart from those of people", async () => {
  await issue(["read"], "told apart");
  const devices = async (query: string): Promise<Json[]> =>
    (await root.call("GET", `${ADMIN}/devices?limit=500${query}`)).items;
  const [bots, people, all] = [await devices("&bot=true"), await devices("&bot=false"), await devices("")];
  assert.ok(bots.every(({ bot, user_id }) => bot && user_id === "@deploys:localhost"));
  assert.ok(bots.some(({ display_name }) => display_name === "told apart"));
  assert.ok(people.some(({ user_id }) => user_id === ana.userId) && people.every(({ bot }) => !bot));
  assert.equal(bots.length + people.length, all.length);
});

test("every request of somebody who is signed in has a scope, or is one that no token of a bot may make", async () => {
  const loaded = await Promise.all(Object.values(domains).map(async (load) => (await load()).routes));
  const routes = (loaded as Route[][]).flat().filter(({ access }) => access !== "anyone" && access !== "service");
  const refused = routes
    .filter(({ method, path }) => neededFor(method, path) === undefined)
    .map(({ method, path }) => `${method} ${path}`);
  const isMeant = (each: string) =>
    /\/(account\/(3pid|password|deactivate)|login\/get_token|delete_devices|devices|logout\/all|pushers|pushrules|turnServer|dehydrated_device|openid|admin)/.test(
      each,
    ) || /^(PUT|DELETE) .*\/directory\/|\/upgrade$|\/report(\/|$)|_parley\/(v1|client)\//.test(each);
  assert.deepEqual(
    refused.filter((each) => !isMeant(each)),
    [],
  );
  for (const never of [
    "POST /account/password",
    "POST /account/deactivate",
    "POST /login/get_token",
    "DELETE /devices/:deviceId",
    "POST /delete_devices",
  ])
    assert.ok(
      refused.some(
        (each) => each.startsWith(never.split(" ")[0] as string) && each.endsWith(never.split(" ")[1] as string),
      ),
      never,
    );
  assert.ok(refused.includes("POST /_parley/v1/registration_tokens"));
  const used = new Set(routes.map(({ method, path }) => neededFor(method, path)));
  assert.deepEqual(
    scopeNames.filter((scope) => !used.has(scope)),
    [],
  );
});

test("a token does what its scopes say, over HTTP and over the stream, and nothing else", async () => {
  const room = await createRoom(ana);
  const { access_token: rooms } = await issue(["rooms"]);
  assert.equal((await ask(rooms, "POST", `${room.path}/join`, {})).status, 200);
  const { access_token: sender } = await issue(["send"]);
  const sent = await ask(sender, "PUT", `${room.path}/send/m.room.message/1`, { msgtype: "m.text", body: "released" });
  assert.equal(sent.status, 200);
  const refused = await ask(sender, "GET", `${room.path}/messages?dir=b`);
  assert.equal(refused.status, 403);
  assert.match(refused.body.error, /scope "read"/);
  assert.equal((await ask(rooms, "PUT", `${room.path}/send/m.room.message/2`, { body: "" })).status, 403);
  const { access_token: reader } = await issue(["read"]);
  assert.equal((await ask(reader, "GET", `${CLIENT}/sync`)).status, 200);
  for (const [method, path, body] of [
    ["POST", `${CLIENT}/account/password`, { new_password: "password" }],
    ["POST", "/_matrix/client/v1/login/get_token", {}],
    ["POST", "/_parley/client/v1/stream/ticket", {}],
    ["DELETE", `${CLIENT}/devices/X`, {}],
  ] as const)
    assert.equal((await ask(reader, method, path, body)).status, 403, path);
  using stream = await openStream(server.url, { token: reader });
  const content = { msgtype: "m.text", body: "b" };
  stream.send({ type: "send", id: 1, room_id: room.id, event_type: "m.room.message", txn_id: "s", content });
  const answer = await stream.until((frame) => frame.id === 1);
  assert.deepEqual([answer.type, answer.status], ["refused", 403]);
  using closed = await openSocket(server.url);
  closed.send({ type: "sign_in", access_token: sender });
  assert.equal((await closed.until((frame) => frame.type === "error" || frame.errcode)).errcode, "M_FORBIDDEN");
});

test("a version that knows of no scopes finds no token of a bot, so that it takes none for one that may do everything", async () => {
  const { access_token: token } = await issue(["read"], "for an older version");
  assert.equal(await whoami(token), 200);
  const asItWas = hash("sha256", token, "buffer");
  const { auth } = server.ctx.db;
  assert.equal(await auth.one("select 1 from auth.tokens where access_hash = $1", [asItWas]), undefined);
});

test("no token of a bot is an operator's, also where the bot was made an administrator", async () => {
  const { access_token: token } = await issue([...scopeNames]);
  await server.ctx.db.auth.change("update auth.accounts set is_admin = true where user_id = '@deploys:localhost'");
  assert.equal((await ask(token, "GET", `${ADMIN}/users`)).status, 403);
  assert.equal((await ask(token, "POST", "/_parley/v1/registration_tokens", {})).status, 403);
  await server.ctx.db.auth.change("update auth.accounts set is_admin = false where user_id = '@deploys:localhost'");
});

test("a new secret works beside the old one for a while, or ends it at once, also on another replica", async () => {
  await using other = await startTestServer({ databaseUrl: server.databaseUrl });
  const first = await issue(["read"], "rotated");
  assert.equal(await whoami(first.access_token, other.url), 200);
  const path = `${BOT}/tokens/${first.token_id}`;
  const second = await root.call("POST", `${path}/rotate`, { overlap_s: 3_600 });
  assert.ok(second.overlap_until_ts > server.ctx.seams.now_ms());
  assert.deepEqual([await whoami(first.access_token), await whoami(second.access_token, other.url)], [200, 200]);
  const third = await root.call("POST", `${path}/rotate`, { overlap_s: 0 });
  assert.equal(third.overlap_until_ts, null);
  await other.ctx.log.reached(
    (await other.ctx.db.log.one<{ position: number }>("select position from log.head"))?.position ?? 0,
  );
  assert.deepEqual([await whoami(first.access_token), await whoami(second.access_token, other.url)], [401, 401]);
  assert.equal(await whoami(third.access_token), 200);
  assert.equal((await root.ask("POST", `${path}/rotate`, { overlap_s: 5 })).status, 400);
  await root.call("POST", `${path}/revoke`, { reason });
  assert.equal(await whoami(third.access_token), 401);
  assert.equal((await root.ask("POST", `${path}/revoke`, { reason })).status, 404);
});

test("a bot has an owner who is a person, is listed with its tokens and rooms, and nobody signs in to it", async () => {
  const auditor = await makeOperator(server, "adam", "auditor");
  const { items } = await auditor.call("GET", `${ADMIN}/bots?q=deploy`);
  assert.deepEqual(
    items.map(({ user_id, owner, display_name, owner_active, channels }: Json) => [
      user_id,
      owner,
      display_name,
      owner_active,
      channels,
    ]),
    [["@deploys:localhost", "@ana:localhost", "Deploys", true, 1]],
  );
  const { token_id } = await issue(["read"], "shown");
  const shown = await auditor.call("GET", BOT);
  assert.equal(shown.channel_list.length, 1);
  assert.ok(shown.token_list.some((each: Json) => each.token_id === token_id));
  assert.ok(shown.token_list.every((each: Json) => !("access_token" in each) && each.scopes.length > 0));
  assert.equal(JSON.stringify(shown).includes("pbt_"), false);
  assert.equal((await auditor.ask("POST", `${ADMIN}/bots`, { username: "b", owner: "ana" })).status, 403);
  for (const owner of ["nobody", "deploys"])
    assert.equal((await root.ask("POST", `${ADMIN}/bots`, { username: "b", owner })).status, 400, owner);
  const identifier = { type: "m.id.user", user: "deploys" };
  const login = { type: "m.login.password", identifier, password: "" };
  assert.equal((await request(server.url, "POST", `${CLIENT}/login`, { body: login })).status, 403);
  assert.equal((await root.call("POST", `${BOT}/owner`, { owner: "root", reason })).owner, root.userId);
});

test("a webhook posts each delivery once, notes what became of it, and its address can be changed", async () => {
  const room = await createRoom(ana);
  const made = await root.call("POST", `${ADMIN}/webhooks`, {
    bot: "@deploys:localhost",
    room_id: room.id,
    name: "CI",
  });
  const post = (url: string, text: unknown, key?: string) =>
    request(server.url, "POST", new URL(url).pathname, {
      body: { text },
      ...(key ? { headers: { "idempotency-key": key } } : {}),
    });
  const first = await post(made.url, "Released 1.2", "build-7");
  const again = await post(made.url, "Released 1.2", "build-7");
  assert.equal(first.status, 200);
  assert.equal(again.body.event_id, first.body.event_id);
  assert.notEqual((await post(made.url, "Released 1.2")).body.event_id, first.body.event_id);
  const { chunk } = await room.read(ana, "messages", { dir: "b" });
  const said = chunk.filter((each: Json) => each.type === "m.room.message");
  assert.deepEqual(
    said.map((each: Json) => [each.sender, each.content.body]),
    ["first", "third"].map(() => ["@deploys:localhost", "Released 1.2"]),
  );
  assert.equal((await post(made.url, "")).status, 400);
  assert.equal((await post(made.url, "x", "a b")).status, 400);

  const rolled = await root.call("POST", `${ADMIN}/webhooks/${made.webhook_id}/roll`, { overlap_s: 3_600 });
  assert.deepEqual([(await post(made.url, "a")).status, (await post(rolled.url, "b")).status], [200, 200]);
  const last = await root.call("POST", `${ADMIN}/webhooks/${made.webhook_id}/roll`, { overlap_s: 0 });
  assert.deepEqual([(await post(rolled.url, "a")).status, (await post(last.url, "b")).status], [404, 200]);

  await room.set(ana, "m.room.encryption", { algorithm: "m.megolm.v1.aes-sha2" });
  assert.equal((await post(last.url, "c")).status, 403);
  const { items } = await root.call("GET", `${ADMIN}/webhooks/${made.webhook_id}/deliveries`);
  assert.equal(items[0].status, 403);
  assert.equal(items.filter((each: Json) => each.idempotency_key === "build-7").length, 2);
  assert.equal(JSON.stringify(items).includes("Released"), false);
  const refused = await root.ask("POST", `${ADMIN}/webhooks`, {
    bot: "@deploys:localhost",
    room_id: room.id,
    name: "no",
  });
  assert.equal(refused.status, 403, "an encrypted room has none");
  await root.call("PUT", `${ADMIN}/webhooks/${made.webhook_id}`, { enabled: false, reason });
  assert.equal((await post(last.url, "d")).status, 404);
  await root.call("POST", `${ADMIN}/webhooks/${made.webhook_id}/delete`, { reason });
  assert.deepEqual((await root.call("GET", `${ADMIN}/webhooks`)).items, []);
});

test("of a delivery's headers those are kept that tell who posted, cut and harmless; secrets are counted and stand nowhere", async () => {
  const room = await createRoom(ana);
  const hook = await root.call("POST", `${ADMIN}/webhooks`, {
    bot: "@deploys:localhost",
    room_id: room.id,
    name: "Forge",
  });
  const told = {
    "x-github-event": "release",
    "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
    "user-agent": "A".repeat(8_000),
    // An escape sequence of one byte, which HTTP lets through and a terminal obeys, and a hyphen that nobody sees.
    "x-request-id": "a\u009b31mb\tc\u00add",
  };
  const secrets = {
    authorization: "Bearer s3cret-1",
    cookie: "session=s3cret-2",
    "x-hub-signature-256": "sha256=s3cret-3",
    "x-gitlab-token": "s3cret-4",
    "x-github-event-token": "s3cret-5",
    referer: hook.url,
  };
  const post = (headers: Record<string, string>) =>
    request(server.url, "POST", new URL(hook.url).pathname, { body: { text: "Released" }, headers });
  assert.equal((await post(told)).status, 200);
  await room.set(ana, "m.room.encryption", { algorithm: "m.megolm.v1.aes-sha2" });
  assert.equal((await post({ ...told, ...secrets })).status, 403);
  // As the release before this log of headers notes one.
  await server.ctx.db.console.change(
    `insert into console.webhook_deliveries (webhook, address, status, took_ms, size_bytes) values ($1, '::1', 200, 1, 1)`,
    [hook.webhook_id],
  );
  const { items } = await root.call("GET", `${ADMIN}/webhooks/${hook.webhook_id}/deliveries`);
  const [old, refused, posted] = items;
  const expected = {
    "content-length": "19",
    "content-type": "application/json",
    "user-agent": `${"A".repeat(199)}…`,
    "x-github-delivery": told["x-github-delivery"],
    "x-github-event": "release",
    "x-request-id": "a\uFFFD31mb\uFFFDc\uFFFDd",
  };
  assert.deepEqual(posted.headers, expected);
  assert.deepEqual([refused.status, refused.headers], [403, expected]);
  assert.equal(refused.headers_left_out - posted.headers_left_out, Object.keys(secrets).length);
  assert.ok(posted.headers_left_out > 0, "host is not kept");
  assert.deepEqual([old.headers, old.headers_left_out], [{}, null]);
  const rows = await server.ctx.db.console.query("select d::text as all from console.webhook_deliveries d");
  const stored = JSON.stringify(rows) + JSON.stringify(items);
  assert.ok(stored.includes("x-github-event"));
  assert.ok(!stored.includes("s3cret") && !stored.includes(new URL(hook.url).pathname));
  const ofSecrets = /auth|cookie|credential|pass|secret|sign|hmac|token|api-?key/;
  assert.deepEqual(
    [...keptNames].filter((name) => ofSecrets.test(name) || name !== name.toLowerCase()),
    [],
  );
});

test("a webhook of a bot that is suspended posts nothing, and one whose delivery can not be noted has posted all the same", async () => {
  const room = await createRoom(ana);
  const { url } = await root.call("POST", `${ADMIN}/webhooks`, {
    bot: "@deploys:localhost",
    room_id: room.id,
    name: "CD",
  });
  const post = (text: string) => request(server.url, "POST", new URL(url).pathname, { body: { text } });
  const account = `${ADMIN}/users/@deploys:localhost`;
  await root.call("POST", `${account}/suspend`, { reason });
  assert.equal((await post("while suspended")).status, 403);
  await root.call("POST", `${account}/unsuspend`, { reason });
  const { console: db } = server.ctx.db;
  const { change } = db;
  db.change = (sql, params) =>
    sql.includes("webhook_deliveries") ? Promise.reject(new Error("away")) : change(sql, params);
  const posted = await post("noted nowhere");
  db.change = change;
  assert.equal(posted.status, 200);
  const { chunk } = await room.read(ana, "messages", { dir: "b" });
  const said = chunk.filter((each: Json) => each.type === "m.room.message").map((each: Json) => each.content.body);
  assert.deepEqual(said, ["noted nowhere"]);
});
