/** The command as a whole: what it prints, how it ends, how it refuses to start, and what a killed one has kept. */
import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { test } from "node:test";
import { registerPerson, request } from "../../testkit/src/http.ts";
import { doubled, lost, reordered } from "../../testkit/src/log/check.ts";
import { seeded, seedOfRun } from "../../testkit/src/log/random.ts";
import { createRoom } from "../../testkit/src/room.ts";
import {
  type Env,
  failToStart,
  type ParleyProcess,
  startProcess,
  temporaryDirectory,
} from "../../testkit/src/process.ts";
import { createTestDatabase } from "../../testkit/src/server.ts";
import { type Found, readMessages, startWriting, type Writer } from "../../testkit/src/writers.ts";
import { connectOwner } from "./db/database.ts";
import { isGoneWithin } from "./db/embedded/processes.ts";

const ADMIN = "/_parley/v1/registration_tokens";

function registerWith(url: string, username: string, token: string) {
  const auth = { type: "m.login.registration_token", token };
  return request(url, "POST", "/_matrix/client/v3/register", { body: { username, password: "a long secret", auth } });
}

test("the link that the first start prints makes the first administrator, once, and then no start prints one", async () => {
  using directory = temporaryDirectory();
  const settings = { PARLEY_REGISTRATION: "off" };
  {
    await using parley = await startProcess(join(directory.path, "data"), settings);
    assert.match(parley.url, /^http:\/\/localhost:\d+$/);
    assert.ok(parley.link?.startsWith(`${parley.url}/register?token=`), parley.link);
    const token = new URL(parley.link as string).searchParams.get("token") ?? "";
    const made = await registerWith(parley.url, "root", token);
    assert.equal(made.status, 200);
    const admin = await request(parley.url, "POST", ADMIN, { token: made.body.access_token, body: {} });
    assert.equal(admin.status, 200, "who registered through the link is an administrator");
    assert.notEqual((await registerWith(parley.url, "second", token)).status, 200);
  }
  await using again = await startProcess(join(directory.path, "data"), settings);
  assert.equal(again.link, undefined);
});

test("what nobody expected ends it with code 1, and the last line of its log says what it was", async () => {
  using directory = temporaryDirectory();
  const plant = 'process.once("SIGUSR2", () => void Promise.reject(new Error("planted")))';
  const settings = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(plant)}` };
  const parley = await startProcess(join(directory.path, "data"), settings);
  const pid = parley.databasePid();
  const { code, stderr } = await parley.end("SIGUSR2");
  assert.equal(code, 1);
  const { level, err } = JSON.parse(stderr.trimEnd().split("\n").at(-1) as string);
  assert.deepEqual([level, err.message], [60, "planted"]);
  assert.ok(await isGoneWithin(pid, PROMPT_MS), "its database is gone with it");
});

/** Longer than a stop that waits for nobody, and shorter than the deadline for requests in flight. */
const PROMPT_MS = 4_000;

test("SIGINT and SIGTERM end it at once, with code 0, without a word of complaint and without a process left", async () => {
  using directory = temporaryDirectory();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const parley = await startProcess(join(directory.path, "data"));
    const alice = await registerPerson(parley.url, `of-${signal.toLowerCase()}`);
    // Neither a sync that waits holds it up, nor a connection that a browser opened in advance.
    const { next_batch } = await alice.call("GET", "/_matrix/client/v3/sync");
    const waiting = alice.ask("GET", `/_matrix/client/v3/sync?timeout=30000&since=${next_batch}`).catch(() => {});
    const spare = connect(Number(new URL(parley.url).port), "127.0.0.1").on("error", () => {});
    await once(spare, "connect");
    const database = parley.databasePid();
    const asked_ms = performance.now();
    const { code, stderr } = await parley.end(signal);
    assert.ok(performance.now() - asked_ms < PROMPT_MS, `it took ${performance.now() - asked_ms} ms to stop`);
    await waiting;
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" }, signal);
    assert.ok(await isGoneWithin(database, 0), `PostgreSQL outlived ${signal}`);
  }
});

/** Each way to fail says one line, which names what is wrong, and nothing of the code. */
async function assertRefusal(env: Env, expected: RegExp): Promise<string> {
  const { code, stderr } = await failToStart(env);
  const lines = stderr.trim().split("\n");
  assert.equal(code, 1, stderr);
  assert.equal(lines.length, 1, stderr);
  assert.match(lines[0] as string, expected);
  assert.match(lines[0] as string, /^[A-Z].*[.]$/, "it is a sentence");
  return stderr;
}

test("a setting that is unknown or wrong stops the start with a sentence that names it", async () => {
  await Promise.all([
    assertRefusal({ PARLEY_PROT: "8008" }, /PARLEY_PROT\b.*PARLEY_PORT\b/),
    assertRefusal({ PARLEY_PORT: "eighty" }, /PARLEY_PORT is "eighty".*whole number/),
    assertRefusal({ PARLEY_REGISTRATION: "maybe" }, /PARLEY_REGISTRATION is "maybe".*open, token or off/),
    assertRefusal({ PARLEY_SERVER_NAME: "a server" }, /PARLEY_SERVER_NAME is "a server"/),
    assertRefusal({ ROLES: "all,cook" }, /ROLES is "all,cook"/),
  ]);
});

test("a bad DATABASE_URL is never repeated: it may hold a password", async () => {
  const stderr = await assertRefusal({ DATABASE_URL: "mysql://u:hunter2@host/db" }, /DATABASE_URL is not valid/);
  assert.doesNotMatch(stderr, /hunter2/);
});

test("a taken port, a database that is not there and one of a newer version each stop the start with a sentence", async () => {
  await using database = await createTestDatabase();
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as { port: number };
  await assertRefusal(
    { PARLEY_PORT: `${port}`, DATABASE_URL: database.url },
    new RegExp(`Port ${port}\\b.*PARLEY_PORT`),
  );
  taken.close();

  const nowhere = "postgres://parley:hunter2@127.0.0.1:1/parley";
  assert.doesNotMatch(await assertRefusal({ DATABASE_URL: nowhere }, /can not be reached.*DATABASE_URL/), /hunter2/);

  const owner = await connectOwner(database.url);
  await owner.query("insert into parley.migrations (schema, number, name) values ('rooms', 9999, '9999_of_tomorrow')");
  await owner.end();
  await assertRefusal({ DATABASE_URL: database.url }, /newer Parley.*9999_of_tomorrow/);
});

test("a data directory serves one process at a time", async () => {
  using directory = temporaryDirectory();
  const dataDir = join(directory.path, "data");
  await using parley = await startProcess(dataDir);
  await assertRefusal({ PARLEY_DATA_DIR: dataDir }, new RegExp(`process ${parley.pid}\\b.*PARLEY_DATA_DIR`));
});

/** Kills the server, its database, or both; gives the process that serves after that. */
async function killed(parley: ParleyProcess, what: "server" | "database" | "both"): Promise<ParleyProcess> {
  if (what !== "server") process.kill(parley.databasePid(), "SIGKILL");
  // A server whose database died has it started again.
  if (what === "database") return parley;
  await parley.end("SIGKILL");
  return startProcess(parley.dataDir);
}

test("G1, G2, G3: whatever is killed while people write, each message is there once, in order, and none is lost", async (t) => {
  const seed = seedOfRun();
  t.diagnostic(`PARLEY_TEST_SEED=${seed}`);
  const random = seeded(seed);
  using directory = temporaryDirectory();
  let parley = await startProcess(join(directory.path, "data"));
  await using ending = new AsyncDisposableStack();
  ending.defer(() => parley[Symbol.asyncDispose]());
  const writers: Writer[] = [];
  for (const name of ["alice", "bob"]) {
    const person = await registerPerson(parley.url, name);
    const { id: roomId } = await createRoom(person);
    writers.push({ person, roomId }, { person, roomId });
  }
  using writing = startWriting(writers, () => parley.url, random.next);
  for (const what of ["both", "server", "database"] as const) {
    await writing.acknowledged(20 + random.below(50));
    await wait(random.below(30));
    parley = await killed(parley, what);
  }
  await writing.acknowledged(20);
  await writing.finish();
  const found: Found[] = [];
  for (const writer of [writers[0], writers[2]] as Writer[]) found.push(...(await readMessages(parley.url, writer)));

  const copies = Map.groupBy(found, (message) => message.body);
  const attempts = new Map([...copies].map(([key, messages]) => [key, messages.map((each) => each.eventId)]));
  assert.deepEqual(lost(writing.sent, found), []);
  assert.deepEqual(doubled(writing.sent, attempts, found), []);
  assert.deepEqual(reordered(writing.sent, found), []);
  assert.equal(found.length, writing.sent.length);
  assert.ok(writing.sent.every((message) => message.answers.length > 1));
});
