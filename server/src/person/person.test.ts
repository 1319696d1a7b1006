/** What a person is given who asks for everything, and what is left of one who is erased: the whole database is looked through. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { Readable } from "node:stream";
import { test } from "node:test";
import { strFromU8, unzipSync } from "fflate";
import { sql } from "../../../testkit/src/command.ts";
import { type Json, type Person, registerPerson, request } from "../../../testkit/src/http.ts";
import { diesIn } from "../../../testkit/src/mortal.ts";
import { makeAdministrator, makeOperator } from "../../../testkit/src/operators.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { roomOf, roomPath, say, sync } from "../../../testkit/src/syncing.ts";
import { storeOf } from "../media/store.ts";
import { runJobs } from "../worker/jobs.ts";
import { sections } from "./sections.ts";

const ADMIN = "/_parley/admin/v1";
const V3 = "/_matrix/client/v3";
const reason = "they asked for it";

/** Each is in one place of what a person has. */
const MARKS = {
  profile: "mark-of-the-profile",
  device: "mark-of-the-device",
  filter: "mark-of-the-filter",
  account_data: "mark-of-the-account-data",
  message: "mark-of-the-message",
  former: "mark-of-a-room-that-was-left",
  report: "mark-of-the-report",
  external: "mark-of-the-external-id",
  policy: "mark-of-the-policy",
  alias: "mark-of-the-alias",
  backup: "mark-of-the-backup",
  to_device: "mark-of-a-device-message",
  media: "mark-of-the-file",
  pusher: "mark-of-the-pusher",
  later: "mark-of-what-is-sent-later",
  begun: "mark-of-what-is-begun",
  email: "mark-of-the@address.example",
  directory: "mark-of-the-directory",
} as const;

async function town() {
  // The jobs are worked on by the test itself, so that it can let a worker die.
  const server = await startTestServer({
    config: { roles: ["auth", "keys", "messages", "gateway", "presence", "media", "web"] },
  });
  const admin = await makeAdministrator(server, "root");
  const bob = await registerPerson(server.url, "bob");
  return { server, admin, bob, [Symbol.asyncDispose]: () => server.stop() };
}

/** Somebody who has left a mark everywhere; gives the room in which they are. */
async function settle(server: TestServer, bob: Person): Promise<{ alice: Person; roomId: string; mediaId: string }> {
  const alice = await registerPerson(server.url, "alice");
  const path = (rest: string) => `${V3}/user/${alice.userId}/${rest}`;
  const left = await roomOf(bob, alice);
  await say(alice, left, MARKS.former);
  await alice.call("PUT", `${V3}/profile/${alice.userId}/displayname`, { displayname: MARKS.profile });
  await alice.call("POST", roomPath(left, "leave"), {});
  const roomId = await roomOf(bob, alice);
  const eventId = await say(alice, roomId, MARKS.message);
  await alice.call("POST", roomPath(roomId, `receipt/m.read/${eventId}`), {});
  await alice.call("PUT", `${V3}/devices/${alice.deviceId}`, { display_name: MARKS.device });
  await alice.call("POST", path("filter"), { event_fields: [MARKS.filter] });
  await alice.call("PUT", path("account_data/org.example.note"), { text: MARKS.account_data });
  await alice.call("POST", roomPath(roomId, `report/${await say(bob, roomId, "spam")}`), { reason: MARKS.report });
  await alice.call("PUT", `${V3}/directory/room/${encodeURIComponent(`#${MARKS.alias}:localhost`)}`, {
    room_id: roomId,
  });
  const auth_data = { public_key: MARKS.backup, signatures: {} };
  await alice.call("POST", `${V3}/room_keys/version`, {
    algorithm: "m.megolm_backup.v1.curve25519-aes-sha2",
    auth_data,
  });
  const messages = { [alice.userId]: { [alice.deviceId]: { text: MARKS.to_device } } };
  await bob.call("PUT", `${V3}/sendToDevice/org.example/1`, { messages });
  await server.ctx.db.auth.change(
    "insert into auth.third_party_ids (medium, address, user_id, validated_at) values ('email', $1, $2, now())",
    [MARKS.email, alice.userId],
  );
  const external = ["https://sso.example.org", MARKS.external, alice.userId];
  await server.ctx.db.auth.change(
    "insert into auth.external_ids (issuer, subject, user_id) values ($1, $2, $3)",
    external,
  );
  await server.ctx.db.auth.change(
    "insert into auth.sso_logins (issuer, client_id, subject, user_id) values ($1, 'parley', $2, $3)",
    external,
  );
  await server.ctx.db.auth.change(
    "insert into auth.accepted_policies (user_id, policy_id, version) values ($1, 'terms', $2)",
    [alice.userId, MARKS.policy],
  );
  await server.ctx.db.auth.change(
    "insert into auth.scim_people (user_id, user_name, described, said_by) values ($1, $2, '{}', 'a test')",
    [alice.userId, MARKS.directory],
  );
  await alice.call("POST", `${V3}/pushers/set`, {
    kind: "http",
    app_id: "org.example",
    pushkey: MARKS.pusher,
    app_display_name: "Example",
    device_display_name: "Phone",
    lang: "en",
    data: { url: "https://push.example.org/_matrix/push/v1/notify" },
  });
  const later = roomPath(roomId, "send/org.example/later?org.matrix.msc4140.delay=60000");
  await alice.call("PUT", later, { text: MARKS.later });
  const begun = await fetch(`${server.url}/_parley/client/v1/uploads`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${alice.token}`,
      "tus-resumable": "1.0.0",
      "upload-length": "9",
      "upload-metadata": `filename ${Buffer.from(MARKS.begun).toString("base64")}`,
    },
  });
  assert.equal(begun.status, 201);
  const upload = await request(server.url, "POST", "/_matrix/media/v3/upload?filename=a.txt", {
    token: alice.token,
    body: Buffer.from(MARKS.media),
  });
  return { alice, roomId, mediaId: (upload.body.content_uri as string).split("/").at(-1) as string };
}

/** The files of an archive, by their names. */
async function filesOf(server: TestServer, path: string, { token }: Person): Promise<Record<string, string>> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(server.url + path, { headers });
  assert.deepEqual([answer.status, answer.headers.get("content-type")], [200, "application/zip"]);
  const files = unzipSync(new Uint8Array(await answer.arrayBuffer()));
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, strFromU8(bytes)]));
}

/** In which columns of the database the text stands. */
async function whereIs(server: TestServer, text: string): Promise<string[]> {
  const columns = await sql<{ place: string; table: string; column: string }>(
    server.databaseUrl,
    `select format('%s.%s.%s', n.nspname, c.relname, a.attname) as place, format('%I.%I', n.nspname, c.relname) as table, quote_ident(a.attname) as column
     from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and a.attnum > 0 and not a.attisdropped and n.nspname !~ '^(pg_|information_schema|ag_)' and n.nspname <> 'console'`,
  );
  const found = await sql<{ place: string }>(
    server.databaseUrl,
    columns
      .map(
        ({ place, table, column }) =>
          `select '${place}' as place from ${table} where strpos(${column}::text, '${text}') > 0`,
      )
      .join(" union "),
  );
  return found.map(({ place }) => place);
}

test("an export has everything that a person left here, each part with its digest, and every file", async () => {
  await using town_ = await town();
  const { server, bob } = town_;
  const { alice, mediaId } = await settle(server, bob);
  const { export_id } = await alice.call("POST", "/_parley/client/v1/exports", {});
  assert.equal((await alice.ask("POST", "/_parley/client/v1/exports", {})).status, 409, "one at a time");
  const archive = `/_parley/client/v1/exports/${export_id}/archive`;
  assert.equal((await alice.ask("GET", archive)).status, 404, "it is not ready");
  await runJobs(server.ctx);
  const { exports } = await alice.call("GET", "/_parley/client/v1/exports");
  assert.equal(exports[0].state, "ready");
  const files = await filesOf(server, archive, alice);
  const all = Object.values(files).join("\n");
  for (const mark of Object.values(MARKS)) assert.ok(all.includes(mark), mark);
  assert.equal(files[`media/${mediaId}.txt`], MARKS.media);
  const { parts } = JSON.parse(files["manifest.json"] as string) as { parts: Json[] };
  assert.ok(parts.length >= 8);
  for (const { section, number, sha256, records } of parts) {
    const text = files[`${section}/${String(number).padStart(5, "0")}.jsonl`] as string;
    assert.equal(createHash("sha256").update(text).digest("hex"), sha256);
    assert.equal(
      text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown).length,
      records,
    );
  }
  assert.ok(!all.includes("argon2") && !all.includes(alice.token));
  assert.equal((await bob.ask("GET", archive)).status, 404, "it is its person's alone");
});

test("an archive breaks off where a file of it can not be read, and lets go of its file where nobody reads on", async () => {
  await using town_ = await town();
  const { server } = town_;
  const alice = await registerPerson(server.url, "alice");
  // More than what fits between the file and somebody who does not read.
  const body = randomBytes(32 * 1_048_576);
  await request(server.url, "POST", "/_matrix/media/v3/upload", { token: alice.token, body });
  const { export_id } = await alice.call("POST", "/_parley/client/v1/exports", {});
  await runJobs(server.ctx);
  const store = await storeOf(server.ctx);
  const { get } = store;
  const fetchArchive = () =>
    fetch(`${server.url}/_parley/client/v1/exports/${export_id}/archive`, {
      headers: { authorization: `Bearer ${alice.token}` },
    });
  const isGiven = Promise.withResolvers<Readable>();
  store.get = async (sha256) => {
    const file = (await get.call(store, sha256)) as Readable;
    isGiven.resolve(file);
    return file;
  };
  const answer = await fetchArchive();
  const file = await isGiven.promise;
  await answer.body?.cancel();
  if (!file.closed) await once(file, "close");
  store.get = async () =>
    new Readable({
      read() {
        this.destroy(new Error("the disk is broken"));
      },
    });
  await assert.rejects(async () => (await fetchArchive()).arrayBuffer());
});

test("each table in which a person's id stands is in a section, or has a reason to be left out", async () => {
  await using town_ = await town();
  const { server, bob } = town_;
  const { alice } = await settle(server, bob);
  await alice.call("POST", "/_parley/client/v1/exports", {});
  await runJobs(server.ctx);
  const { exports } = await alice.call("GET", "/_parley/client/v1/exports");
  const files = await filesOf(server, `/_parley/client/v1/exports/${exports[0].export_id}/archive`, alice);
  const made = new Set(Object.keys(files).map((name) => name.split("/")[0]));
  const of: Record<string, string | null> = {
    "auth.accounts": "account",
    "auth.sessions": "devices",
    "auth.third_party_ids": "email_addresses",
    "auth.accepted_policies": "accepted_policies",
    "auth.external_ids": "external_ids",
    "auth.sso_logins": "external_logins",
    "account.profiles": "profile",
    "account.filters": "filters",
    "keys.backups": "key_backups",
    "log.members": "memberships",
    "log.account_data": "account_data",
    "log.receipts": "receipts",
    "log.entries": "events",
    "rooms.aliases": "aliases",
    "rooms.reports": "reports",
    "rooms.delayed_events": "delayed_events",
    "media.media": "uploads",
    "media.uploads": "uploads_in_pieces",
    "push.pushers": "pushers",
    "auth.scim_people": "provisioned",
    // Copies of the profile, by which others find the person.
    "rooms.people": null,
    "rooms.people_words": null,
  };
  const tables = new Set((await whereIs(server, alice.userId)).map((place) => place.split(".").slice(0, 2).join(".")));
  for (const table of tables) {
    assert.ok(table in of, `${table} has something of a person, and no section has it`);
    if (of[table]) assert.ok(made.has(of[table]), `${table}: ${of[table]}`);
  }
});

/** What an export leaves out, and why. */
const LEFT_OUT: Record<string, string> = {
  "auth.browser_sessions": "who a browser is: an id that opens the account, for hours",
  "auth.half_sign_ins": "a sign-in that goes on, for minutes",
  "auth.interactive_sessions": "a request that goes on, for minutes",
  "auth.login_tokens": "tokens that open the account, for minutes",
  "auth.oauth_approvals": "what was allowed a moment ago, for minutes",
  "auth.openid_tokens": "tokens for others, for an hour",
  "auth.service_sessions": "sessions of application services, which have people of their own",
  "auth.sign_in_links": "hashes of what opens the account",
  "keys.fallback_keys": "keys that others use up",
  "keys.one_time_keys": "keys that others use up",
  "media.lent_tickets": "hashes of what lends one of their files to another process, for seconds",
  "rooms.notices": "in which room the server speaks to the person: a membership",
  "rooms.people": "a copy of the profile, by which others find the person",
  "rooms.people_words": "a copy of the profile, by which others find the person",
};

test("each table that has a person's id by the database's catalogue is in a section, or has a reason to be left out", async () => {
  await using server = await startTestServer();
  const tables = await sql<{ table: string }>(
    server.databaseUrl,
    `select distinct format('%s.%s', table_schema, table_name) as table from information_schema.columns
     where table_schema in ('auth', 'account', 'keys', 'log', 'rooms', 'media', 'push') and column_name in ('user_id', 'creator', 'owner', 'sender', 'reporter')`,
  );
  const asked: string[] = [];
  const { db } = server.ctx;
  for (const schema of ["auth", "account", "keys", "log", "rooms", "media", "push"] as const) {
    const { query } = db[schema];
    Object.assign(db[schema], {
      query(text: string, params?: readonly unknown[]) {
        asked.push(text);
        return query(text, params);
      },
    });
  }
  for (const section of sections) await section.read(server.ctx, { userId: "@nobody:localhost", after: "", limit: 1 });
  const isAsked = (table: string) => asked.some((text) => new RegExp(`from ${table}\\b`).test(text));
  assert.ok(tables.length > 20);
  const forgotten = tables.filter(({ table }) => isAsked(table) === table in LEFT_OUT);
  assert.deepEqual(forgotten, [], "in a section, or left out for a reason: one of both");
  for (const table of Object.keys(LEFT_OUT))
    assert.ok(
      tables.some((each) => each.table === table),
      `there is no ${table}`,
    );
});

test("of an erased person nothing is left but their name, what is a room's state, and the proof of it", async () => {
  await using town_ = await town();
  const { server, admin, bob } = town_;
  const { alice, roomId } = await settle(server, bob);
  const user = `${ADMIN}/users/${encodeURIComponent(alice.userId)}`;
  for (const mark of Object.values(MARKS).filter((each) => each !== MARKS.media))
    assert.notDeepEqual(await whereIs(server, mark), [], mark);
  const since = (await sync(bob)).next_batch as string;
  const { job_id } = await admin.call("POST", `${user}/erase`, { reason });
  await runJobs(server.ctx);
  assert.equal((await admin.call("GET", `${ADMIN}/jobs/${job_id}`)).state, "done");

  assert.deepEqual((await whereIs(server, MARKS.alias)).toSorted(), ["rooms.aliases.alias"], "others use it");
  for (const [name, mark] of Object.entries(MARKS))
    if (name !== "alias") assert.deepEqual(await whereIs(server, mark), [], mark);
  const { items } = await admin.call("GET", `${user}/erasures`);
  const { left, removed } = items[0] as { left: Record<string, number>; removed: Record<string, number> };
  const remaining = Object.fromEntries(Object.entries(left).filter(([, count]) => count > 0));
  assert.deepEqual(remaining, { account: 1, memberships: 2, events: 2 });
  assert.deepEqual([removed["files_removed"], (removed["events_removed"] ?? 0) > 3], [1, true]);
  const audit = await admin.call("GET", `${ADMIN}/audit?action=users.erased`);
  assert.match(JSON.stringify(audit.items[0].after), /"proof_sha256":"[0-9a-f]{64}"/);

  const { chunk } = await bob.call("GET", roomPath(roomId, "messages?dir=f&limit=100"));
  const own = (chunk as Json[]).filter(({ sender }) => sender === alice.userId);
  assert.deepEqual(
    own.map(({ type, content }) => [type, content]),
    [["m.room.member", { membership: "leave" }]],
  );
  await sync(bob, { since });
  assert.equal((await alice.ask("GET", `${V3}/account/whoami`)).status, 401);
  const again = await request(server.url, "GET", `${V3}/register/available?username=alice`);
  assert.equal(again.body.errcode, "M_USER_IN_USE");
});

test("a worker that dies between any two steps of an erasure leaves it to the next one, which ends it", async () => {
  await using town_ = await town();
  const { server, admin } = town_;
  for (let at = 1, survived = 0; survived < 2; at += 3) {
    const person = await registerPerson(server.url, `mortal${at}`);
    const roomId = await roomOf(person);
    await say(person, roomId, `words of mortal ${at}.`);
    const user = `${ADMIN}/users/${encodeURIComponent(person.userId)}`;
    await admin.call("POST", `${user}/erase`, { reason });
    if (!(await diesIn(server.ctx, { at, when: "after", of: ["console", "auth", "log"] }, runJobs))) survived += 1;
    await server.ctx.db.console.change(
      "update console.jobs set leased_until = now() - interval '1 second' where state = 'running'",
    );
    await runJobs(server.ctx);
    assert.deepEqual(await whereIs(server, `words of mortal ${at}.`), [], `killed after ask ${at}`);
    assert.equal((await admin.call("GET", `${user}/erasures`)).items.length, 1);
    assert.ok(at < 200, "an erasure does not end");
  }
});

test("only owners export and erase, never an operator's account, and a legal hold keeps what it is for", async () => {
  await using town_ = await town();
  const { server, admin, bob } = town_;
  const operator = await makeOperator(server, "olga", "operator");
  const user = `${ADMIN}/users/${encodeURIComponent(bob.userId)}`;
  for (const path of ["exports", "erase"])
    assert.equal((await operator.ask("POST", `${user}/${path}`, { reason })).status, 403, path);
  const own = `${ADMIN}/users/${encodeURIComponent(operator.userId)}/erase`;
  assert.match((await admin.ask("POST", own, { reason })).body.error, /operator/);
  const { hold_id } = await admin.call("POST", `${ADMIN}/retention/holds`, { user_id: bob.userId, reason });
  assert.match((await admin.ask("POST", `${user}/erase`, { reason })).body.error, /hold/);
  await admin.call("POST", `${ADMIN}/retention/holds/${hold_id}/release`, { reason });
  assert.equal((await admin.ask("POST", `${user}/erase`, { reason })).status, 200);
  assert.equal((await admin.ask("POST", `${ADMIN}/users/@nobody:localhost/exports`, { reason })).status, 404);
});

test("sections have names of their own", () => {
  assert.equal(new Set(sections.map(({ name }) => name)).size, sections.length);
});
