/** The console as an operator and a script meet it, and the step of a release that changes the database. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parley as parleyWith, sql } from "../../../testkit/src/command.ts";
import { createTestDatabase, startTestServer } from "../../../testkit/src/server.ts";
import { registerPerson } from "../../../testkit/src/http.ts";
import { createRoom } from "../../../testkit/src/room.ts";
import { readConfig } from "../config.ts";
import { schemas } from "../db/roles.ts";
import { startServer } from "../server.ts";
import { commands } from "./commands.ts";
import { operationCommands } from "./operations.ts";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const { PATH = "" } = process.env;

const parley = (typed: readonly string[], env: Record<string, string>) => parleyWith(typed, { env });

async function wipe(url: string): Promise<void> {
  await sql(url, [...schemas, "parley"].map((schema) => `drop schema if exists ${schema} cascade`).join("; "));
}

function asUser(url: string, name: string): string {
  return url.replace(/\/\/[^@]*@/, `//${name}@`);
}

// A server without a folder of its own would put its files into the checkout, where `npm start` has them.
const PARLEY_DATA_DIR = mkdtempSync(join(tmpdir(), "parley-release-"));
after(() => rmSync(PARLEY_DATA_DIR, { recursive: true, force: true }));

let database: Awaited<ReturnType<typeof createTestDatabase>>;
before(async () => {
  database = await createTestDatabase();
});
after(() => database[Symbol.asyncDispose]());

test("release db migrates an empty database and says what it did; again it finds nothing to do", async () => {
  await wipe(database.url);
  const env = { DATABASE_URL: database.url };
  const first = await parley(["release", "db", "--json"], env);
  assert.equal(first.code, 0);
  assert.ok(first.json().migrated.includes("log/0001_log"));
  assert.match(first.error, /migrating log\/0001_log/);
  const second = await parley(["release", "db"], env);
  assert.deepEqual([second.code, second.out], [0, "The database had every migration already."]);
});

test("release wait ends at once on the right schema, waits for one that is behind, and refuses one that is too new", async () => {
  const env = { DATABASE_URL: database.url };
  assert.equal((await parley(["release", "wait", "--timeout-s", "0"], env)).code, 0);

  await sql(database.url, "insert into parley.migrations (schema, number, name) values ('log', 9999, '9999_future')");
  const refused = await parley(["release", "wait", "--json"], env);
  assert.equal(refused.code, 1);
  assert.match(refused.json().error, /newer Parley.*log\/9999_future/);
  const status = await parley(["release", "status", "--json"], env);
  assert.deepEqual([status.code, /9999_future/.test(status.json().refusal)], [1, true]);
  await sql(database.url, "delete from parley.migrations where number = 9999");

  await wipe(database.url);
  const late = await parley(["release", "wait", "--timeout-s", "0"], env);
  assert.equal(late.code, 1);
  assert.match(late.error, /has not yet log\/0001_log.*parley release db/);
  const waiting = parley(["release", "wait", "--timeout-s", "60"], env);
  assert.equal((await parley(["release", "db"], env)).code, 0);
  assert.equal((await waiting).code, 0);
});

test("release wait says what keeps it: a database that is away, or rights that are not set", async () => {
  const away = await parley(["release", "wait", "--timeout-s", "0"], { DATABASE_URL: "postgres://a@127.0.0.1:1/b" });
  assert.deepEqual([away.code, /can not be reached/.test(away.error)], [1, true]);
  await sql(database.url, "update parley.migrations set granted_at = null where schema = 'log'");
  const open = await parley(["release", "wait", "--timeout-s", "0"], { DATABASE_URL: database.url });
  assert.deepEqual([open.code, /rights/.test(open.error)], [1, true]);
  await parley(["release", "db"], { DATABASE_URL: database.url });
});

test("a migration that fails ends release db with its name, the reason and exit code 1, and changes nothing", async () => {
  await wipe(database.url);
  await sql(database.url, "create schema media; create table media.media (a integer)");
  const { code, error } = await parley(["release", "db"], { DATABASE_URL: database.url });
  assert.equal(code, 1);
  assert.match(error, /media\/0001_media failed and changed nothing: relation "media" already exists/);
  assert.match(error, /release db" again/);
  await sql(database.url, "drop schema media cascade");
  assert.equal((await parley(["release", "db"], { DATABASE_URL: database.url })).code, 0);
});

test("a server whose database user owns nothing waits for release db, and serves on what it left", async () => {
  await wipe(database.url);
  await sql(database.url, "create role serving login nocreatedb nocreaterole");
  const DATABASE_URL = asUser(database.url, "serving");
  const settings = { PARLEY_DATA_DIR, PARLEY_PORT: "0", PARLEY_METRICS_PORT: "off", PARLEY_PASSWORD_COST: "low" };
  const env = { DATABASE_URL, PARLEY_MIGRATE: "wait", PARLEY_LOG_LEVEL: "silent", ...settings };
  try {
    const told: string[] = [];
    const starting = startServer(readConfig(env), { onProgress: (text) => told.push(text) });
    const done = await parley(["release", "db"], { DATABASE_URL, DATABASE_OWNER_URL: database.url });
    assert.equal(done.code, 0, done.error);
    const server = await starting;
    assert.match(told.join(), /^waiting: the database has not yet/);
    const alice = await registerPerson(server.url, "alice");
    const room = await createRoom(alice);
    await room.say(alice, "served");
    await assert.rejects(sql(DATABASE_URL, "create table log.more (a integer)"), /permission denied/);
    const status = await parley(["release", "status"], env);
    assert.deepEqual([status.code, /auth,keys/.test(status.out)], [0, true]);
    const examined = await parley(["doctor"], env);
    assert.equal(examined.code, 0, examined.out);
    await server.stop();
    // The control: the same user in a start that migrates.
    await assert.rejects(startServer(readConfig({ ...env, PARLEY_MIGRATE: "auto" })), /permission denied/);
  } finally {
    await sql(database.url, "drop owned by serving; drop role serving");
  }
});

test("a start that waits for the schema can be called off", async () => {
  const stopping = new AbortController();
  await wipe(database.url);
  const env = { DATABASE_URL: database.url, PARLEY_DATA_DIR, PARLEY_MIGRATE: "wait", PARLEY_PORT: "0" };
  const onProgress = () => stopping.abort(new Error("stop"));
  await assert.rejects(startServer(readConfig(env), { onProgress, signal: stopping.signal }), /^Error: stop$/);
  await parley(["release", "db"], { DATABASE_URL: database.url });
});

test("release status names each schema and each process that runs", async () => {
  await using server = await startTestServer();
  const { code, json } = await parley(["release", "status", "--json"], { DATABASE_URL: server.databaseUrl });
  const { schemas: rows, processes } = json();
  assert.equal(code, 0);
  assert.deepEqual(
    rows.map(({ schema }: { schema: string }) => schema),
    [...schemas],
  );
  for (const { has, needs, compatibleSince, missing } of rows) {
    assert.ok(compatibleSince <= has && has === needs);
    assert.deepEqual(missing, []);
  }
  assert.deepEqual([processes.length, processes[0].bus], [1, "postgresql"]);
});

test("what is not understood ends with 2 and one sentence, and every command has a help of its own", async () => {
  for (const typed of [["relase"], ["release"], ["release", "db", "now"], ["release", "wait", "--timeout-s", "long"]]) {
    const { code, error } = await parley(typed, {});
    assert.deepEqual([typed, code, error.split("\n").length], [typed, 2, 1]);
  }
  const wrong = await parley(["release", "db", "--jsn"], {});
  assert.deepEqual([wrong.code, /--jsn/.test(wrong.error)], [2, true]);
  assert.match((await parley([], {})).out, /release wait/);
  for (const { name, options = {} } of commands) {
    const { code, out } = await parley([...name.split(" "), "--help"], {});
    assert.equal(code, 0);
    for (const option of [...Object.keys(options), "json"]) assert.ok(out.includes(`--${option}`), `${name} ${option}`);
    assert.ok(Math.max(...out.split("\n").map((line) => line.length)) < 160, name);
  }
  const setting = await parley(["release", "db", "--json"], { PARLEY_PROT: "1" });
  assert.deepEqual([setting.code, setting.json().ok], [1, false]);
});

test("the document of the commands has each of them, and each of its checks", () => {
  const read = (name: string) => readFileSync(new URL(`../../../docs/operations/${name}`, import.meta.url), "utf8");
  // Those of the operator API have a page of their own, which its test looks after.
  const own = commands.filter(({ name }) => !operationCommands.some((each) => each.name === name));
  for (const { name } of own) assert.ok(read("commands.md").includes(`| \`parley ${name}\` |`), name);
  const options = commands.find(({ name }) => name === "doctor")?.options ?? {};
  for (const option of Object.keys(options)) assert.ok(read("doctor.md").includes(`\`--${option}`), option);
});

test("the program ends with the exit code of its command, and keeps itself awake while it waits", async () => {
  const env = { PATH, DATABASE_URL: "postgres://a@127.0.0.1:1/b" };
  const child = spawn(process.execPath, [main, "release", "wait", "--timeout-s", "1", "--json"], { env });
  let out = "";
  child.stdout.on("data", (text: Buffer) => (out += text));
  const [code] = (await once(child, "close")) as [number];
  assert.deepEqual([code, JSON.parse(out).ok], [1, false]);
});

test("bash completes commands and their options", async () => {
  const { out } = await parley(["completion", "bash"], {});
  const ask = `${out}\nfor words in "parley rel" "parley release " "parley release wait --t" "parley release wait --timeout-s 5 --j"; do
    [[ $words == *" " ]] && COMP_WORDS=($words "") || COMP_WORDS=($words)
    COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _parley; echo "\${COMPREPLY[*]}"; done`;
  const { stdout } = spawnSync("bash", ["-c", ask], { encoding: "utf8", env: { PATH } });
  const [first, second, third, fourth] = stdout.split("\n");
  assert.equal(first, "release");
  assert.deepEqual(second?.split(" ").toSorted(), ["db", "status", "wait"]);
  assert.deepEqual([third, fourth], ["--timeout-s", "--json"]);
  assert.equal((await parley(["completion", "tcsh"], {})).code, 2);
});
