/** What RabbitMQ has to be told, or does by itself, beside what every queue keeps (conformance.test.ts). */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { connect } from "amqplib";
import { missingService, type Service, startService } from "../../../testkit/src/services.ts";
import { openTcpProxy, type TcpProxy } from "../../../testkit/src/tcp-proxy.ts";
import { soon, soonFound } from "../../../testkit/src/wait.ts";
import { MatrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { realSeams, type Seams } from "../seams.ts";
import { type Delivery, formats, type Queue, type QueueName } from "./queue.ts";
import { openRabbitmqQueue } from "./rabbitmq.ts";

const NAME: QueueName = "chat.messages";
const missing = missingService("rabbitmq");

/** The patience with a broker is some seconds, of which a test need not take all. */
const impatient: Seams = { ...realSeams, after: (delay_ms, run) => realSeams.after(delay_ms / 20, run) };

suite("the queue in RabbitMQ", { skip: missing }, () => {
  const stack = new AsyncDisposableStack();
  let broker: Service;
  let proxy: TcpProxy;
  let connections = 0;

  before(async () => {
    broker = stack.use(await startService("rabbitmq"));
    const port = Number(new URL(broker.url).port);
    proxy = stack.use(await openTcpProxy(() => ((connections += 1), { port })));
  });
  after(() => stack.disposeAsync());

  async function open(url: string, changes: { seams?: Seams; prefetch_messages?: number } = {}): Promise<Queue> {
    const { seams = realSeams, prefetch_messages = 20 } = changes;
    const tuning = { prefetch_messages, retries_ms: [50, 100], visibility_ms: 60_000, drain_ms: 60_000, formats };
    const events = { onOutcome() {}, onFailure() {}, onTrouble() {} };
    return openRabbitmqQueue({ url, seams, tuning, events });
  }

  const throughProxy = () => {
    const url = new URL(broker.url);
    url.port = String(proxy.port);
    return url.href;
  };
  const isUnavailable = (thrown: unknown) =>
    thrown instanceof MatrixError && thrown.errcode === "IO_PARLEY_UNAVAILABLE";
  const depth = async (queue: Queue) => (await queue.depths()).find(({ name }) => name === NAME);

  test("what the broker does not confirm in time is refused, and another connection takes the place of that one", async () => {
    const queue = await open(throughProxy(), { seams: impatient });
    await queue.publish(NAME, "confirmed");
    const before = connections;
    proxy.behave("swallow");
    await assert.rejects(soon("who publishes is told", queue.publish(NAME, "unconfirmed")), isUnavailable);
    await soonFound("there is another connection", () => connections > before);
    proxy.behave("pass");
    await queue.close();
  });

  test("only so many messages wait for the broker's word", async () => {
    const queue = await open(throughProxy());
    proxy.behave("hang");
    const all = Array.from({ length: limits.laneQueue_submissions }, () => queue.publish(NAME, "waits"));
    const ended = Promise.allSettled(all);
    await assert.rejects(
      Promise.race([queue.publish(NAME, "one more"), new Promise((resolve) => setImmediate(resolve))]),
      isUnavailable,
    );
    proxy.cut();
    proxy.behave("pass");
    await ended;
    await queue.close();
  });

  test("a message over which consumers die is dead in the end", async () => {
    const queue = await open(broker.url);
    await drain(queue);
    await queue.publish(NAME, "deadly");
    for (let deaths = 0; deaths <= limits.queueDeliveries; deaths++) {
      const connection = await connect(broker.url);
      const channel = await connection.createChannel();
      const given = Promise.withResolvers<void>();
      await channel.consume(NAME, () => given.resolve());
      await soon(`the message is handed out after ${deaths} deaths`, given.promise);
      await connection.close();
    }
    await soonFound("the message is dead", async () => (await depth(queue))?.dead === 1);
    await queue.discardDead(NAME);
    await queue.close();
  });

  test("a queue that was deleted is made again, and consumed", async () => {
    const queue = await open(broker.url);
    await drain(queue);
    const got: string[] = [];
    const consumer = queue.consume(NAME, async ({ body }) => void got.push(body));
    await queue.publish(NAME, "before");
    await soonFound("it is consumed", () => got.includes("before"));
    const connection = await connect(broker.url);
    await (await connection.createChannel()).deleteQueue(NAME);
    await connection.close();
    await soonFound("it is consumed again", async () => {
      // While it is not there yet, this is refused.
      await queue.publish(NAME, "after").catch((thrown: unknown) => assert.ok(isUnavailable(thrown)));
      return got.includes("after");
    });
    await consumer.close();
    await queue.close();
  });

  test("what there is no queue for is not confirmed, and the queue is made again for what comes after it", async () => {
    const queue = await open(broker.url);
    await drain(queue);
    const connection = await connect(broker.url);
    await (await connection.createChannel()).deleteQueue(NAME);
    await connection.close();
    await assert.rejects(soon("who publishes is told", queue.publish(NAME, "nowhere")), isUnavailable);
    await soonFound("it is taken again", () =>
      queue.publish(NAME, "kept").then(
        () => true,
        (thrown: unknown) => assert.ok(isUnavailable(thrown)),
      ),
    );
    assert.equal((await depth(queue))?.waiting, 1);
    await queue.close();
  });

  test("a consumer that closes is given nothing more, and what it leaves counts no attempt", async () => {
    const queue = await open(broker.url, { prefetch_messages: 2 });
    await drain(queue);
    const running = new Map<string, () => void>();
    const closing = queue.consume(NAME, ({ body }) => new Promise((resolve) => running.set(body, () => resolve())));
    for (const body of ["a", "b", "c"]) await queue.publish(NAME, body);
    await soonFound("two are handed out", () => running.size === 2);
    const closed = closing.close();
    running.get("a")?.();
    // Its place is free now, and "b" still runs: the broker has time to hand out the third ever again.
    for (let looks = 0; looks < 50; looks++) assert.deepEqual(await depth(queue), { name: NAME, waiting: 1, dead: 0 });
    const more: Delivery[] = [];
    const other = queue.consume(NAME, async (delivery) => void more.push(delivery));
    await soonFound("another consumer has the third", () => more.length === 1);
    running.get("b")?.();
    await soon("the consumer has closed", closed);
    assert.deepEqual([...running.keys()], ["a", "b"]);
    assert.deepEqual(
      more.map(({ body, attempt }) => [body, attempt]),
      [["c", 1]],
    );
    await other.close();
    await queue.close();
  });

  /** Messages of the tests before. */
  async function drain(queue: Queue): Promise<void> {
    const consumer = queue.consume(NAME, async () => {});
    await soonFound("the queue is empty", async () => (await depth(queue))?.waiting === 0);
    await consumer.close();
  }
});
