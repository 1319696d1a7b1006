/** Group commit in a simulated world: order, bounds, failures. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { forSeeds, settled, type Simulation, simulate } from "../../../testkit/src/simulation.ts";
import { limits } from "../limits.ts";
import type { Batch } from "./append.ts";
import type { Submission } from "./entry.ts";
import { type Lanes, openLanes } from "./lanes.ts";

class Refused extends Error {}

interface World {
  lanes: Lanes;
  batches: (readonly Submission[])[];
}

/** Lanes on a database that takes a while, and does with each batch what `fate` says. */
function openSimulatedLanes({ random, sleep }: Simulation, fate: (batch: readonly Submission[]) => void): World {
  const batches: (readonly Submission[])[] = [];
  const append = async (submissions: readonly Submission[]): Promise<Batch> => {
    await sleep(1 + random.below(5));
    fate(submissions);
    batches.push(submissions);
    return {
      epoch: 1,
      entries: [],
      outcomes: submissions.map(({ transaction }) => ({
        outcome: "appended",
        answer: transaction?.answer ?? "",
        entries: [],
      })),
    };
  };
  const lanes = openLanes({ lanes: 2, append, isRefusal: (thrown) => thrown instanceof Refused, onAppended: () => {} });
  return { lanes, batches };
}

const room = (id: string, entries = 1, more: Partial<Submission> = {}): Submission => ({
  lane: id,
  entries: Array.from({ length: entries }, () => ({ kind: "event" as const, body: "{}" })),
  ...more,
});

const named = (id: string, answer: string, entries = 1): Submission =>
  room(id, entries, { transaction: { session: 1, key: answer, answer } });

test("what is submitted to one room is appended in that order, in batches that have a bound", async () => {
  await forSeeds(200, async (world) => {
    const { lanes, batches } = openSimulatedLanes(world, () => {});
    const sent = new Map<string, string[]>();
    for (let i = 0; i < 60; i++) {
      const id = `!${world.random.below(5)}`;
      sent.set(id, [...(sent.get(id) ?? []), `${i}`]);
      void lanes.submit(named(id, `${i}`, 1 + world.random.below(120)));
      if (world.random.chance(0.4)) await world.advance(world.random.below(4));
    }
    const drained = lanes.drained();
    await world.advance(10_000);
    await drained;
    const appended = batches.flat();
    for (const [id, order] of sent)
      assert.deepEqual(
        appended.filter(({ lane }) => lane === id).map(({ transaction }) => transaction?.answer),
        order,
      );
    for (const batch of batches) {
      const entries = batch.reduce((sum, submission) => sum + submission.entries.length, 0);
      assert.ok(batch.length === 1 || entries <= limits.batch_entries, `a batch has ${entries} entries`);
    }
  });
});

test("all that arrives while an append is in flight is appended together after it", async () => {
  const world = simulate(1);
  const { lanes, batches } = openSimulatedLanes(world, () => {});
  const all = [lanes.submit(room("!a"))];
  await settled();
  for (let i = 0; i < 20; i++) all.push(lanes.submit(room("!a")));
  await world.advance(100);
  await Promise.all(all);
  assert.deepEqual(
    batches.map((batch) => batch.length),
    [1, 20],
  );
});

test("what rests on a change of the same batch waits for the next one", async () => {
  const world = simulate(1);
  const { lanes, batches } = openSimulatedLanes(world, () => {});
  const kick = room("!a", 1, { room: { id: "!a", version: 1 } });
  const body = { kind: "event" as const, type: "m.room.member", state_key: "@bob:x", body: "{}" };
  void lanes.submit({ ...kick, entries: [body] });
  void lanes.submit(room("!a", 1, { members: [{ room: "!a", user: "@bob:x", position: 1 }] }));
  void lanes.submit(named("!b", "same"));
  void lanes.submit(named("!b", "same"));
  await world.advance(100);
  assert.deepEqual(batches.flat().length, 4);
  for (const batch of batches) {
    const keys = batch.map(({ transaction }) => transaction?.key).filter((key) => key !== undefined);
    assert.equal(new Set(keys).size, keys.length, "a retry never shares a batch with what it repeats");
    const hasKick = batch.some(({ entries }) => entries[0]?.state_key !== undefined);
    assert.ok(!hasKick || !batch.some(({ members }) => members), "the kicked are checked after the kick");
  }
});

test("a submission that the database refuses fails alone, and the lane goes on", async () => {
  const world = simulate(1);
  const { lanes } = openSimulatedLanes(world, (batch) => {
    if (batch.some(({ transaction }) => transaction?.answer === "bad")) throw new Refused("bad");
  });
  const answers = Promise.allSettled(["one", "bad", "two"].map((answer) => lanes.submit(named("!a", answer))));
  await world.advance(100);
  assert.deepEqual(
    (await answers).map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
});

test("where nobody knows whether a batch was appended, all of it fails, and nothing is tried twice", async () => {
  const world = simulate(1);
  let fails = true;
  const { lanes, batches } = openSimulatedLanes(world, () => {
    if (fails) throw new Error("the connection was cut");
  });
  const answers = Promise.allSettled([lanes.submit(room("!a")), lanes.submit(room("!a"))]);
  await world.advance(100);
  assert.deepEqual(
    (await answers).map(({ status }) => status),
    ["rejected", "rejected"],
  );
  assert.deepEqual(batches, []);
  fails = false;
  const next = lanes.submit(room("!a"));
  await world.advance(100);
  assert.equal((await next).outcome, "appended");
});

test("beyond the limit of what may wait, senders are told to come back", async () => {
  const world = simulate(1);
  const { lanes } = openSimulatedLanes(world, () => {});
  const waiting = Array.from({ length: limits.laneQueue_submissions }, () => lanes.submit(room("!a")));
  await assert.rejects(lanes.submit(room("!a")), { errcode: "IO_PARLEY_UNAVAILABLE", status: 503 });
  await world.advance(100_000);
  await Promise.all(waiting);
});

test("drained is at once where nothing is in flight, and waits for what is", async () => {
  const world = simulate(1);
  const { lanes } = openSimulatedLanes(world, () => {});
  await lanes.drained();
  let isDrained = false;
  const submitted = lanes.submit(room("!a"));
  void lanes.drained().then(() => (isDrained = true));
  await settled();
  assert.equal(isDrained, false);
  await world.advance(100);
  await submitted;
  assert.equal(isDrained, true);
});
