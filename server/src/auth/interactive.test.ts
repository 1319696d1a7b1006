import assert from "node:assert/strict";
import { after, test } from "node:test";
import { registerPerson } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { InteractiveAuthentication } from "../errors.ts";
import { interactive, type InteractiveRequest } from "./interactive.ts";
import type { Auth } from "./shapes.ts";

const server = await startTestServer({ config: { roles: ["auth"] } });
const replica = await startTestServer({ config: { roles: ["auth"] }, databaseUrl: server.databaseUrl });
after(async () => {
  await replica.stop();
  await server.stop();
});
const alice = await registerPerson(server.url, "alice");
const bob = await registerPerson(server.url, "bob");

const flows = [["m.login.dummy", "m.login.password"]] as const;
const dummy = { type: "m.login.dummy" };
const password = { type: "m.login.password", password: "password of alice" };

async function ask(auth: Auth | undefined, { at = server, path = "/op", person = alice } = {}) {
  const session = await at.ctx.authenticate(person.token);
  const request: InteractiveRequest = { body: { auth }, session, path, address: "127.0.0.1" };
  try {
    return { passed: await interactive(at.ctx, request, { flows }) };
  } catch (thrown) {
    if (!(thrown instanceof InteractiveAuthentication)) throw thrown;
    return { challenge: thrown.body };
  }
}

/** A session whose first stage is complete. */
async function halfWay(): Promise<string> {
  const { challenge } = await ask(dummy);
  assert.deepEqual(challenge?.["completed"], ["m.login.dummy"]);
  return String(challenge?.["session"]);
}

test("a completed stage is remembered, on every replica", async () => {
  const session = await halfWay();
  const { passed } = await ask({ ...password, session }, { at: replica });
  assert.deepEqual(Object.keys(passed ?? {}), ["m.login.dummy", "m.login.password"]);
});

test("a session is for the person and the path that it began with; for others it is refused, and stays as it was", async () => {
  const session = await halfWay();
  for (const elsewhere of [
    () => ask({ ...password, session }, { path: "/other" }),
    () => ask({ session, ...password, password: "password of bob" }, { person: bob }),
  ])
    await assert.rejects(elsewhere, { errcode: "M_FORBIDDEN", status: 403 });
  assert.ok((await ask({ ...password, session })).passed);
});

test("the older name of a path is the same path", async () => {
  const { challenge } = await ask(dummy, { path: "/_matrix/client/r0/x" });
  const { passed } = await ask(
    { ...password, session: String(challenge?.["session"]) },
    { path: "/_matrix/client/v3/x" },
  );
  assert.ok(passed);
});

test("what is complete lets one request pass and no second one", async () => {
  const session = await halfWay();
  assert.ok((await ask({ ...password, session })).passed);
  assert.deepEqual((await ask({ session })).challenge?.["completed"], []);
});

test("a session that has expired is as none", async () => {
  const session = await halfWay();
  await server.ctx.db.auth.change("update auth.interactive_sessions set expires_at = now() where id = $1", [session]);
  assert.deepEqual((await ask({ ...password, session })).challenge?.["completed"], ["m.login.password"]);
});

test("a wrong password is M_FORBIDDEN with the flows, and the session goes on", async () => {
  const session = await halfWay();
  const { challenge } = await ask({ ...password, session, password: "wrong" });
  assert.equal(challenge?.["errcode"], "M_FORBIDDEN");
  assert.deepEqual(challenge?.["flows"], [{ stages: flows[0] }]);
  assert.deepEqual([challenge?.["session"], challenge?.["completed"]], [session, ["m.login.dummy"]]);
  assert.ok((await ask({ ...password, session })).passed);
});

test("another person's password does not count", async () => {
  const identifier = { type: "m.id.user", user: "bob" };
  const { challenge } = await ask({ type: "m.login.password", identifier, password: "password of bob" });
  assert.equal(challenge?.["errcode"], "M_FORBIDDEN");
});

test("a stage that is in no flow is refused", async () => {
  const { challenge } = await ask({ type: "m.login.registration_token", token: "x" });
  assert.equal(challenge?.["errcode"], "M_UNRECOGNIZED");
});
