/** Each thing that the doctor finds, planted for real; and an installation with which nothing is wrong. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { createServer as createHttp } from "node:http";
import { createServer as createTcp, connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { sql } from "../../../testkit/src/command.ts";
import { examine as examineWith, expectOnly } from "../../../testkit/src/doctor.ts";
import { registerPerson } from "../../../testkit/src/http.ts";
import { listening } from "../../../testkit/src/listening.ts";
import { temporaryDirectory } from "../../../testkit/src/process.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { openTcpProxy, type TcpProxy } from "../../../testkit/src/tcp-proxy.ts";
import { connectOwner, openDatabase } from "../db/database.ts";
import { judge } from "./doctor/disk.ts";
import { durability } from "./doctor/durability.ts";
import type { Patient } from "./doctor/finding.ts";

const directory = temporaryDirectory();
after(() => directory[Symbol.dispose]());

let server: TestServer;
/** In front of the server: what its public address leads to. */
let front: TcpProxy;
let env: Record<string, string>;

before(async () => {
  front = await openTcpProxy(() => ({ port: Number(new URL(server.url).port) }));
  server = await startTestServer({ config: { publicUrl: `http://127.0.0.1:${front.port}` } });
  const publicUrl = `http://127.0.0.1:${front.port}`;
  env = {
    DATABASE_URL: server.databaseUrl,
    PARLEY_DATA_DIR: server.dataDir,
    PARLEY_PUBLIC_URL: publicUrl,
    PARLEY_REGISTRATION: "open",
    PARLEY_RATE_LIMITS: "off",
  };
});

after(async () => {
  await server.stop();
  await front.close();
});

/** This installation, with other settings. */
const examine = (changes: Record<string, string> = {}, options: readonly string[] = []) =>
  examineWith({ ...env, ...changes }, options);

const change = (text: string) => sql(server.databaseUrl, text);

test("nothing is wrong with a sound installation, and every check says so", async () => {
  const { code, bad, findings } = await examine();
  assert.deepEqual([code, bad], [0, []]);
  assert.ok(new Set(findings.map(({ check }) => check)).size >= 14);
});

test("wrong settings, and a database that is away, are findings like others", async () => {
  const wrong = await examine({ PARLEY_BUS: "kafka" });
  assert.deepEqual(
    [wrong.code, wrong.bad[0]?.check, /PARLEY_BUS/.test(wrong.bad[0]?.says ?? "")],
    [1, "settings", true],
  );
  const away = await examine({ DATABASE_URL: "postgres://a:hunter2@127.0.0.1:1/b" });
  assert.deepEqual([away.code, away.bad[0]?.check], [1, "database"]);
  assert.ok(!JSON.stringify(away).includes("hunter2"));
  // The owner gets in, and those who serve do not.
  const serving = new URL(server.databaseUrl);
  serving.username = "nobody_here";
  const refused = await examine({ DATABASE_OWNER_URL: server.databaseUrl, DATABASE_URL: serving.href });
  assert.deepEqual(
    [refused.code, refused.bad.map(({ check }) => check)],
    [1, ["database"]],
    JSON.stringify(refused.bad, null, 1),
  );
  assert.match(refused.bad[0]?.says ?? "", /processes do not get in: .*nobody_here/);
  assert.match((await examine({}, ["--accept", "moon"])).error ?? "", /the checks are durability, /);
});

test("commits that do not wait for the disk: as PostgreSQL's default a warning, on Parley's own connections a failure", async () => {
  const name = new URL(server.databaseUrl).pathname.slice(1);
  await change(`alter database ${name} set synchronous_commit = off`);
  try {
    expectOnly({ check: "durability", state: "warning", says: /synchronous_commit = off/ }, await examine());
    assert.equal((await examine({}, ["--strict"])).code, 1);
    // A pooler that drops the options of a connection.
    const owner = await connectOwner(server.databaseUrl);
    const db = openDatabase({ url: server.databaseUrl, connections: 1, onError: () => {} });
    const dropping = { ...db, log: { ...db.log, one: async (text: string) => (await owner.query(text)).rows[0] } };
    const [finding] = await durability.look({ owner, db: dropping } as unknown as Patient);
    await Promise.all([owner.end(), db.close()]);
    assert.deepEqual([finding?.state, /people were told are sent/.test(finding?.says ?? "")], ["failure", true]);
  } finally {
    await change(`alter database ${name} reset synchronous_commit`);
  }
});

test("a schema that is behind or ahead, rights that are not set, and another server name are failures", async () => {
  const plant = async ([damage, undo]: readonly [string, string], says: RegExp, changes = {}) => {
    await change(damage);
    const found = await examine(changes);
    await change(undo);
    const only = found.bad.filter(({ check }) => check === "schema");
    assert.deepEqual([found.code, only.length, only[0]?.state], [1, 1, "failure"], damage);
    assert.match(only[0]?.says ?? "", says);
  };
  const row = "('log', 7, '0007_behind', 3, now())";
  await plant(
    [
      "delete from parley.migrations where schema = 'log' and number = 7",
      `insert into parley.migrations (schema, number, name, compatible_since, granted_at) values ${row}`,
    ],
    /behind this version: it lacks log\/0007_behind/,
  );
  await plant(
    [
      "insert into parley.migrations (schema, number, name) values ('log', 9999, '9999_future')",
      "delete from parley.migrations where number = 9999",
    ],
    /newer Parley.*9999_future/,
  );
  const all = "update parley.migrations set granted_at =";
  await plant([`${all} null where schema = 'auth'`, `${all} now()`], /rights of the last migration/);
  await plant(["select 1", "select 1"], /belongs to the server "localhost"/, { PARLEY_SERVER_NAME: "example.org" });
});

test("a bus, a queue and a store of presence that can not be reached are failures, and no password is shown", async () => {
  const nobody = "user:hunter2@127.0.0.1:1";
  const cases: [Record<string, string>, string][] = [
    [{ PARLEY_BUS: "redis", REDIS_URL: `redis://${nobody}` }, "bus"],
    [{ PARLEY_BUS: "nats", NATS_URL: `nats://${nobody}` }, "bus"],
    [{ PARLEY_BUS: "rabbitmq", RABBITMQ_URL: `amqp://${nobody}` }, "bus"],
    [{ PARLEY_QUEUE: "rabbitmq", RABBITMQ_URL: `amqp://${nobody}` }, "queue"],
    [{ PARLEY_EPHEMERAL: "redis", REDIS_URL: `redis://${nobody}` }, "presence"],
  ];
  for (const [changes, check] of cases) {
    const { code, bad } = await examine(changes);
    const found = bad.filter((each) => each.check === check);
    assert.deepEqual(
      [code, found.map(({ state }) => state)],
      [1, ["failure"]],
      `${JSON.stringify(changes)} ${JSON.stringify(bad)}`,
    );
    assert.ok(!JSON.stringify(bad).includes("hunter2"));
  }
});

test("messages that are dead in a queue are a warning", async () => {
  await change("insert into queue.dead values (1, 'chat.messages', '{}', 5, 'why')");
  const { bad } = await examine({ PARLEY_QUEUE: "postgresql" });
  assert.deepEqual(
    bad.map(({ check, state }) => [check, state]),
    [
      ["shared settings", "warning"],
      ["queue", "warning"],
    ],
  );
  await change("delete from queue.dead");
});

test("a store of files that takes none is a failure, where there are any", async () => {
  const dataDir = mkdtempSync(join(directory.path, "data-"));
  writeFileSync(join(dataDir, "media"), "not a folder");
  expectOnly(
    { check: "files", state: "failure", says: /store of files \(filesystem\)/ },
    await examine({ PARLEY_DATA_DIR: dataDir }),
  );
  const { bad } = await examine({ PARLEY_DATA_DIR: dataDir, ROLES: "auth" });
  assert.equal(bad.filter(({ check }) => check === "files").length, 0, JSON.stringify(bad));
});

test("whoever makes archives and has no way to the files is warned of", async () => {
  const found = async (env: Record<string, string>) =>
    (await examine(env)).bad.filter(({ check }) => check === "files").map(({ state, says }) => [state, says]);
  const [[state, says] = []] = await found({ ROLES: "web" });
  assert.equal(state, "warning");
  assert.match(says ?? "", /the archive .* is refused/);
  assert.deepEqual(await found({ ROLES: "web", MEDIA_URL: "http://127.0.0.1:1" }), []);
  assert.deepEqual(await found({ ROLES: "web,media" }), []);
});

test("a disk that is nearly full is a warning, and then a failure", () => {
  const total_bytes = 100e9;
  const states = [50e9, 10e9, 1e9].map((free_bytes) => judge("/data", { free_bytes, total_bytes }).state);
  assert.deepEqual(states, ["ok", "warning", "failure"]);
});

test("a file system that was filled is found", async (t) => {
  const dataDir = join(directory.path, "full");
  mkdirSync(dataDir);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", dataDir]);
  if (mounted.status !== 0) return t.skip("no file system can be mounted here");
  try {
    writeFileSync(join(dataDir, "filling"), Buffer.alloc(1_040_000));
    const { bad } = await examine({ PARLEY_DATA_DIR: dataDir });
    assert.ok(
      bad.some(({ check, state }) => check === "disk" && state === "failure"),
      JSON.stringify(bad),
    );
  } finally {
    spawnSync("umount", [dataDir]);
  }
});

test("connections that would not do for all processes are a warning, and few that are left a failure", async () => {
  const { publicUrl } = server.ctx.config;
  const config = { publicUrl, databaseConnections: 100 };
  await using other = await startTestServer({ databaseUrl: server.databaseUrl, config });
  assert.ok(other.url);
  expectOnly({ check: "connections", state: "warning", says: /2 processes may open \d{4}/ }, await examine());
});

test("a public address that leads nowhere, elsewhere, or lets no WebSocket through is a failure", async () => {
  front.behave("refuse");
  expectOnly({ check: "public address", state: "failure", says: /can not be read/ }, await examine());
  // In a pod, for whose people localhost is another machine.
  const { bad: unsure } = await examine({ PARLEY_PUBLIC_URL: `http://localhost:${front.port}` });
  front.behave("pass");
  const [address] = unsure.filter(({ check }) => check === "public address");
  assert.deepEqual([address?.state, /curl/.test(address?.fix ?? "")], ["warning", true]);
  const elsewhere = server.url;
  const led = await examine({ PARLEY_PUBLIC_URL: elsewhere });
  assert.ok(led.bad.some(({ check, says }) => check === "public address" && /sends clients to/.test(says)));
  const { publicUrl = "" } = server.ctx.config;
  // A proxy that knows no upgrade.
  const proxy = createHttp((request, response) => {
    const body = JSON.stringify({ "m.homeserver": { base_url: `http://${request.headers.host}` } });
    response.setHeader("content-type", "application/json");
    response.end(body);
  });
  await using plain = await listening(proxy);
  const { bad } = await examine({ PARLEY_PUBLIC_URL: `http://127.0.0.1:${plain.port}` });
  assert.ok(
    bad.some(({ check, says }) => check === "public address" && /WebSocket can not be opened/.test(says)),
    publicUrl,
  );
});

test("time-outs in front that are too short for waiting clients are found by a slow look", async () => {
  const { publicUrl } = server.ctx.config;
  const alice = await registerPerson(server.url, "alice");
  const file = join(directory.path, "token");
  writeFileSync(file, `${alice.token}\n`);
  // As a proxy whose read time-out is a second.
  const impatient = createTcp((outer) => {
    const inner = connect(Number(new URL(server.url).port), "127.0.0.1");
    const end = () => (outer.destroy(), inner.destroy());
    for (const each of [outer, inner]) each.on("error", end).on("close", end);
    inner.setTimeout(1_000, end);
    outer.pipe(inner).pipe(outer);
  });
  await using proxy = await listening(impatient);
  const { config } = server.ctx as { config: { publicUrl: string | undefined } };
  config.publicUrl = `http://127.0.0.1:${proxy.port}`;
  try {
    const { bad } = await examine({ PARLEY_PUBLIC_URL: config.publicUrl }, ["--slow", "--token-file", file]);
    const waits = bad.filter(({ check }) => check === "public address");
    assert.deepEqual(
      waits.map(({ state }) => state),
      ["failure", "failure"],
      JSON.stringify(bad, null, 1),
    );
    assert.match(waits[0]?.says ?? "", /WebSocket is cut after [12] s/);
    assert.match(waits[1]?.says ?? "", /sync that waits is cut/);
  } finally {
    config.publicUrl = publicUrl;
  }
});
