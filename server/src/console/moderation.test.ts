/** Locking and suspending by the specification's own paths. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Person, registerPerson, request, signInPerson } from "../../../testkit/src/http.ts";
import { makeAdministrator, makeOperator } from "../../../testkit/src/operators.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { openStream } from "../../../testkit/src/stream.ts";

const CLIENT = "/_matrix/client/v3";
const ADMIN = "/_matrix/client/v1/admin";

let server: TestServer;
let other: TestServer;
let root: Person;
before(async () => {
  const config = { bus: "postgresql", ephemeral: "postgresql" } as const;
  server = await startTestServer({ config });
  other = await startTestServer({ config, databaseUrl: server.databaseUrl });
  root = await makeAdministrator(server, "root");
});
after(async () => {
  await other.halt();
  await server.stop();
});

const lock = (person: Person, locked: boolean) => root.call("PUT", `${ADMIN}/lock/${person.userId}`, { locked });
const suspend = (person: Person, suspended: boolean) =>
  root.call("PUT", `${ADMIN}/suspend/${person.userId}`, { suspended });

async function codeOf(person: Person, ...[method, path, body]: [string, string, unknown?]): Promise<string> {
  const answer = await person.ask(method, path, body);
  return answer.status === 200 ? "200" : `${answer.status} ${answer.body.errcode}`;
}

test("a locked account is told so everywhere but where it signs out, and goes on with its session afterwards", async () => {
  const ana = await registerPerson(server.url, "ana", { refresh_token: true });
  await other.ctx.authenticate(ana.token);
  assert.deepEqual(await lock(ana, true), { locked: true });
  assert.deepEqual(await root.call("GET", `${ADMIN}/lock/${ana.userId}`), { locked: true });
  for (const at of [server, other]) {
    const { status, body } = await request(at.url, "GET", `${CLIENT}/sync`, { token: ana.token });
    assert.deepEqual([status, body.errcode, body.soft_logout], [401, "M_USER_LOCKED", true]);
  }
  const refresh = { refresh_token: ana.refreshToken };
  const refreshed = await request(server.url, "POST", `${CLIENT}/refresh`, { body: refresh });
  assert.deepEqual([refreshed.status, refreshed.body.errcode], [401, "M_USER_LOCKED"]);
  await assert.rejects(signInPerson(server.url, "ana"), /401.*M_USER_LOCKED/);
  assert.deepEqual(await lock(ana, false), { locked: false });
  assert.equal(await codeOf(ana, "GET", `${CLIENT}/sync`), "200");
  await lock(ana, true);
  assert.equal(await codeOf(ana, "POST", `${CLIENT}/logout`), "200");
});

test("a sync that waits and a stream end when the account is locked", async () => {
  const bo = await registerPerson(server.url, "bo");
  const { next_batch: since } = await bo.call("GET", `${CLIENT}/sync`);
  using stream = await openStream(server.url, bo);
  const waiting = bo.ask("GET", `${CLIENT}/sync?timeout=30000&since=${since}`);
  await lock(bo, true);
  const { status, body } = await waiting;
  assert.deepEqual([status, body.errcode, body.soft_logout], [401, "M_USER_LOCKED", true]);
  const { code, reason } = await stream.closed;
  assert.deepEqual([code, reason], [4401, { errcode: "M_USER_LOCKED", soft_logout: true }]);
});

test("a suspended account reads, leaves, redacts its own and signs in, and does nothing that others notice", async () => {
  const cleo = await registerPerson(server.url, "cleo");
  const { room_id: room } = await root.call("POST", `${CLIENT}/createRoom`, { preset: "public_chat" });
  const { event_id: theirs } = await root.call("PUT", `${CLIENT}/rooms/${room}/send/m.room.message/1`, { body: "x" });
  await cleo.call("POST", `${CLIENT}/join/${room}`);
  const { event_id: own } = await cleo.call("PUT", `${CLIENT}/rooms/${room}/send/m.room.message/1`, { body: "x" });
  assert.deepEqual(await suspend(cleo, true), { suspended: true });
  const again = await signInPerson(other.url, "cleo");
  const at = `${CLIENT}/rooms/${room}`;
  const allowed = [
    ["GET", `${CLIENT}/sync`],
    ["GET", `${at}/messages?dir=b`],
    ["POST", "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync", { lists: {} }],
    ["POST", "/_parley/client/v1/stream/ticket", {}],
    ["GET", "/_parley/client/v1/uploads"],
    ["POST", "/_parley/client/v1/exports", {}],
    ["POST", `${CLIENT}/keys/query`, { device_keys: {} }],
    ["PUT", `${CLIENT}/sendToDevice/m.key.verification.request/1`, { messages: {} }],
    ["POST", `${at}/receipt/m.read/${theirs}`, {}],
    ["PUT", `${at}/redact/${own}/2`, {}],
    ["POST", `${at}/leave`, {}],
  ] as const;
  const refused = [
    ["PUT", `${at}/send/m.room.message/3`, { body: "x" }],
    ["PUT", `${at}/state/m.room.topic/`, { topic: "x" }],
    ["PUT", `${at}/typing/${cleo.userId}`, { typing: false }],
    ["PUT", `${at}/redact/${theirs}/4`, {}],
    ["POST", `${at}/invite`, { user_id: root.userId }],
    ["POST", `${CLIENT}/join/${room}`, {}],
    ["POST", `${CLIENT}/createRoom`, {}],
    ["PUT", `${CLIENT}/profile/${cleo.userId}/displayname`, { displayname: "x" }],
    ["POST", "/_matrix/media/v3/upload", new Uint8Array(3)],
    ["POST", "/_parley/client/v1/uploads", new Uint8Array(3)],
  ] as const;
  for (const person of [cleo, again]) {
    for (const [method, path, body] of refused)
      assert.equal(await codeOf(person, method, path, body), "403 M_USER_SUSPENDED", `${method} ${path}`);
  }
  for (const [method, path, body] of allowed) assert.equal(await codeOf(cleo, method, path, body), "200", path);
  const oneTime = await cleo.ask("POST", "/_matrix/client/v1/login/get_token", {});
  assert.equal(oneTime.status, 401, "asks for the password, as of everybody");
  const pusher = { app_id: "none", pushkey: "none" };
  assert.equal(await codeOf(cleo, "POST", "/_parley/client/v1/push/test", pusher), "404 M_NOT_FOUND");
  using stream = await openStream(server.url, cleo);
  stream.send({
    type: "send",
    id: 1,
    room_id: room,
    event_type: "m.room.message",
    txn_id: "5",
    content: { body: "x" },
  });
  assert.equal((await stream.until(({ type }) => type === "refused")).errcode, "M_USER_SUSPENDED");
  await suspend(cleo, false);
  // It may do more than before, and comes again to do it.
  assert.deepEqual(await stream.closed, { code: 4503, reason: { reconnect_in_ms: 0 } });
  // The other process believes what it knew of the session until the log has told it.
  await other.ctx.log.reached(server.ctx.log.hub.head());
  assert.equal(await codeOf(again, "POST", `${CLIENT}/join/${room}`, {}), "200");
});

test("only operators may, on no operator and not on themselves, and it is in the audit log", async () => {
  const dora = await registerPerson(server.url, "dora");
  const auditor = await makeOperator(server, "olga", "auditor");
  for (const state of ["lock", "suspend"]) {
    const body = { [`${state}ed`]: true };
    const path = (who: string) => `${ADMIN}/${state}/${who}`;
    for (const who of [dora.userId, "@nobody:localhost"]) {
      assert.equal(await codeOf(dora, "GET", path(who)), "403 M_FORBIDDEN");
      assert.equal(await codeOf(dora, "PUT", path(who), body), "403 M_FORBIDDEN");
    }
    assert.equal(await codeOf(auditor, "PUT", path(dora.userId), body), "403 M_FORBIDDEN");
    assert.equal(await codeOf(auditor, "GET", path(dora.userId)), "200");
    assert.equal(await codeOf(root, "PUT", path(auditor.userId), body), "403 M_FORBIDDEN");
    assert.equal(await codeOf(root, "PUT", path(root.userId), body), "403 M_FORBIDDEN");
    assert.equal(await codeOf(root, "PUT", path("@dora:elsewhere.org"), body), "400 M_INVALID_PARAM");
    assert.equal(await codeOf(root, "PUT", path("@nobody:localhost"), body), "404 M_NOT_FOUND");
    assert.equal(await codeOf(root, "PUT", path(dora.userId), {}), "400 M_MISSING_PARAM");
  }
  await lock(dora, true);
  const { items } = await root.call("GET", "/_parley/admin/v1/audit?action=users.set_locked");
  assert.deepEqual(
    [items[0].target, items[0].before, items[0].after],
    [dora.userId, { locked: false }, { locked: true }],
  );
});

test("whois tells a person about themselves, and operators about everybody", async () => {
  const emil = await registerPerson(server.url, "emil");
  const fay = await registerPerson(server.url, "fay");
  const path = `${CLIENT}/admin/whois/${emil.userId}`;
  for (const person of [emil, root]) {
    const { user_id, devices } = await person.call("GET", path);
    assert.equal(user_id, emil.userId);
    assert.deepEqual(Object.keys(devices), [emil.deviceId]);
    assert.equal(typeof devices[emil.deviceId].sessions[0].connections[0].last_seen, "number");
  }
  assert.equal(await codeOf(fay, "GET", path), "403 M_FORBIDDEN");
  assert.equal(await codeOf(root, "GET", `${CLIENT}/admin/whois/@nobody:localhost`), "404 M_NOT_FOUND");
});

test("the capability is told to who has it", async () => {
  const gil = await registerPerson(server.url, "gil");
  const of = async (person: Person) => (await person.call("GET", `${CLIENT}/capabilities`)).capabilities;
  assert.deepEqual((await of(root))["m.account_moderation"], { suspend: true, lock: true });
  assert.equal((await of(gil))["m.account_moderation"], undefined);
});
