/**
 * What a gateway asks of the database while its clients are told what another process appends: at most the query that reads the log,
 * once for each wake-up, whatever the number of clients.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Person, registerPerson } from "../../../testkit/src/http.ts";
import { createRoom, type TestRoom } from "../../../testkit/src/room.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { openStream, type StreamClient, untilEvent } from "../../../testkit/src/stream.ts";
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { realSeams, type Seams } from "../seams.ts";

const MESSAGES = 20;

/** Everything but what is done from time to time for its own sake, such as noting when a session was seen. */
const quiet: Seams = {
  ...realSeams,
  every: (every_ms, action) =>
    every_ms === limits.headPoll_ms || every_ms === limits.streamSweep_ms
      ? realSeams.every(every_ms, action)
      : { cancel: () => {} },
  after: (wait_ms, action) =>
    wait_ms === limits.controlsPoll_ms ? { cancel: () => {} } : realSeams.after(wait_ms, action),
};

/** Notes every statement of the domains that clients are told of. Typing and presence have a rhythm of their own. */
function watchStatements({ db }: Context): string[] {
  const statements: string[] = [];
  for (const schema of ["log", "auth", "account", "keys"] as const) {
    const { query, one, change } = db[schema];
    const noted =
      <R>(run: (sql: string, params?: readonly unknown[]) => R) =>
      (sql: string, params?: readonly unknown[]) => {
        if (!notesSamples(sql)) statements.push(sql);
        return run(sql, params);
      };
    Object.assign(db[schema], { query: noted(query), one: noted(one), change: noted(change) });
  }
  return statements;
}

const readsTheLog = (sql: string) => /from log\.head/.test(sql);
/** What a process notes of itself once a minute, which may be over while this goes on. */
const notesSamples = (sql: string) => /log\.samples/.test(sql);

interface World extends AsyncDisposable {
  /** Where people write; their clients are there. */
  there: TestServer;
  room: TestRoom;
  writer: Person;
  streams: StreamClient[];
}

/** So many people in a room, each with a stream at `there`, and a writer at another process. */
async function start(people: number): Promise<World> {
  const config = { bus: "postgresql" } as const;
  const here = await startTestServer({ config });
  const there = await startTestServer({ config, seams: quiet, databaseUrl: here.databaseUrl });
  const writer = await registerPerson(here.url, "writer");
  const room = await createRoom(writer);
  const streams: StreamClient[] = [];
  for (let i = 0; i < people; i++) {
    const reader = await registerPerson(here.url, `reader${i}`);
    await room.change(reader, "join");
    const { next_batch: since } = await reader.call("GET", "/_matrix/client/v3/sync");
    streams.push(await openStream(there.url, reader, { since, set_presence: "offline" }));
  }
  await Promise.all(streams.map((stream) => stream.until((frame) => frame.type === "heartbeat")));
  const stop = async () => {
    for (const stream of streams) stream[Symbol.dispose]();
    await there.stop();
    await here.stop();
  };
  return { there, room, writer, streams, [Symbol.asyncDispose]: stop };
}

async function wakeUps({ ctx }: TestServer): Promise<number> {
  return (await ctx.metrics.tailFetches.get()).values[0]?.value ?? 0;
}

for (const people of [2, 40])
  test(`a gateway with ${people} clients asks the database nothing but the log, once a wake-up at the most`, async () => {
    await using world = await start(people);
    const { there, room, writer, streams } = world;
    // What is looked up once, such as the rules of push, is looked up with the first message.
    const first = await room.say(writer, "first");
    await Promise.all(streams.map((stream) => untilEvent(stream, room.id, first)));
    const statements = watchStatements(there.ctx);
    const [before, begun_ms] = [await wakeUps(there), performance.now()];
    for (let i = 0; i < MESSAGES; i++) {
      const eventId = await room.say(writer, `text ${i}`);
      await Promise.all(streams.map((stream) => untilEvent(stream, room.id, eventId)));
    }
    const looks = Math.ceil((performance.now() - begun_ms) / limits.headPoll_ms) + 1;
    const woken = (await wakeUps(there)) - before;
    assert.deepEqual(
      statements.filter((sql) => !readsTheLog(sql)),
      [],
    );
    assert.ok(statements.length <= woken + looks, `${statements.length} queries in ${woken} wake-ups, ${looks} looks`);
  });

test("what is written in rooms where nobody is who has a stream here is nobody's news here", async () => {
  await using world = await start(10);
  const { there, room, writer, streams } = world;
  const elsewhere = await createRoom(writer);
  const first = await room.say(writer, "first");
  await Promise.all(streams.map((stream) => untilEvent(stream, room.id, first)));
  const builds = async () => (await there.ctx.metrics.syncs.get()).values.reduce((sum, { value }) => sum + value, 0);
  const [before, statements] = [await builds(), watchStatements(there.ctx)];
  for (let i = 0; i < MESSAGES; i++) await elsewhere.say(writer, `text ${i}`);
  const last = await room.say(writer, "for you");
  await Promise.all(streams.map((stream) => untilEvent(stream, room.id, last)));
  assert.equal(await builds(), before, "nobody had to be told of it by themselves");
  assert.equal(there.ctx.rooms.peek(elsewhere.id), undefined);
  assert.deepEqual(
    statements.filter((sql) => !readsTheLog(sql)),
    [],
  );
});
