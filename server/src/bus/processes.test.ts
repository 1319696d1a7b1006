/** Who may run beside whom on one database. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { failToStart, startProcess, temporaryDirectory } from "../../../testkit/src/process.ts";
import { createTestDatabase, startTestServer } from "../../../testkit/src/server.ts";
import { soonFound } from "../../../testkit/src/wait.ts";
import type { Config } from "../config.ts";
import { connectOwner } from "../db/database.ts";
import { StartError } from "../errors.ts";
import { limits } from "../limits.ts";
import { createLogger, type Logger } from "../logger.ts";
import { realSeams } from "../seams.ts";
import { joinProcesses, type ProcessesOptions } from "./processes.ts";

const database = await createTestDatabase();

function joinAs(bus: string, changes: Partial<ProcessesOptions> = {}) {
  const alone = bus === "memory" ? "PARLEY_BUS=memory" : undefined;
  const about = { url: database.url, version: "1", roles: ["gateway", "web"], seams: realSeams };
  return joinProcesses({ ...about, logger: createLogger("silent"), bus, alone, ...changes });
}

test("processes that hear each other run side by side, and each sees all of them until it leaves", async () => {
  const one = await joinAs("redis");
  const two = await joinAs("redis", { version: "2", roles: ["auth"] });
  const seen = await one.list();
  assert.deepEqual(
    seen.map(({ version, roles, bus }) => [version, roles, bus]),
    [
      ["1", "gateway,web", "redis"],
      ["2", "auth", "redis"],
    ],
  );
  await two.leave();
  assert.equal((await one.list()).length, 1);
  await one.leave();
});

test("a process that nobody hears is refused beside another, and refuses others, with what to do", async () => {
  const shared = await joinAs("postgresql");
  await assert.rejects(joinAs("memory"), (error: Error) => {
    assert.ok(error instanceof StartError);
    assert.match(
      error.message,
      /^Another replica runs .*roles gateway,web, bus postgresql.*PARLEY_BUS=memory.*stop it, or set .*\.$/,
    );
    return true;
  });
  await shared.leave();
  const alone = await joinAs("memory");
  await assert.rejects(joinAs("memory"), /^StartError: Another replica runs on this database/);
  await assert.rejects(
    joinAs("nats"),
    /^StartError: A replica that others can not hear .*bus memory.*PARLEY_BUS=nats: stop it/,
  );
  await alone.leave();
  await (await joinAs("nats")).leave();
});

test("a server that keeps for itself what others must share refuses a second one, whichever setting says so", async (t) => {
  t.mock.property(limits, "replicaWait_ms", 1 as never);
  await using shared = await createTestDatabase();
  const alone: Record<string, (config: Config) => Partial<Config>> = {
    "PARLEY_BUS=memory": () => ({ bus: "memory" }),
    "PARLEY_EPHEMERAL=memory": () => ({ ephemeral: "memory" }),
    "SESSION_STORAGE_TYPE=memory": () => ({ sessionStorage: "memory" }),
    "CREDENTIAL_STORAGE_TYPE=json_file": ({ explorer }) => ({
      explorer: { ...explorer, credentials: { type: "json_file", path: undefined, isShared: false } },
    }),
  };
  await using first = await startTestServer({ databaseUrl: shared.url });
  for (const [setting, settings] of Object.entries(alone))
    await assert.rejects(
      startTestServer({ databaseUrl: shared.url, config: settings(first.ctx.config) }),
      (error: Error) => error instanceof StartError && error.message.includes(`with ${setting} `),
      setting,
    );
});

test("another bus is no refusal, and is warned of", async () => {
  const warnings: string[] = [];
  const logger = {
    ...createLogger("silent"),
    warn: (_: object, text: string) => warnings.push(text),
  } as unknown as Logger;
  const one = await joinAs("redis", { logger });
  const two = await joinAs("nats", { logger });
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /another bus/);
  await Promise.all([one.leave(), two.leave()]);
});

test("a start waits a moment for a process that is about to end", async () => {
  const before = await joinAs("memory");
  const [after] = await Promise.all([joinAs("memory"), before.leave()]);
  assert.equal((await after.list()).length, 1);
  await after.leave();
});

test("the place of a process whose connection was cut is free at once, and it takes it again by itself", async () => {
  const one = await joinAs("redis");
  const owner = await connectOwner(database.url);
  const cut = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'parley process'";
  await owner.query(cut);
  // Its row is there, and not its lock: it counts as dead until it is back, under another number.
  await soonFound("it has its place again", async () => (await one.list().catch(() => [])).length > 0);
  assert.equal((await owner.query("select from log.processes")).rowCount, 1, "the row of before is gone");
  await owner.end();
  await assert.rejects(joinAs("memory"), StartError);
  await one.leave();
});

test("two real processes on one database: the second is refused while the first is in memory, and runs when that was killed", async () => {
  using directory = temporaryDirectory();
  const settings = { DATABASE_URL: database.url, PARLEY_DATA_DIR: join(directory.path, "b") };
  const first = await startProcess(join(directory.path, "a"), { DATABASE_URL: database.url, PARLEY_BUS: "memory" });
  const refused = await failToStart(settings);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /A replica that others can not hear runs on this database/);
  await first.end("SIGKILL");
  await using second = await startProcess(join(directory.path, "b"), { DATABASE_URL: database.url });
  assert.ok(second.pid > 0);
});

test("whether others have a setting is told by those who have got beyond their own start, and by nothing of its value", async () => {
  const about = { host: "", connections: 1, shared: () => ({ REDIS_URL: "redis://:hunter2@here" }), position: () => 7 };
  const own = await joinAs("redis", { about: { ...about, position: () => undefined } });
  assert.equal(await own.isShared("REDIS_URL"), false);
  const starting = await joinAs("redis", { about: { ...about, position: () => undefined } });
  assert.equal(await own.isShared("REDIS_URL"), false);
  const elsewhere = await joinAs("redis", { about: { ...about, shared: () => ({ REDIS_URL: "redis://there" }) } });
  assert.equal(await own.isShared("REDIS_URL"), false);
  const running = await joinAs("redis", { about });
  assert.equal(await own.isShared("REDIS_URL"), true);
  assert.equal(JSON.stringify(await own.list()).includes("hunter2"), false);
  for (const each of [own, starting, elsewhere, running]) await each.leave();
});
