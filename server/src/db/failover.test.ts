/** G1, G2: PostgreSQL crashes, or fails over to its synchronous standby, while people write: nothing is lost or doubled. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { lost, doubled, type Sent } from "../../../testkit/src/log/check.ts";
import {
  createPostgres,
  createStandby,
  makeSynchronous,
  type Postgres,
  promote,
  until,
} from "../../../testkit/src/postgres.ts";
import { startProcess, temporaryDirectory } from "../../../testkit/src/process.ts";
import { openTcpProxy } from "../../../testkit/src/tcp-proxy.ts";
import { appendBatch } from "../log/append.ts";
import { appendSurely } from "../log/append-surely.ts";
import type { Submission } from "../log/entry.ts";
import { type Database, openDatabase } from "./database.ts";
import { migrate } from "./migrate.ts";
import { mayHaveRun } from "./outage.ts";

const directory = temporaryDirectory();
let primary: Postgres;
let standby: Postgres;

before(async () => {
  primary = await createPostgres(join(directory.path, "a"));
  await migrate(primary.url);
  standby = await createStandby(primary, { directory: join(directory.path, "b"), name: "b" });
  await makeSynchronous(primary, "b");
});

after(async () => {
  await primary.crash();
  await standby.crash();
  directory[Symbol.dispose]();
});

/** The address of both servers, as libpq writes it. */
function bothUrls(): string {
  const hosts = [primary, standby].map(({ socket }) => `${encodeURIComponent(join(socket, ".."))}:5432`);
  return `postgres://parley@${hosts.join(",")}/postgres`;
}

/** One message; every second one has no transaction id, only its event id. */
function messageOf(key: string, number: number): Submission {
  const eventId = `$${key}`;
  return {
    lane: "!room",
    ...(number % 2 ? { transaction: { session: 1, key, answer: eventId } } : {}),
    entries: [{ kind: "event", room: "!room", user: "@w:test", event_id: eventId, type: "m", ts: 0, body: "{}" }],
  };
}

interface Recorded {
  sent: Sent[];
  attempts: Map<string, string[]>;
}

/** Four writers append one message after the other until they are told to stop; an error is theirs to report. */
async function writeThrough(db: Database, name: string, stop: AbortSignal): Promise<Recorded> {
  const recorded: Recorded = { sent: [], attempts: new Map() };
  const write = async (writer: string) => {
    for (let number = 0; !stop.aborted; number++) {
      const key = `${writer}-${number}`;
      recorded.attempts.set(key, [`$${key}`]);
      await appendSurely(db.log, [messageOf(key, number)]);
      recorded.sent.push({ writer, key, number, answers: [`$${key}`] });
    }
  };
  await Promise.all([0, 1, 2, 3].map((i) => write(`${name}${i}`)));
  return recorded;
}

/** Lets people write, does `fault` in the middle, and gives what they were told and what is in the log. */
async function runThrough(name: string, fault: () => Promise<void>) {
  const db = openDatabase({ url: bothUrls(), connections: 4, onError: () => {} });
  const stop = new AbortController();
  const writing = writeThrough(db, name, stop.signal);
  const enough = async (count: number) => {
    const wanted = (await countOf(db)) + count;
    while ((await countOf(db)) < wanted);
  };
  await Promise.race([writing, enough(50)]);
  await Promise.race([writing, fault().then(() => enough(50))]);
  stop.abort();
  const recorded = await writing;
  const stored = await db.log.query<{ position: number; eventId: string }>(
    `select position, event_id as "eventId" from log.entries order by position`,
  );
  await db.close();
  return { ...recorded, stored };
}

async function countOf(db: Database): Promise<number> {
  return (await db.log.one<{ n: number }>("select count(*)::int as n from log.entries"))?.n ?? 0;
}

test("a crash of PostgreSQL costs writers time: no error, no message lost, none doubled", async () => {
  const { sent, attempts, stored } = await runThrough("crash", async () => {
    await primary.crash();
    await primary.start();
  });
  assert.deepEqual(lost(sent, stored), []);
  assert.deepEqual(doubled(sent, attempts, stored), []);
});

test("an append whose answer is lost is found in the log, with and without a transaction id; alone, nobody would know", async () => {
  await using proxy = await openTcpProxy(() => ({ path: primary.socket }));
  const db = openDatabase({
    url: `postgres://parley@127.0.0.1:${proxy.port}/postgres`,
    connections: 1,
    onError: () => {},
  });
  const loseAnswer = async (act: () => Promise<unknown>) => {
    await db.log.one("select 1");
    const before = await headOf();
    proxy.behave("swallow");
    const acting = act();
    await until("the commit", async () => (await headOf()) > before);
    proxy.behave("pass");
    proxy.cut();
    return acting;
  };
  const batch = [messageOf("lost-1", 1), messageOf("lost-2", 2)];
  await loseAnswer(async () => {
    const { outcomes } = await appendSurely(db.log, batch);
    assert.deepEqual(
      outcomes.map(({ outcome }) => outcome),
      ["repeated", "appended"],
    );
  });
  await loseAnswer(() => assert.rejects(appendBatch(db.log, [messageOf("lost-3", 3)]), mayHaveRun));
  const receipt: Submission = {
    lane: "!room",
    entries: [{ kind: "receipt", room: "!room", user: "@w:test", body: "{}" }],
  };
  await loseAnswer(() => assert.rejects(appendSurely(db.log, [receipt]), mayHaveRun));
  await db.close();
});

async function headOf(): Promise<number> {
  return Number((await primary.query<{ position: string }>("select position from log.head"))[0]?.position);
}

test("a primary that is relieved refuses changes: they are made as soon as some server takes them, and once", async () => {
  const setReadOnly = async (value: string) => {
    await primary.query(`alter system set default_transaction_read_only = '${value}'`);
    await primary.query("select pg_reload_conf()");
  };
  const { sent, attempts, stored } = await runThrough("relieved", async () => {
    await setReadOnly("on");
    await until("the refusal of changes", async () => {
      const refused = primary.query("create table log.refused (n integer)").then(() => false);
      return refused.catch((thrown: { code?: string }) => thrown.code === "25006");
    });
    await setReadOnly("off");
  });
  assert.deepEqual(lost(sent, stored), []);
  assert.deepEqual(doubled(sent, attempts, stored), []);
});

test("a process starts whichever of the servers is named first", async () => {
  const [first, second] = [standby, primary].map(({ socket }) => `${encodeURIComponent(join(socket, ".."))}:5432`);
  using data = temporaryDirectory();
  await using running = await startProcess(data.path, {
    DATABASE_URL: `postgres://parley@${first},${second}/postgres`,
  });
  assert.equal((await fetch(`${running.url}/health/ready`)).status, 200);
});

test("a fail-over to the synchronous standby costs writers time: no error, no message lost, none doubled", async () => {
  const { sent, attempts, stored } = await runThrough("failover", async () => {
    await primary.crash();
    await promote(standby);
  });
  assert.deepEqual(lost(sent, stored), []);
  assert.deepEqual(doubled(sent, attempts, stored), []);
  assert.deepEqual(
    stored.map((entry) => entry.position),
    stored.map((_, i) => i + 1),
    "the history goes on where it was",
  );
});

test("control of G1: a fail-over to a standby that no commit waits for loses what was acknowledged", async () => {
  const old = standby;
  const late = await createStandby(old, { directory: join(directory.path, "c"), name: "c" });
  await late.crash();
  const db = openDatabase({ url: old.url, connections: 1, onError: () => {} });
  await appendSurely(db.log, [messageOf("late", 1)]);
  await db.close();
  await old.crash();
  await late.start();
  await promote(late);
  const stored = await late.query<{ position: number; eventId: string }>(
    `select position, event_id as "eventId" from log.entries`,
  );
  await late.crash();
  const sent = [{ writer: "w", key: "late", number: 0, answers: ["$late"] }];
  assert.equal(lost(sent, stored).length, 1);
});
