/** Hints on their way from one process to another: what they bring along, what they save, and what they may not break. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { settled, type Simulation, simulate } from "../../../testkit/src/simulation.ts";
import type { Bus, Receive } from "../bus/bus.ts";
import { limits } from "../limits.ts";
import { createLogger } from "../logger.ts";
import { type LogEntry, placed } from "./entry.ts";
import { followHints, openHints } from "./hints.ts";
import { type Hub, openHub } from "./hub.ts";

const message = (position: number, body = "{}"): LogEntry =>
  placed({ kind: "event", room: "!r", user: "@a:x", event_id: `$${position}`, type: "m.room.message", body }, position);

/** A bus on which this test stands in for the other processes: what is published is kept, and sent when the test says so. */
function createBus(packet_bytes = 100_000) {
  const published: string[] = [];
  const receivers: Receive[] = [];
  const bus: Bus = {
    publish: (_topic, text) => void published.push(text),
    subscribe(_topic, receive) {
      receivers.push(receive);
      return () => {};
    },
    packet_bytes,
    close: async () => {},
  };
  const deliver = (text: string, own = false) => {
    for (const receive of receivers) receive(text, own);
  };
  return { bus, published, deliver };
}

/** What a process with this bus sends for the appends of one turn. */
async function announced(batches: LogEntry[][], packet_bytes?: number): Promise<string[]> {
  const { bus, published } = createBus(packet_bytes);
  const hints = openHints({ bus, epoch: () => 1 });
  for (const batch of batches) hints.announce(batch.at(-1)?.position ?? 0, batch);
  await settled();
  return published;
}

type Follow = typeof followHints;

/** A process that stands at `head` of a log with these entries, and counts its queries. */
function follower(
  world: Simulation,
  { log, head, follow = followHints }: { log: LogEntry[]; head: number; follow?: Follow },
) {
  const { bus, deliver } = createBus();
  const counted = { queries: 0, seen: [] as LogEntry[] };
  const hub = openHub({
    seams: world.seams,
    logger: createLogger("silent"),
    head,
    async fetch(after) {
      counted.queries += 1;
      return { entries: log.filter((entry) => entry.position > after), upTo: log.length };
    },
    onFetch: () => {},
  });
  hub.listen((entries) => counted.seen.push(...entries));
  follow({ bus, hub, epoch: () => 1 });
  return Object.assign(counted, { hub, deliver });
}

const logOf = (length: number) => Array.from({ length }, (_, i) => message(i + 1));

test("what several appends bring in one turn goes out as one message", async () => {
  const sent = await announced([[message(1), message(2)], [message(3)]]);
  assert.equal(sent.length, 1);
  const { head, entries } = JSON.parse(sent[0] ?? "") as { head: number; entries: unknown[] };
  assert.deepEqual([head, entries.length], [3, 3]);
});

test("a process just before the entries takes them from the hint as they were appended, without a query", async () => {
  const redaction = {
    ...message(5),
    type: "m.room.redaction",
    redacts: "$1",
    redaction: { body: "{}", unsigned: null },
  };
  const log = [...logOf(3), message(4, '{"content":{"body":"grüße\\u0000"}}'), redaction];
  const world = simulate(1);
  const there = follower(world, { log, head: 3 });
  for (const text of await announced([log.slice(3)])) there.deliver(text);
  assert.deepEqual(there.seen, log.slice(3));
  await world.advance(limits.tailGap_ms);
  assert.equal(there.queries, 0);
});

/** Two lanes, with an entry of another process between them that nobody told of. */
const withGap = [[message(2)], [message(4)]];

async function seenWithGap(follow?: Follow) {
  const world = simulate(1);
  const there = follower(world, { log: logOf(4), head: 1, ...(follow ? { follow } : {}) });
  for (const text of await announced(withGap)) there.deliver(text);
  const atOnce = there.seen.map(({ position }) => position);
  await world.advance(limits.tailGap_ms);
  return { atOnce, later: there.seen.map(({ position }) => position), queries: there.queries };
}

test("where something is missing between, the range is read from the database, in one query", async () => {
  assert.deepEqual(await seenWithGap(), { atOnce: [2], later: [2, 3, 4], queries: 1 });
});

test("control: a process that believes that the entries of a hint follow each other skips what is missing", async () => {
  const believing: Follow = ({ bus, hub }) =>
    bus.subscribe("head", (text) => {
      const { entries } = JSON.parse(text) as { entries: [number][] };
      hub.offer(entries.map(([position]) => message(position)));
    });
  assert.deepEqual((await seenWithGap(believing)).later, [2, 4]);
});

test("a hint that comes twice or late brings nothing twice", async () => {
  const world = simulate(1);
  const log = logOf(4);
  const there = follower(world, { log, head: 0 });
  const [first = ""] = await announced([log.slice(0, 2)]);
  const [second = ""] = await announced([log.slice(2)]);
  for (const text of [second, first, second, first]) there.deliver(text);
  await world.advance(limits.tailGap_ms);
  assert.deepEqual(
    there.seen.map(({ position }) => position),
    [1, 2, 3, 4],
  );
  assert.equal(there.queries, 0);
});

test("entries too large for one packet are told of by their position, and read", async () => {
  const large = message(1, JSON.stringify("x".repeat(10_000)));
  const [text = ""] = await announced([[large]], 7_990);
  assert.ok(text.length < 100, text);
  const world = simulate(1);
  const there = follower(world, { log: [large], head: 0 });
  there.deliver(text);
  await settled();
  assert.deepEqual([there.seen, there.queries], [[large], 1]);
});

test("of a turn that brings many entries only the position is told: one query brings them all", async () => {
  const count = async (length: number) => {
    const [text = ""] = await announced([logOf(length)]);
    return (JSON.parse(text) as { entries: unknown[] }).entries.length;
  };
  assert.equal(await count(limits.headInline_entries), limits.headInline_entries);
  assert.equal(await count(limits.headInline_entries + 1), 0);
});

test("a message with its entries fits into one packet", async () => {
  for (const size of [1_000, 5_000, 7_000, 7_500, 7_800]) {
    const [text = ""] = await announced(
      [
        [
          message(1, "ü".repeat(size / 2)),
          ...Array.from({ length: limits.headInline_entries - 1 }, (_, i) => message(i + 2)),
        ],
      ],
      7_990,
    );
    assert.ok(Buffer.byteLength(text) < 7_990 - 100, `${Buffer.byteLength(text)}`);
  }
});

test("where nobody else listens no entry is encoded", async () => {
  const [text = ""] = await announced([[message(1)]], 0);
  assert.match(text, /"head":1,"entries":\[\]/);
});

test("hints of this process itself, of another history, and entries in a form that is not known, are not taken", async () => {
  const [text = ""] = await announced([[message(1)]]);
  const look = async (deliver: (there: ReturnType<typeof follower>) => void) => {
    const there = follower(simulate(1), { log: logOf(1), head: 0 });
    deliver(there);
    const atOnce = there.seen.length;
    await settled();
    return [atOnce, there.seen.length, there.queries];
  };
  assert.deepEqual(await look((there) => there.deliver(text)), [1, 1, 0]);
  assert.deepEqual(await look((there) => there.deliver(text, true)), [0, 0, 0]);
  assert.deepEqual(await look((there) => there.deliver(text.replace('"epoch":1', '"epoch":0'))), [0, 0, 0]);
  assert.deepEqual(
    await look((there) => there.deliver(text.replace('"epoch":1', '"epoch":2'))),
    [0, 1, 1],
    "of a history to come the head is",
  );
  assert.deepEqual(
    await look((there) => there.deliver(text.replace('"format":1', '"format":9'))),
    [0, 1, 1],
    "its head is",
  );
  const later = text
    .replace('"format":1', '"format":9,"of_the_next_release":{}')
    .replace(/"entries":.*/, '"entries":{}}');
  assert.deepEqual(await look((there) => there.deliver(later)), [0, 1, 1], "its head is");
  for (const unreadable of ["", "2 another form", "null", '{"format":9,"heads":[1]}'])
    assert.deepEqual(await look((there) => there.deliver(unreadable)), [0, 0, 0], unreadable);
});

test("without any hint, a look at the log that finds news is one query, and one that finds none too", async () => {
  const world = simulate(1);
  const there = follower(world, { log: logOf(4), head: 0 });
  const hub: Hub = there.hub;
  await world.advance(limits.headPoll_ms);
  assert.deepEqual([hub.head(), there.queries], [4, 1]);
  await world.advance(limits.headPoll_ms);
  assert.equal(there.queries, 2);
});
