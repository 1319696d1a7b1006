/** Bugs that real schedules must find: they are planted in the database of a real cluster. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { soonFound } from "../../testkit/src/wait.ts";
import type { Fault } from "../src/faults.ts";
import { runSchedule } from "../src/schedule.ts";
import { openWorld, type World } from "../src/world.ts";

let world: World;
before(async () => {
  world = await openWorld({ bus: "postgresql", queue: "none", clocksOff: false });
});
after(() => world[Symbol.asyncDispose]());

const nothing: Fault = { name: "nothing", group: "process", run: async (_world, _random, note) => note() };

test("control of G2: an append that does not recognise a retry is found as duplicated", async () => {
  const primary = world.pair.primary();
  const [{ text } = { text: "" }] = await primary.query<{ text: string }>(
    "select pg_get_functiondef('log.append'::regproc) as text",
  );
  const recognises = "(select t.answer from log.transactions t where t.session_id = s.session and t.txn_key = s.txn)";
  assert.ok(text.includes(recognises), "log.append no longer has what this control takes out");
  await primary.query("alter table log.transactions drop constraint transactions_pkey");
  await primary.query(text.replace(recognises, "null::text"));
  const outcome = await runSchedule(world, 1, { chosen: [{ ...nothing, run: keepWriting }], deadline_ms: 60_000 });
  await primary.query(text);
  assert.notDeepEqual(outcome.doubled, []);
});

/** Until a message that was sent twice is there twice. */
async function keepWriting({ pair }: World, _random: unknown, note: () => void): Promise<void> {
  const twice =
    "select from log.entries where txn_id is not null group by session_id, txn_id having count(*) > 1 limit 1";
  await soonFound("a message is there twice", async () => (await pair.primary().query(twice)).length > 0);
  note();
}

/** Until as many entries have been appended since as can not all be unanswered. */
async function goOn({ pair, people }: World): Promise<void> {
  const head = async () => {
    const [row] = await pair.primary().query<{ position: number }>("select position::int from log.head");
    return row?.position ?? 0;
  };
  const before = await head();
  await soonFound("messages are acknowledged", async () => (await head()) > before + 5 * people.length);
}

test("control: a process that ends by itself is found as crashed, though it is started again and everybody is served", async () => {
  const crash: Fault = {
    name: "a crash",
    group: "process",
    async run({ cluster }, _random, note) {
      process.kill(cluster.of("messages")[0]?.pid as number, "SIGABRT");
      note();
    },
  };
  const { crashed, stuck } = await runSchedule(world, 1, { chosen: [crash], deadline_ms: 60_000 });
  assert.deepEqual([crashed.map((how) => how.split(" ")[0]), stuck], [["messages-1"], undefined]);
});

test("control of G1: a fail-over to a standby that no commit waited for is found as lost", async () => {
  const unsafe: Fault = {
    name: "an unsafe fail-over",
    group: "database",
    async run(world, _random, note) {
      const { pair } = world;
      await pair.primary().query("alter system set synchronous_standby_names = ''");
      await pair.primary().query("select pg_reload_conf()");
      await pair.standby().crash();
      await goOn(world);
      await pair.primary().crash();
      await pair.standby().start();
      await pair.failOver();
      note();
    },
  };
  const outcome = await runSchedule(world, 1, { chosen: [unsafe], deadline_ms: 40_000 });
  assert.notDeepEqual(outcome.lost, []);
});
