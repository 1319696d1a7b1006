import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";
import { createLedger } from "../src/ledger.ts";
import { countFailures, createMeter } from "../src/meter.ts";
import { startReaders } from "../src/readers.ts";
import { roomTogether } from "../src/scenarios/sends.ts";
import { startSenders } from "../src/senders.ts";
import { parseReader, scanReader, uniqueTag } from "../src/sync-answer.ts";
import { prepareUsers } from "../src/users.ts";
import { type Faults, type Standin, startStandin } from "./standin.ts";

// The harness's counts against the stand-in's own account of the same load.

const MEMBERS = 6;
const SENDS = 60;

interface Counted {
  sent: ReturnType<ReturnType<typeof createMeter>["cut"]>;
  seen: ReturnType<ReturnType<typeof createMeter>["cut"]>;
  totals: ReturnType<ReturnType<typeof createLedger>["totals"]>;
  gaps: number;
  /** How long was sent. */
  load_ms: number;
  standin: Standin;
}

/** Six members who all sync and of whom three send, until everything is delivered that will be. */
async function runLoad(standin: Standin, pacing: { interval_ms?: number } = {}): Promise<Counted> {
  const { origin } = standin;
  const users = await prepareUsers({ origin, count: MEMBERS, progress() {} });
  const lanes = await roomTogether(origin, users);
  const tag = uniqueTag();
  const ledger = createLedger(MEMBERS);
  const [sent, seen] = [createMeter(), createMeter()];
  const readers = await startReaders({ origin, users, reader: scanReader(tag), ledger, meter: seen });
  const from_ms = performance.now();
  const senders = startSenders({ origin, lanes: lanes.slice(0, 3), tag, ledger, meter: sent, ...pacing });
  const { model } = standin;
  await model.until(() => model.acknowledged.length >= SENDS);
  await senders.stop();
  const load_ms = performance.now() - from_ms;
  await model.until(() => model.resting.size === MEMBERS);
  await readers.stop();
  return { sent: sent.cut(), seen: seen.cut(), totals: ledger.totals(), gaps: readers.gaps(), load_ms, standin };
}

const distinctDeliveries = ({ model }: Standin): number =>
  [...model.delivered.values()].reduce((sum, texts) => sum + new Set(texts).size, 0);

const withFaults = async (faults: Faults, check: (counted: Counted) => void): Promise<void> => {
  await using standin = await startStandin(faults);
  check(await runLoad(standin));
};

test("each acknowledged send counts once, and each delivery once for each client that saw it", () =>
  withFaults({}, ({ sent, seen, totals, standin }) => {
    const acknowledged = standin.model.acknowledged.length;
    assert.ok(acknowledged >= SENDS);
    assert.equal(sent.latencies.length, acknowledged);
    assert.equal(seen.latencies.length, acknowledged * MEMBERS);
    assert.deepEqual(totals, { acknowledged, delivered: acknowledged * MEMBERS, repeated: 0, outstanding: 0 });
  }));

test("a send that fails is a failure and never a send", () =>
  withFaults({ failEverySend: 3 }, ({ sent, totals, standin }) => {
    const acknowledged = standin.model.acknowledged.length;
    assert.equal(sent.latencies.length, acknowledged);
    assert.equal(totals.acknowledged, acknowledged);
    const failed = countFailures(sent.failures);
    assert.ok(failed > 0);
    assert.deepEqual(sent.failures, { "500": failed });
  }));

test("a message that a client gets twice is one delivery", () =>
  withFaults({ repeatDeliveries: true }, ({ seen, totals, standin }) => {
    const listed = [...standin.model.delivered.values()].reduce((sum, texts) => sum + texts.length, 0);
    assert.equal(seen.latencies.length, standin.model.acknowledged.length * MEMBERS);
    assert.equal(totals.repeated, listed - seen.latencies.length);
    assert.ok(totals.repeated > 0);
  }));

test("a message that one client never gets is missing, and not counted for it", () => {
  const hide = (userId: string, text: string): boolean => userId.includes("-2:") && text.endsWith("5");
  return withFaults({ hide }, ({ seen, totals, standin }) => {
    const hidden = standin.model.acknowledged.filter(({ text }) => text.endsWith("5")).length;
    assert.ok(hidden > 0);
    assert.equal(totals.outstanding, hidden);
    assert.equal(seen.latencies.length, standin.model.acknowledged.length * MEMBERS - hidden);
  });
});

test("what a limited timeline leaves out is missing, and the gap is told", () => {
  // Member 4 is shown nothing until message 30, and then at most two messages at a time.
  let open = false;
  const hide = (userId: string, text: string): boolean => {
    open ||= Number(text.slice(-9)) >= 30;
    return userId.includes("-4:") && !open;
  };
  return withFaults({ hide, timelineLimit: 2 }, ({ seen, totals, gaps, standin }) => {
    assert.ok(gaps > 0);
    assert.ok(totals.outstanding > 0);
    assert.equal(seen.latencies.length, distinctDeliveries(standin));
    assert.equal(totals.outstanding, standin.model.acknowledged.length * MEMBERS - distinctDeliveries(standin));
  });
});

test("paced sends start by the clock", async () => {
  await using standin = await startStandin();
  const interval_ms = 20;
  const { totals, load_ms } = await runLoad(standin, { interval_ms });
  // One at once, and one after each interval; timers may run late, never early.
  assert.ok(totals.acknowledged <= 1 + load_ms / interval_ms, `${totals.acknowledged} sends in ${load_ms} ms`);
});

test("a delivery's latency runs from before the send to the sight of it", () => {
  const ledger = createLedger(2);
  const first = ledger.send(1_000);
  const second = ledger.send(1_500);
  assert.equal(ledger.deliver(0, { number: first, at_ms: 1_007 }), 7);
  assert.equal(ledger.deliver(0, { number: first, at_ms: 1_009 }), undefined);
  assert.equal(ledger.deliver(1, { number: second, at_ms: 1_600 }), 100);
  assert.throws(() => ledger.deliver(0, { number: 2, at_ms: 2_000 }), RangeError);
  assert.throws(() => ledger.deliver(2, { number: 0, at_ms: 2_000 }), RangeError);
});

test("readers that can not trust an answer fail the measurement when they are stopped", async () => {
  await using standin = await startStandin();
  const { origin, model } = standin;
  const users = await prepareUsers({ origin, count: 1, progress() {} });
  const [lane] = await roomTogether(origin, users);
  const ledger = createLedger(1);
  const readers = await startReaders({ origin, users, reader: parseReader("tag-"), ledger, meter: createMeter() });
  // A message of this run that was never sent by it.
  const { roomId = "", user } = lane ?? {};
  model.send({ userId: user?.userId ?? "", roomId, transactionId: "x", text: "tag-000000003" });
  while (readers.answers() === 0) await sleep(5);
  await assert.rejects(readers.stop(), RangeError);
});
