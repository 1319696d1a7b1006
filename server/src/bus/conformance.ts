/**
 * What every bus keeps, whichever adapter carries it: one suite, run against the real servers. Each rule names what it promises
 * in the words of bus.ts.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createMetrics } from "../metrics.ts";
import type { Bus, Topic } from "./bus.ts";

/** A broker of a test, or the database that serves as one. */
export interface Broker {
  /** Opens the bus as another process would. */
  open(metrics?: ReturnType<typeof createMetrics>): Promise<Bus>;
  /** Ends the broker as a crash does, and starts it again where it was. */
  crash(): Promise<void>;
  restart(): Promise<void>;
  /** Some milliseconds pass. */
  moment(): Promise<void>;
}

export interface Conformance {
  name: string;
  /** Why it can not be run here; false where it can. */
  skip: string | false;
  /** Called once, by the first rule that needs it. */
  broker(): Promise<Broker>;
}

/** Registers the rules that all buses of several processes keep. */
export function conform({ name, skip, broker }: Conformance): void {
  const rule: Rule = (text, run) =>
    void test(`${name}: ${text}`, { skip, timeout: 60_000 }, async () => run(await broker()));
  rulesOfDelivery(rule);
  rulesOfTrouble(rule);
}

type Rule = (text: string, run: (broker: Broker) => Promise<void>) => void;

function rulesOfDelivery(rule: Rule): void {
  rule(
    "a message reaches every subscriber of its topic in every process once, the publisher's own included",
    async (on) => {
      await withBuses(on, 3, async (buses) => {
        const [first] = buses as [Bus];
        const inboxes = buses.flatMap((bus) => [collect(bus, "head"), collect(bus, "head")]);
        const others = buses.map((bus) => collect(bus, "typing"));
        first.publish("head", "1");
        await Promise.all(inboxes.map((inbox) => inbox.until(1)));
        // What follows on the same way shows that nothing came twice, nor on another topic.
        first.publish("head", "2");
        await Promise.all(inboxes.map((inbox) => inbox.until(2)));
        for (const { messages } of inboxes) assert.deepEqual(messages, ["1", "2"]);
        for (const { messages } of others) assert.deepEqual(messages, []);
        assert.deepEqual(
          inboxes.map(({ own }) => own),
          [true, true, false, false, false, false],
        );
      });
    },
  );

  rule("publishing returns before anybody is called, and who has unsubscribed is not called", async (on) => {
    await withBuses(on, 1, async ([bus]) => {
      let called = 0;
      const gone = bus.subscribe("head", () => assert.fail("has unsubscribed"));
      const inbox = collect(bus, "head");
      bus.subscribe("head", () => (called += 1));
      bus.publish("head", "1");
      gone();
      assert.equal(called, 0);
      await inbox.until(1);
    });
  });

  rule("10,000 messages of each of two publishers arrive, each publisher's in their order", async (on) => {
    await withBuses(on, 3, async ([one, two, reader]) => {
      const inbox = collect(reader as Bus, "typing");
      for (let i = 0; i < 10_000; i++) {
        one.publish("typing", `one ${i}`);
        two?.publish("typing", `two ${i}`);
        // Many turns of the loop: packets of many sizes, some sent while others are on their way.
        if (i % 97 === 0) await new Promise((resolve) => void setImmediate(resolve));
      }
      await inbox.until(20_000);
      for (const sender of ["one", "two"])
        assert.deepEqual(
          inbox.messages.filter((each) => each.startsWith(sender)),
          Array.from({ length: 10_000 }, (_, i) => `${sender} ${i}`),
        );
    });
  });

  rule("a message of 100 kB, of any characters, arrives whole between small ones", async (on) => {
    await withBuses(on, 2, async ([bus, reader]) => {
      const inbox = collect(reader as Bus, "presence");
      const large = "grüße, 世界 👋🏽 \\ ' \" \n $1 ".repeat(4_000);
      assert.ok(Buffer.byteLength(large) > 100_000);
      for (const each of ["before", large, "", "after"]) bus.publish("presence", each);
      await inbox.until(4);
      assert.deepEqual(inbox.messages, ["before", large, "", "after"]);
    });
  });
}

function rulesOfTrouble(rule: Rule): void {
  rule("a subscriber that throws keeps the others from nothing", async (on) => {
    await withBuses(on, 2, async ([bus, reader]) => {
      reader?.subscribe("head", () => {
        throw new Error("broken");
      });
      const inbox = collect(reader as Bus, "head");
      bus.publish("head", "1");
      bus.publish("head", "2");
      await inbox.until(2);
    });
  });

  rule("what another release says on a topic of its own disturbs nobody", async (on) => {
    await withBuses(on, 2, async ([bus, reader]) => {
      const inbox = collect(reader as Bus, "head");
      bus.publish("of_the_next_release" as Topic, "4 1 2 3");
      bus.publish("head", "1");
      await inbox.until(1);
      assert.deepEqual(inbox.messages, ["1"]);
    });
  });

  rule(
    "while the broker is away publishing does not throw; when it is back, messages flow again by themselves",
    async (on) => {
      const metrics = createMetrics();
      await withBuses(on, 2, async ([bus], open) => {
        const reader = await open(metrics);
        const connected = async () => (await metrics.busConnected.get()).values[0]?.value;
        assert.equal(await connected(), 1);
        await on.crash();
        const here = collect(bus, "head");
        bus.publish("head", "while it is away");
        await here.until(1);
        const [atReader, atBus] = [collect(reader, "head"), collect(bus, "head")];
        await on.restart();
        await untilHeard(bus, atReader, on.moment);
        await untilHeard(reader, atBus, on.moment);
        assert.equal(await connected(), 1);
      });
    },
  );

  rule("a closed bus is silent, and lets the others go on", async (on) => {
    await withBuses(on, 2, async ([bus, reader], open) => {
      const third = await open();
      const silent = collect(third, "head");
      await third.close();
      third.publish("head", "too late");
      const inbox = collect(reader as Bus, "head");
      bus.publish("head", "1");
      await inbox.until(1);
      assert.deepEqual([inbox.messages, silent.messages], [["1"], []]);
    });
  });
}

type Buses = readonly [Bus, ...Bus[]];

async function withBuses(
  broker: Broker,
  count: number,
  run: (buses: Buses, open: Broker["open"]) => Promise<void>,
): Promise<void> {
  const opened: Bus[] = [];
  const open: Broker["open"] = async (metrics) => {
    const bus = await broker.open(metrics);
    opened.push(bus);
    return bus;
  };
  try {
    for (let i = 0; i < count; i++) await open();
    await run([...opened] as unknown as Buses, open);
  } finally {
    await Promise.all(opened.map((bus) => bus.close()));
  }
}

interface Inbox {
  messages: string[];
  /** Those of them that came from another process. */
  foreign: string[];
  /** Whether the last one was the process's own. */
  readonly own: boolean | undefined;
  /** Resolves when so many have come. */
  until(count: number): Promise<void>;
}

function collect(bus: Bus, topic: "head" | "typing" | "presence"): Inbox {
  const [messages, foreign]: [string[], string[]] = [[], []];
  const waiting: { count: number; resolve(): void }[] = [];
  let isOwn: boolean | undefined;
  bus.subscribe(topic, (message, own) => {
    isOwn = own;
    if (!own) foreign.push(message);
    messages.push(message);
    for (const each of waiting) if (messages.length >= each.count) each.resolve();
  });
  return {
    messages,
    foreign,
    get own() {
      return isOwn;
    },
    until: (count) =>
      messages.length >= count ? Promise.resolve() : new Promise((resolve) => void waiting.push({ count, resolve })),
  };
}

/** Publishes again and again, as a process that has something to say does, until another one's inbox has it. */
async function untilHeard(bus: Bus, inbox: Inbox, moment: Broker["moment"]): Promise<void> {
  while (inbox.foreign.length === 0) {
    bus.publish("head", "again");
    await moment();
  }
}
