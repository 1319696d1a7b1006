import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Json, request } from "../../../testkit/src/http.ts";
import { diesIn } from "../../../testkit/src/mortal.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { realSeams } from "../seams.ts";
import { refresh as refreshRoute } from "./refresh.ts";

let ahead_ms = 0;
const seams = { ...realSeams, monotonic_ms: () => realSeams.monotonic_ms() + ahead_ms };
const server = await startTestServer({ config: { roles: ["auth"] }, seams });
after(() => server.stop());

let names = 0;
async function signIn(): Promise<Json> {
  const body = { username: `user${++names}`, password: "secret", auth: { type: "m.login.dummy" }, refresh_token: true };
  return (await request(server.url, "POST", "/_matrix/client/v3/register", { body })).body;
}

function refresh(refreshToken: string) {
  return request(server.url, "POST", "/_matrix/client/v3/refresh", { body: { refresh_token: refreshToken } });
}

function whoami(token: string) {
  return request(server.url, "GET", "/_matrix/client/v3/account/whoami", { token });
}

/** Lets `ms` pass for the tokens in the database and for those in memory. */
async function pass(ms: number): Promise<void> {
  ahead_ms += ms;
  await server.ctx.db.auth.change("update auth.tokens set expires_at = expires_at - $1 * interval '1 millisecond'", [
    ms,
  ]);
}

test("a refresh gives a new pair for the same device", async () => {
  const old = await signIn();
  const { status, body } = await refresh(old.refresh_token);
  assert.equal(status, 200);
  assert.equal(body.expires_in_ms, 3_600_000);
  assert.equal((await whoami(body.access_token)).body.device_id, old.device_id);
});

test("an access token that has expired is refused softly, and its refresh token still works", async () => {
  const { access_token, refresh_token } = await signIn();
  assert.equal((await whoami(access_token)).status, 200);
  await pass(3_600_001);
  const { status, body } = await whoami(access_token);
  assert.deepEqual([status, body.errcode, body.soft_logout], [401, "M_UNKNOWN_TOKEN", true]);
  const { body: next } = await refresh(refresh_token);
  assert.equal((await whoami(next.access_token)).status, 200);
});

test("a token that is remembered is refused at the moment when it expires", async () => {
  const { access_token } = await signIn();
  await pass(3_599_000);
  assert.equal((await whoami(access_token)).status, 200);
  await pass(1_001);
  assert.equal((await whoami(access_token)).status, 401);
});

test("the old refresh token works until the new access token is used: a lost answer costs nothing", async () => {
  const { refresh_token } = await signIn();
  await refresh(refresh_token);
  const { status, body: found } = await refresh(refresh_token);
  assert.equal(status, 200);
  assert.equal((await whoami(found.access_token)).status, 200);
  const late = await refresh(refresh_token);
  assert.deepEqual([late.status, late.body.errcode, late.body.soft_logout], [401, "M_UNKNOWN_TOKEN", true]);
});

test("a process that dies at any step of a refresh signs nobody out: the token that the client has is good for another pair", async () => {
  let { refresh_token } = await signIn();
  let deaths = 0;
  for (const when of ["before", "after"] as const)
    for (let at = 1, died = true; died; at++) {
      const asked = { body: { refresh_token } } as Parameters<typeof refreshRoute.handle>[0];
      died = await diesIn(server.ctx, { at, when, of: ["auth"] }, async (mortal) => refreshRoute.handle(asked, mortal));
      if (died) deaths += 1;
      const { status, body } = await refresh(refresh_token);
      assert.equal(status, 200, `${when} ${at}: ${JSON.stringify(body)}`);
      assert.equal((await whoami(body.access_token)).status, 200);
      ({ refresh_token } = body);
    }
  assert.ok(deaths >= 4, `it died ${deaths} times`);
});

test("the first use of a new pair ends the lost ones beside it", async () => {
  const { refresh_token } = await signIn();
  const { body: lost } = await refresh(refresh_token);
  const { body: kept } = await refresh(refresh_token);
  await whoami(kept.access_token);
  assert.equal((await whoami(lost.access_token)).status, 401);
  assert.equal((await refresh(lost.refresh_token)).status, 401);
  assert.equal((await refresh(kept.refresh_token)).status, 200);
});

test("using the new refresh token is using the new pair", async () => {
  const { refresh_token } = await signIn();
  const { body: second } = await refresh(refresh_token);
  await pass(7_200_000);
  const { status, body: third } = await refresh(second.refresh_token);
  assert.equal(status, 200);
  assert.equal((await refresh(refresh_token)).status, 401);
  assert.equal((await whoami(third.access_token)).status, 200);
});

test("of the pairs that are over the database keeps one generation", async () => {
  const first = await signIn();
  let { refresh_token } = first;
  for (let i = 0; i < 5; i++) {
    const { body } = await refresh(refresh_token);
    await whoami(body.access_token);
    ({ refresh_token } = body);
  }
  const row = await server.ctx.db.auth.one<{ count: number }>(
    "select count(*) from auth.tokens t join auth.sessions s using (session_id) where s.user_id = $1",
    [first.user_id],
  );
  assert.equal(row?.count, 2);
});

test("after signing out nothing is soft: neither token is known", async () => {
  const { access_token, refresh_token } = await signIn();
  await request(server.url, "POST", "/_matrix/client/v3/logout", { token: access_token });
  for (const { status, body } of [await whoami(access_token), await refresh(refresh_token)])
    assert.deepEqual([status, body.errcode, body.soft_logout], [401, "M_UNKNOWN_TOKEN", undefined]);
});

test("refreshes, first uses and the end of a session at the same time do not stand in each other's way", async () => {
  const people = await Promise.all(Array.from({ length: 6 }, signIn));
  for (const { access_token, refresh_token } of people) {
    const { body: next } = await refresh(refresh_token);
    const answers = await Promise.all([
      refresh(refresh_token),
      refresh(next.refresh_token),
      whoami(next.access_token),
      refresh(refresh_token),
      request(server.url, "POST", "/_matrix/client/v3/logout", { token: access_token }),
      whoami(next.access_token),
    ]);
    for (const { status } of answers) assert.ok(status === 200 || status === 401, String(status));
  }
});

test("whoever changes tokens holds their session first, so that no two wait for each other", async () => {
  const { auth } = server.ctx.db;
  const old = await signIn();
  const { body: next } = await refresh(old.refresh_token);
  let firstUse: Promise<unknown> | undefined;
  await auth.transaction(async (holder) => {
    await holder.query("select 1 from auth.sessions where user_id = $1 for update", [old.user_id]);
    firstUse = server.ctx.authenticate(next.access_token);
    const waits = async () => {
      while ((await holder.one("select 1 from pg_locks where not granted")) === undefined);
      return "waits";
    };
    assert.equal(await Promise.race([waits(), firstUse.then(() => "went ahead")]), "waits");
  });
  await firstUse;
});
