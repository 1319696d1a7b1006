import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import pg from "pg";
import { closedTo, isRoot } from "./embedded/account.ts";
import { takeLock } from "./embedded/lock.ts";
import { birthOf, isGoneWithin } from "./embedded/processes.ts";
import { defaultDataDir, startEmbeddedPostgres, type EmbeddedPostgresOptions } from "./embedded.ts";

const scratch = mkdtempSync(join(tmpdir(), "parley-embedded-"));
chmodSync(scratch, 0o755);
after(() => rmSync(scratch, { recursive: true, force: true }));

let directories = 0;
function newDirectory(): string {
  return join(scratch, `d${++directories}`);
}

/** Durable, as in production: these tests kill it. */
function start(dataDir: string, options: Partial<EmbeddedPostgresOptions> = {}) {
  return startEmbeddedPostgres({ dataDir, onProgress: () => {}, ...options });
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url);
  // A connection that is cut by a killed server says so twice; the awaited query is the one that counts.
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

/** A Parley that starts the database, writes a line, and then does what `ending` says. It prints the postmaster's pid. */
async function startElsewhere(dataDir: string, ending: string): Promise<{ child: ChildProcess; postmaster: number }> {
  const program = `
    import { startEmbeddedPostgres } from ${JSON.stringify(import.meta.resolve("./embedded.ts"))};
    const db = await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)}, onProgress: () => {} });
    process.stdout.write(db.pid + "\\n");
    const idle = setInterval(() => {}, 1000);
    ${ending}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [chunk] = (await once(child.stdout, "data")) as [Buffer];
  return { child, postmaster: Number(chunk.toString()) };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

test("what was committed is there at the next start", async () => {
  const dataDir = newDirectory();
  {
    await using first = await start(dataDir);
    await query(first.url, "create table t as select 7 as n");
  }
  await using second = await start(dataDir);
  assert.deepEqual(await query(second.url, "select n from t"), [{ n: 7 }]);
});

test("commits are durable: fsync, synchronous_commit and full_page_writes are on", async () => {
  await using db = await start(newDirectory());
  const names = "('fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums')";
  const rows = await query(db.url, `select name, setting from pg_settings where name in ${names}`);
  assert.equal(rows.length, 4);
  for (const row of rows) assert.equal(row["setting"], "on", String(row["name"]));
});

test("the address works for other roles too, and stop is idempotent", async () => {
  const db = await start(newDirectory());
  await query(db.url, "create role rooms login");
  const rows = await query(db.url.replace("//parley@", "//rooms@"), "select current_user::text as name");
  assert.deepEqual(rows, [{ name: "rooms" }]);
  await db.stop();
  await db.stop();
  assert.equal(birthOf(db.pid), undefined);
});

test("a Parley that is killed leaves a database that the next start stops, and nothing is lost", async () => {
  const dataDir = newDirectory();
  const { child, postmaster } = await startElsewhere(dataDir, "");
  const url = `postgres://parley@${encodeURIComponent(join(dataDir, "socket"))}:5432/postgres`;
  await query(url, "create table t as select 8 as n");
  child.kill("SIGKILL");
  await ended(child);
  assert.notEqual(birthOf(postmaster), undefined, "the database outlives a SIGKILL of its parent");
  const said: string[] = [];
  await using db = await start(dataDir, { onProgress: (text) => said.push(text) });
  assert.equal(birthOf(postmaster), undefined);
  assert.match(said.join("\n"), new RegExp(`left behind \\(process ${postmaster}\\)`));
  assert.deepEqual(await query(db.url, "select n from t"), [{ n: 8 }]);
});

test("when both are killed the next start recovers, and nothing is lost", async () => {
  const dataDir = newDirectory();
  const { child, postmaster } = await startElsewhere(dataDir, "");
  const url = `postgres://parley@${encodeURIComponent(join(dataDir, "socket"))}:5432/postgres`;
  await query(url, "create table t as select 9 as n");
  child.kill("SIGKILL");
  process.kill(postmaster, "SIGKILL");
  await ended(child);
  await using db = await start(dataDir);
  assert.deepEqual(await query(db.url, "select n from t"), [{ n: 9 }]);
});

test("a database that is killed under a living Parley comes back at the same address with all its data", async () => {
  const said: string[] = [];
  await using db = await start(newDirectory(), { onProgress: (text) => said.push(text) });
  said.length = 0;
  await query(db.url, "create table t as select 10 as n");
  const killed = db.pid;
  process.kill(killed, "SIGKILL");
  await isGoneWithin(killed, 5_000);
  const rows = await eventually(() => query(db.url, "select n from t"));
  assert.deepEqual(rows, [{ n: 10 }]);
  assert.notEqual(db.pid, killed);
  assert.match(said.join("\n"), /ended though nobody stopped it/);
});

async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}

test("one directory has one Parley: the second start stops with a sentence that names the first", async () => {
  const dataDir = newDirectory();
  await using db = await start(dataDir);
  await assert.rejects(start(dataDir), {
    name: "StartError",
    message: `Another Parley (process ${process.pid}) is using ${dataDir}: stop it first, or set PARLEY_DATA_DIR to another directory.`,
  });
  assert.equal((await query(db.url, "select 1 as one")).length, 1, "the first is not disturbed");
});

test("the lock of a living process holds, that of a dead one is swept away", async () => {
  const directory = newDirectory();
  mkdirSync(directory);
  const parent = join(directory, `owner-${process.ppid}-${birthOf(process.ppid)}.lock`);
  writeFileSync(parent, "");
  assert.deepEqual(await takeLock(directory), { heldBy: process.ppid });
  rmSync(parent);
  // The process id lives, but it is another process by now: its birth differs.
  writeFileSync(join(directory, `owner-${process.ppid}-another-birth.lock`), "");
  const lock = await takeLock(directory);
  assert.ok("release" in lock);
  assert.equal(readdirSync(directory).length, 1);
  lock.release();
  assert.deepEqual(readdirSync(directory), []);
});

for (const [how, ending, signal] of [
  ["by itself", "clearInterval(idle);", undefined],
  ["by process.exit", "process.exit(3);", undefined],
  ["by an uncaught error", "throw new Error('oh');", undefined],
  ["by SIGINT", "", "SIGINT"],
  ["by SIGTERM", "", "SIGTERM"],
  ["by SIGHUP", "", "SIGHUP"],
] as const) {
  test(`when Parley ends ${how} the database ends too`, async () => {
    const { child, postmaster } = await startElsewhere(newDirectory(), ending);
    if (signal) child.kill(signal);
    await ended(child);
    assert.equal(child.signalCode, signal ?? null, "the signal still means what it means");
    assert.ok(await isGoneWithin(postmaster, 5_000), "the database has ended");
  });
}

test("a signal that someone else listens to does not end the database", async () => {
  const ending = `process.on("SIGTERM", async () => { await db.stop(); process.stdout.write("drained"); process.exit(0); });`;
  const { child } = await startElsewhere(newDirectory(), ending);
  child.kill("SIGTERM");
  const [chunk] = (await once(child.stdout!, "data")) as [Buffer];
  await ended(child);
  assert.equal(chunk.toString(), "drained");
  assert.equal(child.exitCode, 0);
});

test("Ctrl-C in a terminal does not reach the database: it has a process group of its own", async () => {
  await using db = await start(newDirectory());
  const { stdout } = spawnSync("ps", ["-o", "pgid=", "-p", String(db.pid)], { encoding: "utf8" });
  assert.equal(Number(stdout.trim()), db.pid);
});

test("a data directory of another PostgreSQL is refused with the way out", async () => {
  const dataDir = newDirectory();
  mkdirSync(join(dataDir, "pgdata"), { recursive: true });
  writeFileSync(join(dataDir, "pgdata", "PG_VERSION"), "16\n");
  await assert.rejects(
    start(dataDir),
    /was made by PostgreSQL 16 and this Parley brings PostgreSQL \d+: .*DATABASE_URL/,
  );
});

test("a directory that is no database is refused, not overwritten", async () => {
  const dataDir = newDirectory();
  mkdirSync(join(dataDir, "pgdata"), { recursive: true });
  await assert.rejects(start(dataDir), /is not a PostgreSQL data directory/);
  assert.deepEqual(readdirSync(dataDir), ["pgdata"]);
});

test("a creation that was cut off is done again from the beginning", async () => {
  const dataDir = newDirectory();
  mkdirSync(join(dataDir, "pgdata.unfinished", "base"), { recursive: true });
  await using db = await start(dataDir);
  assert.ok(db.pid > 0);
  assert.equal(existsSync(join(dataDir, "pgdata.unfinished")), false);
});

test("a start that is called off rejects with the reason and leaves neither process nor lock", async () => {
  const dataDir = newDirectory();
  const calledOff = new AbortController();
  const onProgress = () => calledOff.abort(new Error("changed my mind"));
  await assert.rejects(start(dataDir, { onProgress, signal: calledOff.signal }), /changed my mind|aborted/);
  await using db = await start(dataDir);
  assert.ok(db.pid > 0);
});

test("a setting that PostgreSQL refuses is told in its words", async () => {
  await assert.rejects(start(newDirectory(), { settings: { shared_buffers: "none" } }), {
    name: "StartError",
    message: /^The database did not start: invalid value for parameter "shared_buffers": "none"/,
  });
});

test("a data directory with a long name has its socket elsewhere", async () => {
  const dataDir = join(newDirectory(), "a-long-name".repeat(10));
  const db = await start(dataDir);
  const socket = decodeURIComponent(new URL(db.url).hostname);
  assert.ok(socket.length < 90, socket);
  assert.equal((await query(db.url, "select 1 as one")).length, 1);
  await db.stop();
  assert.equal(existsSync(socket), false);
});

test(
  "other accounts of the machine get neither to the files nor into the database",
  { skip: !isRoot() && "needs root" },
  async () => {
    await using db = await start(newDirectory());
    const socket = decodeURIComponent(new URL(db.url).hostname);
    const { uid, gid } = { uid: 65_534, gid: 65_534 };
    const tryTo = (program: string) => spawnSync(process.execPath, ["-e", program], { uid, gid, cwd: "/" }).status;
    assert.equal(tryTo(`require("fs").readdirSync("/")`), 0, "the other account can run programs");
    assert.notEqual(tryTo(`require("fs").readdirSync(${JSON.stringify(socket)})`), 0);
    const address = JSON.stringify(join(socket, ".s.PGSQL.5432"));
    assert.notEqual(tryTo(`require("net").connect(${address}).on("connect", () => process.exit(0))`), 0);
  },
);

test(
  "as root, PostgreSQL's own account is not let in as a superuser",
  { skip: !isRoot() && "needs root" },
  async () => {
    await using db = await start(newDirectory());
    const { stdout } = spawnSync("ps", ["-o", "uid=", "-p", String(db.pid)], { encoding: "utf8" });
    const uid = Number(stdout.trim());
    assert.notEqual(uid, 0);
    const program = `
    const pg = require(${JSON.stringify(new URL(import.meta.resolve("pg")).pathname.replace("/esm/index.mjs", ""))});
    new pg.Client(${JSON.stringify(db.url)}).connect().then(() => process.exit(0), (e) => { console.error(e.message); process.exit(9); });`;
    const { status, stderr } = spawnSync(process.execPath, ["-e", program], { uid, cwd: "/", encoding: "utf8" });
    assert.equal(status, 9, stderr);
    assert.match(stderr, /Peer authentication failed/);
  },
);

test(
  "as root, a directory that the database's account cannot reach is refused with the way out",
  { skip: !isRoot() && "needs root" },
  async () => {
    const closed = newDirectory();
    mkdirSync(closed, { mode: 0o700 });
    const dataDir = join(closed, "data", "postgres");
    await assert.rejects(
      start(dataDir),
      new RegExp(`${closed} is closed to that account: .*PARLEY_DATA_DIR.* "chmod o\\+x ${closed}"`),
    );
  },
);

test(
  "the data is in the checkout, or for root in /var/lib/parley when the checkout is closed",
  { skip: !isRoot() && "needs root" },
  () => {
    const open = newDirectory();
    mkdirSync(join(open, "parley"), { recursive: true });
    assert.equal(defaultDataDir(join(open, "parley")), join(open, "parley", "data"));
    chmodSync(open, 0o700);
    assert.match(defaultDataDir(join(open, "parley")), /^\/var\/lib\/parley\/parley-[0-9a-f]{8}$/);
  },
);

test("the outermost closed directory is found by owner, group and mode", { skip: !isRoot() && "needs root" }, () => {
  const directory = newDirectory();
  mkdirSync(join(directory, "inner"), { recursive: true });
  const account = { name: "someone", uid: 12_345, gid: 12_345 };
  assert.equal(closedTo(account, join(directory, "inner")), undefined);
  chmodSync(join(directory, "inner"), 0o700);
  assert.equal(closedTo(account, join(directory, "inner")), join(directory, "inner"));
  chmodSync(directory, 0o750);
  assert.equal(closedTo(account, join(directory, "inner")), directory);
  assert.equal(closedTo({ ...account, gid: 0 }, directory), undefined);
});
