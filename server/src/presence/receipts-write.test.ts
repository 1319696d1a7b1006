import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { type Person, registerPerson } from "../../../testkit/src/http.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { missingService, type Service, startService } from "../../../testkit/src/services.ts";

const CLIENT = "/_matrix/client/v3";
const skip = missingService("rabbitmq");

let rabbitmq: Service | undefined;
after(() => rabbitmq?.stop());
const ways = [
  { queue: "none" as const, skip: false as const, settings: async () => ({}) },
  { queue: "postgresql" as const, skip: false as const, settings: async () => ({}) },
  {
    queue: "rabbitmq" as const,
    skip,
    settings: async () => ({ rabbitmqUrl: (rabbitmq ??= await startService("rabbitmq")).url }),
  },
];

for (const way of ways)
  suite(`receipts, with the queue ${way.queue}`, { skip: way.skip }, () => {
    let server: TestServer;
    let alice: Person;
    let bob: Person;
    before(async () => {
      server = await startTestServer({ config: { queue: way.queue, ...(await way.settings()) } });
      alice = await registerPerson(server.url, "alice");
      bob = await registerPerson(server.url, "bob");
    });
    after(() => server.stop());

    /** A room of both with so many messages of alice's. */
    async function roomWith(count: number) {
      const { room_id: roomId } = await alice.call("POST", `${CLIENT}/createRoom`, { preset: "public_chat" });
      const path = `${CLIENT}/rooms/${encodeURIComponent(roomId as string)}`;
      await bob.call("POST", `${path}/join`, {});
      const events: string[] = [];
      for (let n = 0; n < count; n++)
        events.push((await alice.call("PUT", `${path}/send/m.room.message/${roomId}${n}`, { body: `${n}` })).event_id);
      const read = (event: string, type = "m.read", body: object = {}) =>
        bob.call("POST", `${path}/receipt/${type}/${encodeURIComponent(event)}`, body);
      return { roomId: roomId as string, path, events, read };
    }

    async function stored(roomId: string) {
      const rows = await server.ctx.db.log.query<{ type: string; event: string }>(
        "select type, event_id as event from log.receipts where room_id = $1 and user_id = $2 order by type",
        [roomId, bob.userId],
      );
      return rows.map(({ type, event }) => [type, event]);
    }

    async function becomes(roomId: string, wanted: unknown[]): Promise<void> {
      const deadline_ms = performance.now() + 10_000;
      while (JSON.stringify(await stored(roomId)) !== JSON.stringify(wanted) && performance.now() < deadline_ms)
        await new Promise((resolve) => setTimeout(resolve, 10));
      assert.deepEqual(await stored(roomId), wanted);
    }

    test("a receipt moves forward, and never back, whatever the order in which they come", async () => {
      const { roomId, events, read } = await roomWith(3);
      await read(events[1] as string);
      await becomes(roomId, [["m.read", events[1]]]);
      await read(events[0] as string);
      await read(events[0] as string, "m.read.private");
      await becomes(roomId, [
        ["m.read", events[1]],
        ["m.read.private", events[0]],
      ]);
      await read(events[2] as string);
      await becomes(roomId, [
        ["m.read", events[2]],
        ["m.read.private", events[0]],
      ]);
      // What would go back is told to nobody.
      const told = await server.ctx.db.log.query<{ body: string }>(
        "select body from log.entries where kind = 'receipt' and room_id = $1 and type = 'm.read' order by position",
        [roomId],
      );
      assert.deepEqual(
        told.map(({ body }) => (JSON.parse(body) as { event_id: string }).event_id),
        [events[1], events[2]],
      );
    });

    test("of receipts that come together only the newest of a person in a room is an entry", async () => {
      const { roomId, events, read } = await roomWith(40);
      await Promise.all(events.map((event) => read(event)));
      await becomes(roomId, [["m.read", events.at(-1)]]);
      const rows = await server.ctx.db.log.query(
        "select 1 from log.entries where kind = 'receipt' and room_id = $1 and user_id = $2",
        [roomId, bob.userId],
      );
      assert.ok(rows.length < 30, `${rows.length} entries for 40 receipts`);
    });

    test("a thread that can not be is refused, and keeps nobody else's receipt back", async () => {
      const { path, events, read, roomId } = await roomWith(1);
      const [event] = events as [string];
      const wrong = ["", "$\u0000", "$\ud800", "thread", `$${"x".repeat(300)}`].map((thread_id) =>
        bob.ask("POST", `${path}/receipt/m.read/${encodeURIComponent(event)}`, { thread_id }),
      );
      const [answers] = await Promise.all([Promise.all(wrong), read(event)]);
      for (const { status, body } of answers) assert.deepEqual([status, body.errcode], [400, "M_INVALID_PARAM"]);
      await becomes(roomId, [["m.read", event]]);
    });
  });
