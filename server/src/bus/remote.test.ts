/** Connections that break, hang and come back, on a virtual clock. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Simulation, simulate } from "../../../testkit/src/simulation.ts";
import { StartError } from "../errors.ts";
import { limits } from "../limits.ts";
import { createLogger, type Logger } from "../logger.ts";
import { createMetrics } from "../metrics.ts";
import type { Bus } from "./bus.ts";
import { openRemoteBus } from "./remote.ts";
import type { LinkEvents, Transport } from "./transport.ts";

/** A broker in memory whose connections can be made to fail in every way. */
function createBroker() {
  const links = new Set<LinkEvents<string>>();
  const broker = { attempts: 0, refuses: false, swallows: false, hangs: false, sent: 0 };
  const transport: Transport<string> = {
    name: "Test",
    setting: "TEST_URL",
    packet_bytes: 1_000,
    async connect(events) {
      broker.attempts += 1;
      if (broker.refuses) throw new Error("connect ECONNREFUSED test://me:hunter2@host");
      links.add(events);
      return {
        async send(packets) {
          broker.sent += packets.length;
          if (broker.hangs) await new Promise(() => {});
          if (!broker.swallows) for (const each of links) for (const packet of packets) each.onPacket(packet);
        },
        async close() {
          links.delete(events);
        },
      };
    },
  };
  const cut = () => {
    for (const each of links) each.onLost(new Error("cut"));
  };
  return Object.assign(broker, { transport, cut, links });
}

async function openOn(world: Simulation, broker: ReturnType<typeof createBroker>) {
  const metrics = createMetrics();
  const warnings: string[] = [];
  const logger = {
    ...createLogger("silent"),
    warn: (_: object, text: string) => warnings.push(text),
  } as unknown as Logger;
  const opening = openRemoteBus({ transport: broker.transport, seams: world.seams, logger, metrics });
  opening.catch(() => {});
  await world.advance(limits.busConnect_ms);
  const bus: Bus = await opening;
  const isConnected = async () => (await metrics.busConnected.get()).values[0]?.value;
  const dropped = async () => (await metrics.busDropped.get()).values[0]?.value;
  return { bus, warnings, isConnected, dropped };
}

test("a start without the broker is refused with the setting, and without what stands in its address", async () => {
  const world = simulate(1);
  const broker = createBroker();
  broker.refuses = true;
  await assert.rejects(openOn(world, broker), (error: Error) => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, /Test does not answer.*Check TEST_URL/);
    assert.equal(error.message.includes("hunter2"), false);
    return true;
  });
  assert.equal(world.timers(), 0);
});

test("a broker that takes connections and carries nothing counts as none", async () => {
  const broker = createBroker();
  broker.swallows = true;
  await assert.rejects(openOn(simulate(1), broker), /no answer within 5 s/);
  assert.equal(broker.links.size, 0, "the connection was closed");
});

test("a lost connection is warned of once, and made again after delays that grow to a limit", async () => {
  const world = simulate(1);
  const broker = createBroker();
  const { warnings, isConnected } = await openOn(world, broker);
  broker.refuses = true;
  broker.cut();
  assert.equal(await isConnected(), 0);
  await world.advance(60_000);
  const least = 60_000 / limits.relinkMost_ms;
  const most = 2 * least + Math.ceil(Math.log2(limits.relinkMost_ms / limits.relinkLeast_ms));
  assert.ok(broker.attempts - 1 >= least && broker.attempts - 1 <= most, `${broker.attempts} attempts in a minute`);
  assert.equal(warnings.length, 1);
  broker.refuses = false;
  await world.advance(limits.relinkMost_ms);
  assert.equal(await isConnected(), 1);
  assert.deepEqual(warnings.length, 2);
  assert.match(warnings[1] ?? "", /is back/);
});

test("processes that lost their broker together do not come back together", async () => {
  const delays = await Promise.all(
    Array.from({ length: 10 }, async (_, seed) => {
      const world = simulate(seed);
      const broker = createBroker();
      await openOn(world, broker);
      broker.cut();
      for (let waited_ms = 0; ; waited_ms += 5) {
        if (broker.attempts > 1) return waited_ms;
        await world.advance(5);
      }
    }),
  );
  assert.ok(new Set(delays).size > 3, delays.join());
});

test("a connection on which nothing comes back is given up for another", async () => {
  const world = simulate(1);
  const broker = createBroker();
  const { warnings, isConnected } = await openOn(world, broker);
  await world.advance(5 * limits.busBeat_ms);
  assert.equal(broker.attempts, 1, "one that works stays");
  broker.swallows = true;
  await world.advance(2 * limits.busBeat_ms);
  assert.equal(await isConnected(), 0);
  assert.equal(warnings.length, 1);
  broker.swallows = false;
  await world.advance(limits.busConnect_ms + limits.relinkMost_ms);
  assert.equal(await isConnected(), 1);
});

test("what waits for a broker that does not take it is bounded, and dropped without a connection", async () => {
  const world = simulate(1);
  const broker = createBroker();
  const { bus, dropped } = await openOn(world, broker);
  const turn = () => new Promise((resolve) => void setImmediate(resolve));
  broker.hangs = true;
  bus.publish("head", "is on its way for ever");
  await turn();
  const sent = broker.sent;
  const large = "x".repeat(limits.busMessage_bytes);
  for (let i = 0; i * limits.busMessage_bytes < limits.busOutbox_bytes; i++) bus.publish("head", large);
  await turn();
  assert.equal(await dropped(), 0, "so much may wait");
  bus.publish("head", large);
  await turn();
  assert.equal(await dropped(), limits.busOutbox_bytes / limits.busMessage_bytes + 1);
  bus.publish("head", `${large}x`);
  await turn();
  assert.equal(await dropped(), limits.busOutbox_bytes / limits.busMessage_bytes + 2, "too large a message");
  broker.refuses = true;
  broker.cut();
  bus.publish("head", "1");
  await turn();
  assert.equal(await dropped(), limits.busOutbox_bytes / limits.busMessage_bytes + 3);
  assert.equal(broker.sent, sent);
});

test("a closed bus leaves no timer", async () => {
  const world = simulate(1);
  const { bus } = await openOn(world, createBroker());
  await bus.close();
  await world.advance(limits.busClose_ms);
  assert.equal(world.timers(), 0);
});
