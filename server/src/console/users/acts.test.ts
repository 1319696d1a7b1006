/** What operators do with accounts and devices takes effect at once, for clients on every replica, and stands in the audit log. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { factorsConfig, setUpCodes } from "../../../../testkit/src/factors.ts";
import { type Json, type Person, registerPerson, request, signInPerson } from "../../../../testkit/src/http.ts";
import { makeAdministrator, makeOperator } from "../../../../testkit/src/operators.ts";
import { startTestServer } from "../../../../testkit/src/server.ts";
import { limits } from "../../limits.ts";

const API = "/_parley/admin/v1";
const WHOAMI = "/_matrix/client/v3/account/whoami";
const LOGIN = "/_matrix/client/v3/login";
const PAGE = "/api/v1/set-password";
const reason = "a test";

/** Two replicas: what is done at the first is looked at from the second. */
async function open() {
  const one = await startTestServer();
  const other = await startTestServer({ databaseUrl: one.databaseUrl });
  const root = await makeAdministrator(one, "root");
  const ana = await registerPerson(other.url, "ana");
  const dispose = async () => {
    await other.stop();
    await one.stop();
  };
  return { one, other, root, ana, [Symbol.asyncDispose]: dispose };
}

async function statusOf(person: Person): Promise<[number, string]> {
  const { status, body } = await person.ask("GET", WHOAMI);
  return [status, body.errcode];
}

/** Resolves when the other replica has heard; with what it answers. */
async function refused(person: Person): Promise<string> {
  const deadline_ms = Date.now() + 5_000;
  for (;;) {
    const [status, errcode] = await statusOf(person);
    if (status === 401) return errcode;
    assert.ok(Date.now() < deadline_ms, "within 5 s");
  }
}

function login(url: string, name: string, password: string) {
  const identifier = { type: "m.id.user", user: name };
  return request(url, "POST", LOGIN, { body: { type: "m.login.password", identifier, password } });
}

/** As the form of the page behind a link does; gives the status. Whatever comes of it, a person sees a page. */
async function setPassword(url: string, fields: Record<string, string>, origin = new URL(url).origin): Promise<number> {
  const sent = { method: "POST", headers: { origin }, body: new URLSearchParams(fields) };
  const { status, headers } = await fetch(url + PAGE, sent);
  assert.match(headers.get("content-type") ?? "", /^text\/html/);
  return status;
}

async function audited(root: Person, action: string): Promise<Json[]> {
  return (await root.call("GET", `${API}/audit?action=${action}`)).items;
}

test("a suspended person's requests are refused on another replica, and nobody signs in until it is taken back", async () => {
  await using world = await open();
  const { root, ana, other } = world;
  assert.equal((await statusOf(ana))[0], 200);
  await root.call("POST", `${API}/users/${ana.userId}/suspend`, { reason });
  assert.equal(await refused(ana), "M_UNKNOWN_TOKEN");
  const locked = await login(other.url, "ana", "password of ana");
  assert.deepEqual([locked.status, locked.body.errcode, locked.body.soft_logout], [401, "M_USER_LOCKED", true]);
  assert.equal(
    (await login(other.url, "ana", "wrong")).body.errcode,
    "M_FORBIDDEN",
    "only who knows the password is told",
  );
  const shown = await root.call("GET", `${API}/users/${ana.userId}`);
  assert.deepEqual([shown.status, shown.devices], ["suspended", 0]);
  await root.call("POST", `${API}/users/${ana.userId}/unsuspend`, { reason });
  assert.equal((await statusOf(await signInPerson(other.url, "ana")))[0], 200);
  const [entry] = await audited(root, "users.suspend");
  assert.deepEqual([entry.actor, entry.target, entry.reason, entry.outcome], [root.userId, ana.userId, reason, "done"]);
  assert.deepEqual(
    [entry.before, entry.after],
    [
      { status: "active", devices: 1 },
      { status: "suspended", devices: 0 },
    ],
  );
});

test("a new account has a link by which its person sets the password, once", async () => {
  await using world = await open();
  const { root, one, other } = world;
  const made = await root.call("POST", `${API}/users`, { username: "Ben", display_name: "Ben <b>" });
  assert.equal(made.user_id, "@ben:localhost");
  const token = new URL(made.link).searchParams.get("token") as string;
  const page = await fetch(`${other.url}${PAGE}?token=${token}`);
  assert.match(page.headers.get("content-security-policy") ?? "", /^default-src 'none'/);
  assert.match(await page.text(), /@ben:localhost/);
  const send = (password: string, origin?: string) => setPassword(other.url, { token, password }, origin);
  assert.equal(await send("password of ben", "https://evil.example"), 403);
  assert.equal(await send(""), 400, "too short, and the link is still good");
  assert.equal(await send("password of ben"), 200);
  assert.equal(await send("another password"), 404, "it was used");
  assert.equal((await login(one.url, "ben", "password of ben")).status, 200);
  const taken = await root.ask("POST", `${API}/users`, { username: "ben" });
  assert.equal(taken.body.errcode, "M_USER_IN_USE");
  const [failed, entry] = await audited(root, "users.create");
  assert.deepEqual([failed.outcome, failed.error, entry.target], ["failed", "M_USER_IN_USE", "@ben:localhost"]);
  assert.ok(!JSON.stringify(await audited(root, "users")).includes(token), "the log keeps no secret");
});

test("a link that was made before its person became an operator opens nothing any more", async () => {
  await using world = await open();
  const { root, other } = world;
  const made = await root.call("POST", `${API}/users`, { username: "grown" });
  const token = new URL(made.link).searchParams.get("token") as string;
  await root.call("PUT", `${API}/users/${made.user_id}/role`, { role: "owner", reason });
  assert.equal(await setPassword(other.url, { token, password: "password of another" }), 404);
});

test("a reset takes the password and the sessions, and its link brings the person back", async () => {
  await using world = await open();
  const { root, ana, other } = world;
  const { link } = await root.call("POST", `${API}/users/${ana.userId}/reset-sign-in`, { reason });
  assert.equal(await refused(ana), "M_UNKNOWN_TOKEN");
  assert.equal((await login(other.url, "ana", "password of ana")).status, 403);
  const token = new URL(link).searchParams.get("token") as string;
  assert.equal(await setPassword(other.url, { token, password: "new password" }), 200);
  assert.equal((await login(other.url, "ana", "new password")).status, 200);
});

test("a deactivated account is gone from its rooms, and nobody signs in to it", async () => {
  await using world = await open();
  const { root, ana, other } = world;
  const { room_id } = await ana.call("POST", "/_matrix/client/v3/createRoom", { preset: "public_chat" });
  await root.call("POST", `/_matrix/client/v3/join/${room_id}`);
  await root.call("POST", `${API}/users/${ana.userId}/deactivate`, { reason, erase: true });
  assert.equal(await refused(ana), "M_UNKNOWN_TOKEN");
  const { joined } = await root.call("GET", `/_matrix/client/v3/rooms/${room_id}/joined_members`);
  assert.deepEqual(Object.keys(joined), [root.userId]);
  assert.equal((await login(other.url, "ana", "password of ana")).status, 403);
});

test("a name that operators set is seen by others", async () => {
  await using world = await open();
  const { root, ana } = world;
  await root.call("PUT", `${API}/users/${ana.userId}/display-name`, { display_name: "Ana Maria", reason });
  assert.equal((await ana.call("GET", `/_matrix/client/v3/profile/${ana.userId}`)).displayname, "Ana Maria");
  const [entry] = await audited(root, "users.set_display_name");
  assert.deepEqual([entry.before, entry.after], [{ display_name: "ana" }, { display_name: "Ana Maria" }]);
});

test("devices are listed for one and for all, and ending one signs it out everywhere", async () => {
  await using world = await open();
  const { root, ana, other } = world;
  const phone = await signInPerson(other.url, "ana", { device_id: "PHONE" });
  const { items } = await root.call("GET", `${API}/users/${ana.userId}/sessions`);
  assert.deepEqual(items.map((each: Json) => each.device_id).toSorted(), ["PHONE", ana.deviceId].toSorted());
  const seen: string[] = [];
  for (let from: string | undefined = ""; from !== undefined;) {
    const page: Json = await root.call("GET", `${API}/devices?limit=1&verified=false${from && `&from=${from}`}`);
    seen.push(...page.items.map((each: Json) => each.device_id));
    from = page.next;
  }
  assert.deepEqual(seen.toSorted(), ["PHONE", ana.deviceId, root.deviceId].toSorted());
  assert.deepEqual((await root.call("GET", `${API}/devices?verified=true`)).items, []);
  assert.deepEqual((await root.call("GET", `${API}/devices?unseen_days=90`)).items, []);
  await root.call("DELETE", `${API}/users/${ana.userId}/sessions/PHONE?reason=lost`);
  assert.equal(await refused(phone), "M_UNKNOWN_TOKEN");
  assert.equal((await statusOf(ana))[0], 200);
  const many = await root.call("POST", `${API}/devices/end`, {
    reason,
    devices: [
      { user_id: ana.userId, device_id: ana.deviceId },
      { user_id: ana.userId, device_id: "NONE" },
    ],
  });
  assert.deepEqual(
    many.items.map((each: Json) => each.ok),
    [true, false],
  );
  assert.equal(await refused(ana), "M_UNKNOWN_TOKEN");
  const [failed] = await audited(root, "devices.end_many");
  assert.deepEqual([failed.outcome, failed.error, failed.target], ["failed", "M_NOT_FOUND", `${ana.userId} NONE`]);
});

test("a small page of few devices asks the database no more often than a large one", async () => {
  await using world = await open();
  const { root, one } = world;
  const { auth } = one.ctx.db;
  const { query } = auth;
  let asked = 0;
  auth.query = (...args: Parameters<typeof query>) => {
    asked++;
    return query(...args) as never;
  };
  const costOf = async (limit: number) => {
    asked = 0;
    await root.call("GET", `${API}/devices?verified=true&limit=${limit}`);
    return asked;
  };
  // The first request has more to ask, such as who it comes from.
  await costOf(1);
  assert.equal(await costOf(1), await costOf(limits.operatorPage_items));
  assert(asked > 0);
});

test("a bulk act does what it can, and says of each whether it was done", async () => {
  await using world = await open();
  const { root, ana } = world;
  const { items } = await root.call("POST", `${API}/users/suspend`, {
    reason,
    user_ids: [ana.userId, "@nobody:localhost", root.userId],
  });
  assert.deepEqual(
    items.map((each: Json) => [each.user_id, each.ok, each.errcode]),
    [
      [ana.userId, true, undefined],
      ["@nobody:localhost", false, "M_NOT_FOUND"],
      [root.userId, false, "M_FORBIDDEN"],
    ],
  );
  assert.deepEqual(
    (await audited(root, "users.suspend_many")).map(({ target, outcome }) => [target, outcome]),
    [
      [root.userId, "failed"],
      ["@nobody:localhost", "failed"],
      [ana.userId, "done"],
    ],
  );
});

test("an operator can not act on other operators, and so not become one of them", async () => {
  await using world = await open();
  const { root, one } = world;
  const olga = await makeOperator(one, "olga", "operator");
  const otto = await makeOperator(one, "otto", "auditor");
  for (const target of [root, otto])
    for (const act of ["suspend", "reset-sign-in", "deactivate"]) {
      const answer = await olga.ask("POST", `${API}/users/${target.userId}/${act}`, { reason });
      assert.deepEqual([answer.status, answer.body.required_role], [403, "owner"], `${act} ${target.userId}`);
    }
  for (const target of [root, otto]) {
    const named = await olga.ask("PUT", `${API}/users/${target.userId}/display-name`, { display_name: "X", reason });
    assert.deepEqual([named.status, named.body.required_role], [403, "owner"], "nor give them another's name");
  }
  await olga.call("PUT", `${API}/users/${olga.userId}/display-name`, { display_name: "Olga", reason });
  for (const role of ["owner", null])
    assert.equal((await olga.ask("PUT", `${API}/users/${olga.userId}/role`, { role, reason })).status, 403);
  assert.equal((await olga.ask("DELETE", `${API}/users/${root.userId}/sessions?reason=x`)).status, 403);
});

test("a role that is taken away is gone with the next request, and the last owner can not be taken", async () => {
  await using world = await open();
  const { root, ana, other } = world;
  const role = (userId: string, role: string | null) =>
    root.ask("PUT", `${API}/users/${userId}/role`, { role, reason });
  assert.equal((await ana.ask("GET", `${API}/users`)).status, 403);
  assert.equal((await role(ana.userId, "auditor")).status, 200);
  assert.equal((await ana.ask("GET", `${API}/users`)).status, 200);
  assert.equal((await role(ana.userId, null)).status, 200);
  assert.equal((await ana.ask("GET", `${API}/users`)).status, 403);
  const last = await role(root.userId, null);
  assert.deepEqual([last.status, last.body.errcode], [403, "M_FORBIDDEN"]);
  assert.equal((await role(root.userId, "auditor")).status, 403);
  assert.equal((await role(ana.userId, "owner")).status, 200);
  const both = await Promise.all([
    role(ana.userId, "operator"),
    request(other.url, "PUT", `${API}/users/${root.userId}/role`, { token: ana.token, body: { role: null, reason } }),
  ]);
  assert.deepEqual(
    both.map(({ status }) => status).toSorted((a, b) => a - b),
    [200, 403],
    "two who take it from each other",
  );
});

test("nobody becomes an owner where the audit log could not be written", async () => {
  await using world = await open();
  const { root, ana, one } = world;
  const { console: db } = one.ctx.db;
  const { transaction } = db;
  db.transaction = (run) =>
    transaction(async (within) => {
      await run(within);
      throw new Error("the commit failed");
    });
  const body = { role: "owner", reason };
  assert.equal((await root.ask("PUT", `${API}/users/${ana.userId}/role`, body)).status, 500);
  assert.equal((await ana.ask("GET", `${API}/users`)).status, 403);
  db.transaction = transaction;
  assert.equal((await root.ask("PUT", `${API}/users/${ana.userId}/role`, body)).status, 200);
  assert.equal((await ana.ask("GET", `${API}/users`)).status, 200);
});

test("an owner who is suspended leaves somebody who may do everything", async () => {
  await using world = await open();
  const { root, one } = world;
  const two = await makeAdministrator(one, "second");
  const both = await Promise.all([
    root.ask("POST", `${API}/users/${two.userId}/suspend`, { reason }),
    two.ask("POST", `${API}/users/${root.userId}/suspend`, { reason }),
  ]);
  assert.equal(both.filter(({ status }) => status === 200).length, 1);
});

test("several owners are taken at once, though each waits for the one before", async () => {
  await using world = await open();
  const { root, one } = world;
  const owners = await Promise.all(["o1", "o2", "o3", "o4", "o5", "o6"].map((name) => makeAdministrator(one, name)));
  const answers = await Promise.all(
    owners.map(({ userId }) => root.ask("PUT", `${API}/users/${userId}/role`, { role: null, reason })),
  );
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
});

test("an operator takes the second factors of a person, and the password alone is good again; not those of an owner", async () => {
  await using server = await startTestServer({ config: factorsConfig() });
  const root = await makeAdministrator(server, "root");
  const otto = await makeOperator(server, "otto", "operator");
  const ana = await registerPerson(server.url, "ana");
  await setUpCodes(server.url, "ana");
  await server.ctx.db.auth.change(
    "insert into auth.passkeys (credential_id, user_id, public_key, counter, transports, name) values ('x', $1, 'k', 0, '{}', 'Telephone')",
    [ana.userId],
  );
  const user = `${API}/users/${ana.userId}`;
  const { passkeys, has_second_factor } = await otto.call("GET", user);
  assert.deepEqual([passkeys, has_second_factor], [1, true]);
  assert.equal((await login(server.url, "ana", "password of ana")).status, 403);
  await otto.call("POST", `${user}/remove-second-factors`, { reason });
  assert.equal((await login(server.url, "ana", "password of ana")).status, 200);
  assert.equal((await statusOf(ana))[0], 200, "sessions go on");
  assert.equal((await otto.call("GET", user)).passkeys, 0);
  const [entry] = await audited(root, "users.remove_second_factors");
  assert.deepEqual(
    [entry.actor, entry.target, entry.before],
    [otto.userId, ana.userId, { passkeys: 1, has_second_factor: true }],
  );
  assert.equal((await otto.ask("POST", `${API}/users/${root.userId}/remove-second-factors`, { reason })).status, 403);
});
