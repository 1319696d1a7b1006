/** The ring of keys that sign access tokens. G9: keys change without a failed request or a sign-out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeProtectedHeader } from "jose";
import { registerPerson, request } from "../../../../testkit/src/http.ts";
import { signInByOAuth } from "../../../../testkit/src/oauth.ts";
import { createTestDatabase, startTestServer, type TestServer } from "../../../../testkit/src/server.ts";
import { openDatabase } from "../../db/database.ts";
import { limits } from "../../limits.ts";
import { isWrapped, masterKeysOf, parseMasterKeys } from "../../secrets/master-keys.ts";
import { realSeams, type Seams } from "../../seams.ts";
import { openSigningKeys } from "./signing-keys.ts";

const DAY_MS = 86_400_000;

/** Lets time pass for the ring: each of its keys has been there for so long. */
function pass(db: TestServer["ctx"]["db"]["auth"], ms: number): Promise<number> {
  return db.change("update auth.signing_keys set signs_from = signs_from - $1 * interval '1 millisecond'", [ms]);
}

async function openDb(url: string) {
  const database = openDatabase({ url, connections: 2, onError: () => {} });
  return { db: database.auth, [Symbol.asyncDispose]: () => database.close() };
}

/** Seams whose clock is always past the last reading. */
function hastySeams(): Seams {
  let now_ms = 0;
  return { ...realSeams, monotonic_ms: () => (now_ms += limits.signingKeysRead_ms) };
}

test("a key is published before it signs, signs until the next one does, and goes when nothing of it is valid", async () => {
  await using database = await createTestDatabase();
  await using opened = await openDb(database.url);
  const { db } = opened;
  const keys = openSigningKeys({ db, seams: hastySeams(), masterKeys: undefined, lifetime_ms: 30 * DAY_MS });
  const first = (await keys.ring()).signing.kid;
  assert.equal(await keys.rotate(), false);
  await pass(db, 30 * DAY_MS);
  assert.equal(await keys.rotate(), true);
  assert.equal(await keys.rotate(), false);
  const published = await keys.ring();
  assert.equal(published.signing.kid, first);
  assert.equal(published.keys.length, 2);
  await pass(db, limits.signingKeyPublished_ms);
  const changed = await keys.ring();
  assert.notEqual(changed.signing.kid, first);
  assert.ok(changed.keys.some(({ kid }) => kid === first));
  await pass(db, 30 * DAY_MS);
  await keys.rotate();
  assert.equal(await keys.find(first), undefined);
});

test("many processes that start at once have one key, and all find it", async () => {
  await using database = await createTestDatabase();
  await using opened = await openDb(database.url);
  const rings = Array.from({ length: 6 }, () =>
    openSigningKeys({ db: opened.db, seams: realSeams, masterKeys: undefined, lifetime_ms: DAY_MS }).ring(),
  );
  const names = (await Promise.all(rings)).map(({ signing }) => signing.kid);
  assert.equal(new Set(names).size, 1);
});

test("with master keys the ring is wrapped in the database, also one that was not", async () => {
  await using database = await createTestDatabase();
  await using opened = await openDb(database.url);
  const { db } = opened;
  const options = { db, seams: realSeams, lifetime_ms: DAY_MS };
  const plain = await openSigningKeys({ ...options, masterKeys: undefined }).ring();
  const list = parseMasterKeys(Buffer.alloc(32, 7).toString("base64"));
  const masterKeys = { ...masterKeysOf(() => list, realSeams), close: () => {} };
  const wrapped = await openSigningKeys({ ...options, masterKeys }).ring();
  assert.equal(wrapped.signing.kid, plain.signing.kid);
  const row = await db.one<{ private_key: Buffer }>("select private_key from auth.signing_keys");
  assert.ok(row && isWrapped(row.private_key));
  await assert.rejects(openSigningKeys({ ...options, masterKeys: undefined }).ring(), /AUTH_KEY_STORAGE_BACKEND/);
});

test("while the key changes tokens of the one before are good on every replica; without their key they are refused softly", async () => {
  const seams = hastySeams();
  // The clock of the sessions' memory runs with it, so that each request is looked up anew.
  await using server = await startTestServer({ seams });
  const config = { publicUrl: server.ctx.publicUrl() };
  await using other = await startTestServer({ databaseUrl: server.databaseUrl, seams, config });
  await registerPerson(server.url, "alice");
  const db = server.ctx.db.auth;
  const whoami = (url: string, token: string) => request(url, "GET", "/_matrix/client/v3/account/whoami", { token });
  const before = await signInByOAuth(server.url, "alice", "BEFOREDEV1");
  await pass(db, 30 * DAY_MS);
  await server.ctx.signingKeys.rotate();
  await pass(db, limits.signingKeyPublished_ms);
  const after = await signInByOAuth(server.url, "alice", "AFTERDEV01");
  const kids = [before, after].map(({ tokens }) => decodeProtectedHeader(tokens.access_token).kid);
  assert.notEqual(kids[0], kids[1]);
  for (const { tokens } of [before, after])
    for (const { url } of [server, other]) assert.equal((await whoami(url, tokens.access_token)).status, 200);
  await db.change("delete from auth.signing_keys where kid = $1", [kids[0]]);
  const refused = await whoami(other.url, before.tokens.access_token);
  assert.equal(refused.body.soft_logout, true);
  const refreshed = await before.client.refresh(before.tokens.refresh_token, other.url);
  assert.equal((await whoami(server.url, refreshed.body.access_token)).status, 200);
});
