/** What keeps a message with one consumer at a time: at which moment two of them meet is up to the test here. */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { createTestDatabase } from "../../../testkit/src/server.ts";
import { soon } from "../../../testkit/src/wait.ts";
import { type Db, openDatabase } from "../db/database.ts";
import { realSeams } from "../seams.ts";
import { openPostgresqlQueue } from "./postgresql.ts";
import {
  bury,
  countMessages,
  deleteMessages,
  insertMessages,
  putBack,
  type Taken,
  takeMessages,
} from "./postgresql-queries.ts";
import { type Depth, formats, type QueueEvents, type QueueName, type QueueTuning } from "./queue.ts";

const NAME: QueueName = "chat.messages";
const HELD = { limit: 10, visibility_ms: 60_000, format: 1 };

suite("messages in PostgreSQL", () => {
  const stack = new AsyncDisposableStack();
  let db: Db;

  before(async () => {
    const database = stack.use(await createTestDatabase());
    const databases = openDatabase({ url: database.url, connections: 4, onError() {} });
    stack.defer(() => databases.close());
    db = databases.queue;
  });
  after(() => stack.disposeAsync());

  const put = (...bodies: string[]) =>
    insertMessages(
      db,
      bodies.map((body) => ({ name: NAME, body, format: 1 })),
    );
  const bodies = (taken: readonly Taken[]) => taken.map(({ body }) => body);
  const clear = async (taken: readonly Taken[]) =>
    deleteMessages(
      db,
      taken.map(({ id }) => id),
    );

  test("who takes while another takes gets other messages, and waits for nobody", async () => {
    await put("a", "b", "c", "d");
    const [first, second] = await db.transaction(async (taking) => {
      const some = await takeMessages(taking, NAME, { ...HELD, limit: 2 });
      return [some, await takeMessages(db, NAME, HELD)];
    });
    assert.deepEqual(
      [bodies(first), bodies(second)],
      [
        ["a", "b"],
        ["c", "d"],
      ],
    );
    assert.deepEqual(await takeMessages(db, NAME, HELD), []);
    await clear([...first, ...second]);
  });

  test("who was too slow with a message takes it from nobody who has it since", async () => {
    await put("slow");
    const [slow] = (await takeMessages(db, NAME, { ...HELD, visibility_ms: 0 })) as [Taken];
    const [quick] = (await takeMessages(db, NAME, HELD)) as [Taken];
    assert.deepEqual([slow.id, slow.attempts, quick.attempts], [quick.id, 1, 2]);
    await putBack(db, slow, 0);
    assert.deepEqual(await takeMessages(db, NAME, HELD), []);
    await bury(db, slow, "too slow");
    assert.deepEqual(await countMessages(db, [NAME]), [{ name: NAME, waiting: 1, dead: 0 }]);

    // The control: who has it may do both.
    await putBack(db, quick, 0);
    const [last] = (await takeMessages(db, NAME, HELD)) as [Taken];
    await bury(db, last, "its last attempt");
    assert.deepEqual(await countMessages(db, [NAME]), [{ name: NAME, waiting: 0, dead: 1 }]);
  });

  const open = (changes: Partial<QueueTuning>, events: Pick<QueueEvents, "onOutcome" | "onTrouble">) =>
    openPostgresqlQueue({
      db,
      seams: realSeams,
      tuning: {
        prefetch_messages: 1,
        retries_ms: [50, 100],
        visibility_ms: 60_000,
        drain_ms: 1_000,
        formats,
        ...changes,
      },
      hints: { announce() {}, listen: () => () => {} },
      events: { onFailure() {}, ...events },
    });

  test("a message over which all of its consumers died is given to no other", async () => {
    const [{ dead: before }] = (await countMessages(db, [NAME])) as [Depth];
    await put("deadly");
    for (let attempt = 1; attempt <= 3; attempt++) await takeMessages(db, NAME, { ...HELD, visibility_ms: 0 });
    const given: string[] = [];
    const buried = Promise.withResolvers<unknown>();
    const queue = open({}, { onOutcome: (_name, outcome) => buried.resolve(outcome), onTrouble: buried.reject });
    queue.consume(NAME, async ({ body }) => void given.push(body));
    assert.equal(await soon("it is told what became of the message", buried.promise), "dead");
    await queue.close();
    assert.deepEqual(given, []);
    assert.deepEqual(await countMessages(db, [NAME]), [{ name: NAME, waiting: 0, dead: before + 1 }]);
  });

  test("what a consumer has not done when it must end is there for others at once", async () => {
    await put("long");
    const given = Promise.withResolvers<void>();
    const troubles: unknown[] = [];
    const queue = open({ drain_ms: 10 }, { onOutcome() {}, onTrouble: (thrown) => void troubles.push(thrown) });
    queue.consume(NAME, () => (given.resolve(), new Promise(() => {})));
    await soon("the message is handed out", given.promise);
    await queue.close();
    assert.deepEqual([bodies(await takeMessages(db, NAME, HELD)), troubles], [["long"], []]);
  });
});
