/** What would be in the way of an install or an upgrade, planted; and an empty database and a running installation, which are fine. */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parley, sql } from "../../../testkit/src/command.ts";
import { temporaryDirectory } from "../../../testkit/src/process.ts";
import { createTestDatabase, startTestServer } from "../../../testkit/src/server.ts";
import { readConfig } from "../config.ts";
import { connectOwner } from "../db/database.ts";
import { schemas } from "../db/roles.ts";
import type { Finding, Patient } from "./doctor/finding.ts";
import { judgeFoundation } from "./preflight/database.ts";
import { preflight as command } from "./preflight.ts";
import { migrations } from "./preflight/migrations.ts";

const directory = temporaryDirectory();
after(() => directory[Symbol.dispose]());

async function preflight(env: Record<string, string>) {
  const { code, json } = await parley(["preflight", "--json"], {
    env: { PARLEY_DATA_DIR: directory.path, ...env },
    commands: [command],
  });
  const { findings } = json() as { findings: Finding[] };
  return { code, findings, bad: findings.filter(({ state }) => state !== "ok") };
}

test("an empty database is ready for an install, and what would run is named", async () => {
  await using database = await createTestDatabase();
  await sql(database.url, [...schemas, "parley"].map((schema) => `drop schema ${schema} cascade`).join("; "));
  const { code, bad, findings } = await preflight({ DATABASE_URL: database.url });
  assert.deepEqual([code, bad], [0, []]);
  assert.ok(findings.some(({ says }) => /migrations would run: log\/0001_log/.test(says)));
});

test("a running installation of this version has nothing to migrate; another server name is in the way", async () => {
  await using server = await startTestServer();
  const { code, findings } = await preflight({ DATABASE_URL: server.databaseUrl });
  assert.equal(code, 0);
  assert.ok(findings.some(({ says }) => /No migration is to be run/.test(says)));
  const renamed = await preflight({ DATABASE_URL: server.databaseUrl, PARLEY_SERVER_NAME: "example.org" });
  assert.deepEqual([renamed.code, renamed.bad.map(({ check }) => check)], [1, ["server name"]]);
});

test("an old PostgreSQL, one that forgets, and too few connections are found", () => {
  const sound = {
    server_version: "18.0",
    server_version_num: "180000",
    server_encoding: "UTF8",
    fsync: "on",
    full_page_writes: "on",
    max_connections: "100",
  };
  const states = (changes: object) => judgeFoundation({ ...sound, ...changes }).map(({ state }) => state);
  assert.deepEqual(states({}), ["ok"]);
  assert.deepEqual(states({ server_version_num: "140009" }), ["failure"]);
  assert.deepEqual(states({ fsync: "off" }), ["failure"]);
  assert.deepEqual(states({ max_connections: "20" }), ["warning"]);
});

test("a database with another encoding, and users without the rights that they need, are found with the SQL", async () => {
  await using database = await createTestDatabase();
  const name = "preflight_ascii";
  await sql(database.url, `create database ${name} encoding 'SQL_ASCII' locale 'C' template template0`);
  const ascii = database.url.replace(/\/[^/]*$/, `/${name}`);
  await sql(database.url, "create role preflight_plain login");
  const plain = database.url.replace(/\/\/[^@]*@/, "//preflight_plain@");
  try {
    const encoded = await preflight({ DATABASE_URL: ascii });
    assert.deepEqual([encoded.code, /SQL_ASCII/.test(encoded.bad[0]?.says ?? "")], [1, true]);
    const { code, bad } = await preflight({ DATABASE_URL: plain });
    const fixes = bad.filter(({ check }) => check === "rights").map(({ fix }) => fix ?? "");
    assert.equal(code, 1);
    assert.ok(
      fixes.some((fix) => /owner to preflight_plain/.test(fix)),
      JSON.stringify(bad),
    );
    assert.ok(fixes.some((fix) => /grant parley_log to preflight_plain with admin option/.test(fix)));
    const nobody = await preflight({
      DATABASE_URL: plain.replace("preflight_plain", "nobody_here"),
      DATABASE_OWNER_URL: database.url,
    });
    assert.ok(nobody.bad.some(({ fix = "" }) => /create role nobody_here login/.test(fix)));
  } finally {
    await sql(database.url, `drop database ${name}`);
    await sql(database.url, "drop role preflight_plain");
  }
});

test("roles that somebody else made are found, also where the user may create roles, and what the fix says mends it", async () => {
  await using database = await createTestDatabase();
  const name = new URL(database.url).pathname.slice(1);
  await sql(database.url, "create role preflight_makes login createrole");
  await sql(database.url, `grant create on database ${name} to preflight_makes`);
  await sql(database.url, "create role preflight_serves login");
  const as = (user: string) => database.url.replace(/\/\/[^@]*@/, `//${user}@`);
  const rights = async () => {
    const env = { DATABASE_URL: as("preflight_serves"), DATABASE_OWNER_URL: as("preflight_makes") };
    return (await preflight(env)).bad.filter(({ check }) => check === "rights");
  };
  try {
    const [found] = await rights();
    assert.match(found?.says ?? "", /may not make these database roles, or not say who acts as them: parley_account, /);
    const [, statements = ""] = /^As an administrator: (.*)$/.exec(found?.fix ?? "") ?? [];
    assert.doesNotMatch(statements, /create role/);
    await sql(database.url, statements.replaceAll(" with admin option", ""));
    assert.equal((await rights()).length, 1, "a member may not let another user serve");
    await sql(database.url, statements);
    assert.deepEqual(await rights(), []);
  } finally {
    await sql(database.url, `revoke all on database ${name} from preflight_makes`);
    await sql(database.url, "drop role preflight_serves, preflight_makes");
  }
});

test("a transaction that has been open for long is a warning", async () => {
  await using database = await createTestDatabase();
  const holder = await connectOwner(database.url, "holder");
  await holder.query("begin");
  await holder.query("select pg_sleep(0)");
  const { transactions } = await import("./preflight/database.ts");
  const owner = await connectOwner(database.url);
  // 21 s later, as far as the question can tell.
  const query = (text: string, params: unknown[]) =>
    owner.query(text.replaceAll("now()", "(now() + interval '21 s')"), params);
  const [finding] = await transactions.look({ owner: { query } } as unknown as Patient);
  await Promise.all([holder.end(), owner.end()]);
  assert.deepEqual([finding?.state, /transaction of holder/.test(finding?.says ?? "")], ["warning", true]);
});

/** The migrations of this version and one more of the log's. */
function nextRelease(sqlText: string): URL {
  const folder = mkdtempSync(join(directory.path, "migrations-"));
  cpSync(fileURLToPath(new URL("../db/migrations/", import.meta.url)), folder, { recursive: true });
  writeFileSync(join(folder, "log", "0900_next.sql"), sqlText);
  return pathToFileURL(`${folder}/`);
}

test("a migration that the running processes can not live with, and an extension that is not there, are failures", async () => {
  await using server = await startTestServer();
  const owner = await connectOwner(server.databaseUrl);
  const patient = { owner, config: readConfig({}) } as unknown as Patient;
  const look = async (text: string) =>
    (await migrations(nextRelease(text)).look(patient)).filter(({ state }) => state !== "ok");
  try {
    assert.deepEqual(await look("-- compatible since: 0005\ncreate table log.more (a integer);"), []);
    const [breaking] = await look("create table log.more (a integer);");
    assert.deepEqual(
      [breaking?.state, /1 process runs that can not run beside log\/0900_next/.test(breaking?.says ?? "")],
      ["failure", true],
    );
    const [lacking] = await look("-- compatible since: 0005\ncreate extension if not exists unheard_of;");
    assert.deepEqual([lacking?.state, /unheard_of/.test(lacking?.says ?? "")], ["failure", true]);
    await server.halt();
    assert.equal((await look("create table log.more (a integer);"))[0]?.state, "warning");
  } finally {
    await owner.end();
  }
});
