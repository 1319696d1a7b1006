/** What every adapter of the queue keeps, tried on the real servers. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { after, before, suite, test } from "node:test";
import { createTestDatabase } from "../../../testkit/src/server.ts";
import { missingService, type Service, startService } from "../../../testkit/src/services.ts";
import { openDatabase } from "../db/database.ts";
import { MatrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { realSeams, type Seams } from "../seams.ts";
import { openPostgresqlQueue } from "./postgresql.ts";
import { takeMessages } from "./postgresql-queries.ts";
import {
  type Delivery,
  type Depth,
  formats,
  type Outcome,
  type Queue,
  type QueueName,
  type QueueTuning,
} from "./queue.ts";
import { openRabbitmqQueue } from "./rabbitmq.ts";

const NAME = "chat.messages";
const tuning: QueueTuning = {
  prefetch_messages: 20,
  retries_ms: [50, 100],
  visibility_ms: 600,
  drain_ms: 2_000,
  formats,
};
const troubles: unknown[] = [];
const outcomes: Outcome[] = [];
const failures: unknown[] = [];
const events = {
  onOutcome: (_name: QueueName, outcome: Outcome) => void outcomes.push(outcome),
  onFailure: (failure: unknown) => void failures.push(failure),
  onTrouble: (thrown: unknown) => void troubles.push(thrown),
};

/** A process whose regular look at the queue never comes. */
const withoutLooks: Seams = {
  ...realSeams,
  every: (every_ms, action) => (every_ms === limits.queuePoll_ms ? { cancel() {} } : realSeams.every(every_ms, action)),
};

/** A broker's numbers are told to nobody: they must be asked for. */
async function until(check: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline_ms = performance.now() + 20_000;
  while (!(await check())) {
    if (performance.now() > deadline_ms) throw new Error(`There was not ${what} in time.`);
    await new Promise<void>((resolve) => setTimeout(resolve, 10));
  }
}

interface Place {
  /** One process's queue, over the same server each time. */
  open(changes?: Partial<QueueTuning>, seams?: Seams): Promise<Queue>;
  close(): Promise<void>;
}

async function postgresqlPlace(): Promise<Place> {
  const database = await createTestDatabase();
  const db = openDatabase({ url: database.url, connections: 4, onError() {} });
  const emitter = new EventEmitter();
  const hints = {
    announce: (name: QueueName) => void setImmediate(() => emitter.emit("hint", name)),
    listen(receive: (name: string) => void) {
      emitter.on("hint", receive);
      return () => void emitter.off("hint", receive);
    },
  };
  return {
    open: async (changes, seams = realSeams) =>
      openPostgresqlQueue({ db: db.queue, seams, tuning: { ...tuning, ...changes }, events, hints }),
    async close() {
      await db.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

const skip = missingService("rabbitmq");
let rabbitmq: Service;
async function rabbitmqPlace(): Promise<Place> {
  rabbitmq = await startService("rabbitmq");
  return {
    open: (changes, seams = realSeams) =>
      openRabbitmqQueue({ url: rabbitmq.url, seams, tuning: { ...tuning, ...changes }, events }),
    close: async () => rabbitmq[Symbol.asyncDispose](),
  };
}

for (const [adapter, openPlace] of [
  ["postgresql", postgresqlPlace],
  ["rabbitmq", rabbitmqPlace],
] as const)
  suite(`the queue in ${adapter}`, { skip: adapter === "rabbitmq" && skip }, () => {
    let place: Place;
    let queue: Queue;
    before(async () => {
      place = await openPlace();
      queue = await place.open();
    });
    after(async () => {
      await queue.close();
      await place.close();
    });

    const depth = async () => (await queue.depths()).find(({ name }) => name === NAME) as Depth;
    const isEmpty = () => until(async () => (await depth()).waiting === 0, "an empty queue");
    const publish = (bodies: readonly string[]) => Promise.all(bodies.map((body) => queue.publish(NAME, body)));
    /** Consumes into a list until it is closed. */
    const collect = (from: Queue, handle: (delivery: Delivery) => Promise<void> = async () => {}) => {
      const got: Delivery[] = [];
      const consumer = from.consume(NAME, async (delivery) => {
        got.push(delivery);
        await handle(delivery);
      });
      return { got, ...consumer };
    };
    const numbers = (count: number, prefix: string) => Array.from({ length: count }, (_, n) => `${prefix}${n}`);

    test("what was published before anybody consumed is handed out, oldest first, and once", async () => {
      const bodies = [...numbers(50, "first "), "Grüße \\u0000 👋"];
      for (const body of bodies) await queue.publish(NAME, body);
      assert.equal((await depth()).waiting, bodies.length);
      const consumer = collect(queue);
      await until(() => consumer.got.length >= bodies.length, "all messages");
      await isEmpty();
      await consumer.close();
      assert.deepEqual(
        consumer.got,
        bodies.map((body) => ({ body, attempt: 1, format: 1 })),
      );
    });

    test("a waiting consumer gets what is published without a look of its own being due", async () => {
      const hearing = await place.open({}, withoutLooks);
      const consumer = collect(hearing);
      for (const body of ["warm-up", "now"]) {
        await publish([body]);
        await until(() => consumer.got.at(-1)?.body === body, `the message "${body}"`);
      }
      await consumer.close();
      await hearing.close();
    });

    test("consumers compete: each message goes to one of them, and all of them get some", async () => {
      const other = await place.open({ prefetch_messages: 5 });
      const third = await place.open({ prefetch_messages: 5 });
      const slow = () => new Promise<void>((resolve) => realSeams.after(5, resolve));
      const consumers = [collect(other, slow), collect(third, slow)];
      const bodies = numbers(200, "shared ");
      await publish(bodies);
      await until(() => consumers.flatMap(({ got }) => got).length >= bodies.length, "all messages");
      await isEmpty();
      await Promise.all([other.close(), third.close()]);
      assert.deepEqual(
        consumers
          .flatMap(({ got }) => got)
          .map(({ body }) => body)
          .toSorted(),
        bodies.toSorted(),
      );
      for (const { got } of consumers) assert.ok(got.length >= 20, `one consumer got ${got.length}`);
    });

    test("no more than the prefetch limit is worked on at the same time", async () => {
      let now = 0;
      let most = 0;
      const limited = await place.open({ prefetch_messages: 4 });
      const consumer = collect(limited, async () => {
        most = Math.max(most, ++now);
        await new Promise<void>((resolve) => realSeams.after(5, resolve));
        now -= 1;
      });
      await publish(numbers(60, "limited "));
      await until(() => consumer.got.length >= 60, "all messages");
      await limited.close();
      assert.equal(most, 4);
    });

    test("what a consumer had when it was cut off is handed out again, to another", async () => {
      const dying = await place.open({ drain_ms: 0 });
      const stuck = collect(dying, () => new Promise(() => {}));
      await publish(["orphan"]);
      await until(() => stuck.got.length === 1, "the message at the consumer that dies");
      const heir = collect(queue);
      await dying.close();
      await until(() => heir.got.length === 1, "the message at the other consumer");
      await isEmpty();
      await heir.close();
      assert.deepEqual(heir.got, [{ body: "orphan", attempt: 2, format: 1 }]);
    });

    test("a handler that takes longer than a dead consumer would be waited for keeps its message", async () => {
      const consumer = collect(
        queue,
        () => new Promise((resolve) => realSeams.after(tuning.visibility_ms * 2, resolve)),
      );
      await publish(["long"]);
      await until(() => consumer.got.length === 1, "the message");
      const rival = collect(await place.open());
      await consumer.close();
      await isEmpty();
      await rival.close();
      assert.deepEqual([consumer.got.length, rival.got.length], [1, 0]);
    });

    test("a failed message comes again after its delay, and then counts its attempts", async () => {
      const at_ms: number[] = [];
      const consumer = collect(queue, async ({ attempt }) => {
        at_ms.push(performance.now());
        if (attempt < 3) throw new Error("not yet");
      });
      await publish(["flaky"]);
      await until(() => consumer.got.length === 3, "three attempts");
      await isEmpty();
      await consumer.close();
      assert.deepEqual(
        consumer.got.map(({ attempt }) => attempt),
        [1, 2, 3],
      );
      assert.ok((at_ms[1] as number) - (at_ms[0] as number) >= 45, "the first delay");
      assert.ok((at_ms[2] as number) - (at_ms[1] as number) >= 95, "the second delay");
      assert.equal((await depth()).dead, 0);
    });

    test("a message that fails each time is dead after its last attempt, and keeps nobody else back", async () => {
      const consumer = collect(queue, async ({ body }) => {
        if (body === "poison") throw new Error("it can not be done");
      });
      await publish(["poison", ...numbers(30, "harmless ")]);
      await until(async () => (await depth()).dead === 1, "a dead message");
      await isEmpty();
      await consumer.close();
      assert.equal(consumer.got.filter(({ body }) => body === "poison").length, 3);
      assert.equal(consumer.got.length, 33);
    });

    test("a message of a later format waits for who reads it: it is no failure, never dead, and keeps nobody back", async () => {
      const [failed, dead] = [failures.length, (await depth()).dead];
      const left = () => outcomes.filter((outcome) => outcome === "left").length;
      const leftBefore = left();
      const older = collect(queue);
      await queue.publish(NAME, "of the next release", 2);
      await publish(numbers(30, "of this one "));
      await until(() => older.got.length === 30, "what it reads");
      // A failure would have been its last one by then. PostgreSQL does not hand it out in the first place.
      if (adapter === "rabbitmq")
        await until(() => left() - leftBefore > tuning.retries_ms.length + 1, "it left often");
      assert.deepEqual([failures.length, (await depth()).dead], [failed, dead]);
      const next = await place.open({ formats: { ...formats, [NAME]: 2 } });
      const newer = collect(next);
      await until(() => newer.got.length === 1, "the message");
      await Promise.all([older.close(), isEmpty()]);
      await next.close();
      assert.deepEqual(newer.got, [{ body: "of the next release", attempt: 1, format: 2 }]);
      assert.ok(older.got.every(({ body, format }) => body.startsWith("of this one") && format === 1));
    });

    test("a failed message keeps its format", async () => {
      const next = await place.open({ formats: { ...formats, [NAME]: 2 } });
      const newer = collect(next, async ({ attempt }) => {
        if (attempt === 1) throw new Error("not yet");
      });
      await queue.publish(NAME, "once more", 2);
      await until(() => newer.got.length === 2, "both attempts");
      await isEmpty();
      await next.close();
      assert.deepEqual(
        newer.got.map(({ attempt, format }) => [attempt, format]),
        [
          [1, 2],
          [2, 2],
        ],
      );
    });

    test("dead messages are put back as new ones, the oldest first and no more than were asked for, or removed", async () => {
      const die = async (bodies: readonly string[]) => {
        const consumer = collect(queue, () => Promise.reject(new Error("it can not be done")));
        for (const body of bodies) {
          const before = (await depth()).dead;
          await queue.publish(NAME, body);
          await until(async () => (await depth()).dead > before, "a dead message");
        }
        await consumer.close();
      };
      await queue.discardDead(NAME);
      await die(["one", "two", "three"]);
      assert.equal(await queue.retryDead(NAME, 2), 2);
      const consumer = collect(queue);
      await until(() => consumer.got.length === 2, "both");
      await isEmpty();
      await consumer.close();
      assert.deepEqual(
        consumer.got,
        ["one", "two"].map((body) => ({ body, attempt: 1, format: 1 })),
      );
      assert.equal(await queue.discardDead(NAME), 1);
      assert.deepEqual([(await depth()).dead, await queue.retryDead(NAME, 9)], [0, 0]);
    });

    test("closing lets the handlers that run finish, and their messages are done", async () => {
      const closing = await place.open();
      let finished = 0;
      const consumer = collect(closing, async () => {
        await new Promise<void>((resolve) => realSeams.after(100, resolve));
        finished += 1;
      });
      await publish(numbers(5, "closing "));
      await until(() => consumer.got.length === 5, "all messages");
      await closing.close();
      assert.equal(finished, 5);
      assert.equal((await depth()).waiting, 0);
    });
  });

test("in PostgreSQL the message of a consumer that vanished comes again once its time is over", async () => {
  await using database = await createTestDatabase();
  const db = openDatabase({ url: database.url, connections: 2, onError() {} });
  const hints = { announce() {}, listen: () => () => {} };
  const queue = openPostgresqlQueue({ db: db.queue, seams: realSeams, tuning, events, hints });
  await queue.publish(NAME, "lost");
  const taken = await takeMessages(db.queue, NAME, { limit: 1, visibility_ms: 300, format: 1 });
  assert.equal(taken.length, 1);
  const begun_ms = performance.now();
  const got: Delivery[] = [];
  queue.consume(NAME, async (delivery) => void got.push(delivery));
  await until(() => got.length === 1, "the message");
  assert.ok(performance.now() - begun_ms >= 250);
  assert.equal(got[0]?.attempt, 2);
  await queue.close();
  await db.close();
});

test(
  "while the broker is away publishing is refused, and what it had and what comes later arrives",
  { skip },
  async () => {
    await using broker = await startService("rabbitmq");
    const queue = await openRabbitmqQueue({ url: broker.url, seams: realSeams, tuning, events });
    await queue.publish(NAME, "before");
    await broker.kill();
    const isUnavailable = (thrown: unknown) =>
      thrown instanceof MatrixError && thrown.errcode === "IO_PARLEY_UNAVAILABLE";
    await assert.rejects(queue.publish(NAME, "meanwhile"), isUnavailable);
    const got: string[] = [];
    queue.consume(NAME, async ({ body }) => void got.push(body));
    await broker.start();
    await until(
      () =>
        queue.publish(NAME, "after").then(
          () => true,
          () => false,
        ),
      "the broker",
    );
    await until(() => got.includes("before") && got.includes("after"), "the messages");
    await queue.close();
    assert.ok(troubles.length > 0);
  },
);
