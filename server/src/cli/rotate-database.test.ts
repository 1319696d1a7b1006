/** G9: the password of the database changes under load without one failed request, and without a restart. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Cluster, startCluster } from "../../../testkit/src/cluster.ts";
import { type Person, registerPerson, request } from "../../../testkit/src/http.ts";
import { temporaryDirectory } from "../../../testkit/src/process.ts";
import { createRoom } from "../../../testkit/src/room.ts";
import { connectOwner } from "../db/database.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../db/embedded.ts";
import { realSeams } from "../seams.ts";
import { rotateDatabase } from "./rotate-database.ts";

const directory = temporaryDirectory();
const file = join(directory.path, "database-url");
const address = pathToFileURL(file).href;
let postgres: EmbeddedPostgres;

async function sql<T extends object>(text: string): Promise<T[]> {
  const client = await connectOwner(postgres.url, "test");
  try {
    return (await client.query<T>(text)).rows;
  } finally {
    await client.end();
  }
}

/** A database whose user has to say a password. */
before(async () => {
  postgres = await startEmbeddedPostgres({ dataDir: join(directory.path, "postgres"), onProgress: () => {} });
  await sql("create role rotator login createrole password 'the first one'");
  await sql("create database rotated owner rotator");
  const [{ hba_file: rules } = { hba_file: "" }] = await sql<{ hba_file: string }>("show hba_file");
  writeFileSync(rules, `local all rotator scram-sha-256\n${readFileSync(rules, "utf8")}`);
  await sql("select pg_reload_conf()");
  const url = postgres.url.replace("//parley@", "//rotator:the%20first%20one@").replace(/\/postgres$/, "/rotated");
  writeFileSync(file, `${url}\n`);
  chmodSync(file, 0o640);
});

after(async () => {
  await postgres.stop();
  directory[Symbol.dispose]();
});

/** Requests at every process without a pause, as many at once as is said at each moment; the failures. */
function startLoad({ gateways }: Cluster, { person, path }: { person: Person; path: string }) {
  const failures: string[] = [];
  const stopping = new AbortController();
  let number = 0;
  const send = async (url: string) => {
    const asked = `${path}/send/m.room.message/n${++number}`;
    const body = { msgtype: "m.text", body: "n" };
    const answers = await Promise.all([
      request(url, "PUT", asked, { token: person.token, body }),
      request(url, "GET", `${path}/messages?dir=b&limit=1`, { token: person.token }),
      request(url, "GET", "/_matrix/client/v3/devices", { token: person.token }),
    ]);
    for (const answer of answers) if (answer.status !== 200) failures.push(JSON.stringify(answer.body));
  };
  const add = async () => {
    while (!stopping.signal.aborted) for (const { url } of gateways) await send(url);
  };
  const running: Promise<void>[] = [];
  return {
    failures,
    grow: (by: number) => void running.push(...Array.from({ length: by }, add)),
    stop: () => (stopping.abort(), Promise.all(running)),
  };
}

test("the password of the database changes under load, connections are made with the new one, and no request fails", async () => {
  await using cluster = await startCluster({
    processes: { all: 2 },
    databaseUrl: address,
    env: { PARLEY_DATABASE_CONNECTIONS: "12" },
  });
  const person = await registerPerson(cluster.gateways[0]?.url as string, "alice");
  const { path } = await createRoom(person);
  const load = startLoad(cluster, { person, path });
  load.grow(1);
  for (const round of [1, 2]) {
    const earlier = readFileSync(file, "utf8");
    const said: string[] = [];
    // Each step meets more load than the one before, so that connections are made in each of them.
    const say = (text: string) => (said.push(text), load.grow(4));
    await rotateDatabase({ address, wait_ms: 700, seams: realSeams, say });
    assert.deepEqual(
      said.map((text) => text.split(":")[0]),
      ["published", "changed", "retired"],
      `round ${round}`,
    );
    const [line, ...others] = readFileSync(file, "utf8").trim().split("\n");
    assert.deepEqual(others, []);
    assert.notEqual(line, earlier.trim());
    assert.ok(said.every((text) => !text.includes(new URL(line as string).password)));
    await assert.rejects(connectOwner(earlier.trim()), /password authentication failed/);
  }
  await load.stop();
  assert.deepEqual(load.failures, []);

  /** An answer for which every connection has to be made anew. */
  const askAnew = async () => {
    await sql("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'rotator'");
    return request(cluster.gateways[0]?.url as string, "GET", "/_matrix/client/v3/devices", person);
  };
  assert.equal((await askAnew()).status, 200);
  // The control: a password that nobody published lets no process in.
  await sql("alter role rotator password 'told to nobody'");
  const { status, body } = await askAnew();
  assert.deepEqual([status, body.errcode], [503, "IO_PARLEY_UNAVAILABLE"]);
});

test("a rotation that was cut short is finished by the next one, from either side of the change", async () => {
  const [line = ""] = readFileSync(file, "utf8").trim().split("\n");
  const other = line.replace(/:[^:@/]*@/, ":another@");
  for (const used of ["another", new URL(line).password]) {
    await sql(`alter role rotator password '${used}'`);
    writeFileSync(file, `${line}\n${other}\n`);
    await rotateDatabase({ address, wait_ms: 0, seams: realSeams, say: () => {} });
    await (await connectOwner(address)).end();
    assert.equal(readFileSync(file, "utf8").trim().split("\n").length, 1);
  }
});

/** The command as an operator gives it. */
function parley(args: readonly string[], env: Record<string, string>) {
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const { PATH = "" } = process.env;
  return spawnSync(process.execPath, [main, ...args], { encoding: "utf8", env: { PATH, ...env } });
}

test("the command rotates, says each step and no password, and refuses what it can not do with one sentence", () => {
  const { status, stdout, stderr } = parley(["rotate", "database", "--wait-s", "1"], { DATABASE_URL: address });
  assert.deepEqual([status, stderr], [0, ""]);
  assert.match(stdout, /published.*\nchanged.*\nretired/);
  assert.ok(!stdout.includes(new URL(readFileSync(file, "utf8").trim()).password));
  for (const [args, env, expected, code] of [
    [["rotate", "database"], {}, /embedded database asks for no password/, 1],
    [["rotate", "database"], { DATABASE_URL: "postgres://a:hunter2@127.0.0.1/b" }, /put the address into a file/, 1],
    [["rotate", "database"], { DATABASE_URL: "file:///nowhere" }, /can not be read/, 1],
    [["rotate", "moon"], {}, /There is no command "rotate moon"/, 2],
    [["rotate", "database", "--wait-s", "soon"], {}, /--wait-s soon/, 2],
  ] as const) {
    const refused = parley(args, { ...env });
    assert.equal(refused.status, code);
    assert.match(refused.stderr, expected);
    assert.ok(!refused.stderr.includes("hunter2"));
  }
});
