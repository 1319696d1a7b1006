import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { Registry } from "prom-client";
import { type Person, registerPerson, request } from "../../../testkit/src/http.ts";
import { createPostgres } from "../../../testkit/src/postgres.ts";
import { temporaryDirectory } from "../../../testkit/src/process.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { missingService, type Service, startService } from "../../../testkit/src/services.ts";
import { soonFound } from "../../../testkit/src/wait.ts";
import { limits } from "../limits.ts";
import type { LogEntry } from "../log/entry.ts";
import { openQueue } from "../queue/open.ts";
import type { Queue } from "../queue/queue.ts";
import { realSeams } from "../seams.ts";
import { roleNames } from "../roles.ts";
import { newEventId } from "../rooms/submit.ts";
import { encodeSend, readPack, sendingOf } from "./send-packs.ts";
import { append } from "./sending.ts";

const CLIENT = "/_matrix/client/v3";
const skip = missingService("rabbitmq");
let made = 0;

/** A room of the person's with the means to send to it by way of `url`. */
async function newRoom(person: Person, url: string) {
  const { room_id } = await person.call("POST", `${CLIENT}/createRoom`, { preset: "public_chat" });
  const roomId = room_id as string;
  const path = `${CLIENT}/rooms/${encodeURIComponent(roomId)}/send/m.room.message`;
  const ask = (body: object, { txn = `t${++made}`, token = person.token } = {}) =>
    request(url, "PUT", `${path}/${txn}`, { token, body });
  const send = async (body: object, options?: { txn?: string }): Promise<string> => {
    const answer = await ask(body, options);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body.event_id as string;
  };
  return { roomId, ask, send };
}

async function messagesOf({ ctx }: TestServer, roomId: string): Promise<string[]> {
  const entries = await ctx.db.log.query<LogEntry>(
    "select body from log.entries where room_id = $1 and type = 'm.room.message' order by position",
    [roomId],
  );
  return entries.map(({ body }) => (JSON.parse(body) as { content: { body: string } }).content.body);
}

async function deliveries({ ctx }: TestServer, outcome: string): Promise<number> {
  const metric = ctx.metrics.registry.getSingleMetric("parley_queue_deliveries_total");
  const { values } = (await metric?.get()) ?? { values: [] };
  return values.find(({ labels }) => labels["outcome"] === outcome && labels["queue"] === "chat.messages")?.value ?? 0;
}

let rabbitmq: Service | undefined;
const adapters = [
  { queue: "postgresql" as const, rabbitmqUrl: async () => undefined, skip: false as const },
  {
    queue: "rabbitmq" as const,
    rabbitmqUrl: async () => (rabbitmq ??= await startService("rabbitmq")).url,
    skip,
  },
];
after(() => rabbitmq?.stop());

for (const adapter of adapters)
  suite(`sends by way of the queue in ${adapter.queue}`, { skip: adapter.skip }, () => {
    let server: TestServer;
    let alice: Person;
    let bob: Person;
    before(async () => {
      const config = { queue: adapter.queue, rabbitmqUrl: await adapter.rabbitmqUrl() };
      server = await startTestServer({ config });
      alice = await registerPerson(server.url, "alice");
      bob = await registerPerson(server.url, "bob");
    });
    after(() => server.stop());

    test("a send is answered when it is committed, and a worker did it", async () => {
      const room = await newRoom(alice, server.url);
      const before = await deliveries(server, "done");
      const eventId = await room.send({ msgtype: "m.text", body: "through the queue" });
      assert.match(eventId, /^\$[A-Za-z0-9_-]{43}$/);
      assert.deepEqual(await messagesOf(server, room.roomId), ["through the queue"]);
      const event = await alice.call("GET", `${CLIENT}/rooms/${room.roomId}/event/${eventId}`);
      assert.equal(event.sender, alice.userId);
      assert.match(event.unsigned.transaction_id as string, /^t\d+$/);
      await soonFound("its delivery is counted", async () => (await deliveries(server, "done")) !== before);
    });

    test("a refusal comes back as the same error as without a queue", async () => {
      const room = await newRoom(alice, server.url);
      const refused = await room.ask({ body: "not a member" }, { token: bob.token });
      assert.deepEqual([refused.status, refused.body.errcode], [403, "M_FORBIDDEN"]);
      const large = await room.ask({ body: "x".repeat(70_000) });
      assert.deepEqual([large.status, large.body.errcode], [413, "M_TOO_LARGE"]);
      assert.deepEqual(await messagesOf(server, room.roomId), []);
    });

    test("a retry gets the id of the first time, and there is one event", async () => {
      const room = await newRoom(alice, server.url);
      const first = await room.send({ body: "once" }, { txn: "again" });
      const begun_ms = performance.now();
      assert.equal(await room.send({ body: "once" }, { txn: "again" }), first);
      assert.ok(performance.now() - begun_ms < 5_000, "it waited for the end of patience");
      const both = await Promise.all([1, 2, 3].map(() => room.send({ body: "at once" }, { txn: "same" })));
      assert.equal(new Set(both).size, 1);
      assert.deepEqual(await messagesOf(server, room.roomId), ["once", "at once"]);
    });

    test("what one person sends after an answer stands behind what was answered, whoever else sends", async () => {
      const room = await newRoom(alice, server.url);
      await bob.call("POST", `${CLIENT}/join/${encodeURIComponent(room.roomId)}`, {});
      const sendInTurn = async (prefix: string, token: string) => {
        for (let n = 0; n < 30; n++) assert.equal((await room.ask({ body: `${prefix}${n}` }, { token })).status, 200);
      };
      await Promise.all([sendInTurn("a", alice.token), sendInTurn("b", bob.token)]);
      const all = await messagesOf(server, room.roomId);
      for (const prefix of ["a", "b"])
        assert.deepEqual(
          all.filter((body) => body.startsWith(prefix)),
          Array.from({ length: 30 }, (_, n) => `${prefix}${n}`),
        );
    });

    test("a send that fails among others of its message comes again without them", async () => {
      const { ctx } = server;
      const room = await newRoom(alice, server.url);
      const session = await ctx.authenticate(alice.token);
      const sends = ["good", "bad", "good too"].map((body, n) => {
        const names = { roomId: room.roomId, type: "m.room.message", txnId: `pack ${n}`, eventId: newEventId(ctx) };
        return { session, ...names, content: { body } };
      });
      const { commit } = ctx.log;
      const asked: (string | undefined)[] = [];
      ctx.log.commit = async (submission) => {
        const text = (JSON.parse(submission.entries[0]?.body as string) as { content: { body: string } }).content.body;
        asked.push(text);
        if (text === "bad" && asked.filter((each) => each === "bad").length < 3) throw new Error("not now");
        return commit(submission);
      };
      try {
        await ctx.queue?.publish("chat.messages", `[${sends.map(encodeSend).join()}]`);
        await until(async () => (await messagesOf(server, room.roomId)).length === 3);
      } finally {
        ctx.log.commit = commit;
      }
      assert.deepEqual(await messagesOf(server, room.roomId), ["good", "good too", "bad"]);
      assert.deepEqual(asked, ["good", "bad", "good too", "bad", "bad"]);
    });

    test("what another release adds to a send is overlooked, and stays with it when it comes again", async () => {
      const { ctx } = server;
      const room = await newRoom(alice, server.url);
      const session = await ctx.authenticate(alice.token);
      const sends = ["first", "second"].map((body, n) => {
        const names = { roomId: room.roomId, type: "m.room.message", txnId: `later ${n}`, eventId: newEventId(ctx) };
        const packed = JSON.parse(encodeSend({ session, ...names, content: { body } })) as unknown[];
        return [...packed, null, { of_the_next_release: n }];
      });
      const { commit } = ctx.log;
      const queue = ctx.queue as Queue;
      const { publish } = queue;
      const published: string[] = [];
      queue.publish = (name, body, format) => (published.push(body), publish(name, body, format));
      let refusals = 0;
      ctx.log.commit = async (submission) => {
        if (submission.entries[0]?.body.includes("second") && refusals++ === 0) throw new Error("not now");
        return commit(submission);
      };
      try {
        await publish("chat.messages", JSON.stringify(sends));
        await until(async () => (await messagesOf(server, room.roomId)).length === 2);
      } finally {
        ctx.log.commit = commit;
        queue.publish = publish;
      }
      assert.deepEqual(await messagesOf(server, room.roomId), ["first", "second"]);
      assert.deepEqual(published, [JSON.stringify([sends[1]])]);
    });

    test("a worker that dies between its commit and its acknowledgement leaves one event", async () => {
      const { queue, rabbitmqUrl } = server.ctx.config;
      // A door that takes sends and has no worker; then the only worker there is dies, and another comes.
      const config = { roles: ["gateway"] as const, queue, rabbitmqUrl };
      await using door = await startTestServer({ databaseUrl: server.databaseUrl, config });
      const room = await newRoom(alice, door.url);
      await server.halt();
      const dying = await openQueue({ ...door.ctx, db: door.ctx.db.queue, seams: impatient, registry: new Registry() });
      let taken = 0;
      dying?.consume("chat.messages", async ({ body }) => {
        const sends = readPack(body);
        taken += sends.length;
        await Promise.all(sends.map((each) => append(door.ctx, sendingOf(each))));
        // It never comes to its acknowledgement.
        await new Promise(() => {});
      });
      const ids = await Promise.all(Array.from({ length: 40 }, (_, n) => room.send({ body: `m${n}` })));
      await dying?.close();
      assert.deepEqual([taken, new Set(ids).size], [40, 40]);
      server = await startTestServer({ databaseUrl: server.databaseUrl, config: { queue, rabbitmqUrl } });
      await until(async () => (await server.ctx.queue?.depths())?.every(({ waiting }) => waiting === 0) === true);
      const all = await messagesOf(server, room.roomId);
      assert.deepEqual([all.length, new Set(all).size], [40, 40]);
    });
  });

/** As the real ones, but nobody waits long for a worker, or at the end. */
const impatient = {
  ...realSeams,
  after: (delay_ms: number, action: () => void) =>
    realSeams.after(delay_ms === limits.queuedSend_ms || delay_ms === limits.queueDrain_ms ? 50 : delay_ms, action),
};

async function until(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 10));
}

test("where no worker answers the process that was asked appends it itself", async () => {
  await using home = await startTestServer({ config: { roles: ["auth", "messages"] } });
  const alice = await registerPerson(home.url, "alice");
  const config = { roles: ["gateway"] as const, queue: "postgresql" as const };
  await using door = await startTestServer({ databaseUrl: home.databaseUrl, config, seams: impatient });
  const room = await newRoom(alice, door.url);
  await room.send({ body: "nobody works" });
  const refused = await room.ask({ body: "x".repeat(70_000) });
  assert.deepEqual([refused.status, refused.body.errcode], [413, "M_TOO_LARGE"]);
  assert.deepEqual(await messagesOf(home, room.roomId), ["nobody works"]);
});

test("a process with the role that is told to leave the queue to others takes nothing out of it", async () => {
  const queue = "postgresql" as const;
  await using door = await startTestServer({ config: { queue, isQueueWorker: false } });
  await using worker = await startTestServer({
    databaseUrl: door.databaseUrl,
    config: { roles: ["messages", "worker"], queue },
  });
  const alice = await registerPerson(door.url, "alice");
  const room = await newRoom(alice, door.url);
  for (let n = 0; n < 10; n++) await room.send({ body: `m${n}` });
  await until(async () => (await deliveries(worker, "done")) > 0);
  assert.equal(await deliveries(door, "done"), 0);
  assert.equal((await messagesOf(door, room.roomId)).length, 10);
});

test("while the broker is away sends go on, and when it is back they go through it again", { skip }, async () => {
  await using broker = await startService("rabbitmq");
  await using server = await startTestServer({ config: { queue: "rabbitmq", rabbitmqUrl: broker.url } });
  const alice = await registerPerson(server.url, "alice");
  const room = await newRoom(alice, server.url);
  await room.send({ body: "with it" });
  await broker.kill();
  await room.send({ body: "without it" });
  assert.deepEqual(await messagesOf(server, room.roomId), ["with it", "without it"]);
  await broker.start();
  const before = await deliveries(server, "done");
  await until(async () => {
    await room.send({ body: "again" });
    return (await deliveries(server, "done")) > before;
  });
});

test("a retry is answered though the bus loses what the worker says of it", async () => {
  const queue = "postgresql" as const;
  await using home = await startTestServer({ config: { roles: ["auth", "messages"], queue } });
  const alice = await registerPerson(home.url, "alice");
  await using door = await startTestServer({ databaseUrl: home.databaseUrl, config: { roles: ["gateway"], queue } });
  home.ctx.bus.publish = () => {};
  const room = await newRoom(alice, door.url);
  const send = () => room.send({ msgtype: "m.text", body: "once" }, { txn: "once" });
  const first = await send();
  const begun_ms = performance.now();
  assert.equal(await send(), first);
  const took_ms = performance.now() - begun_ms;
  assert.ok(took_ms > limits.queuedLook_ms * 0.9, `${took_ms}: somebody said it`);
  assert.ok(took_ms < limits.queuedSend_ms * 0.9, `${took_ms}`);
});

/** The backends that wait until a standby has what they committed. */
const WAITING = "select from pg_stat_activity where wait_event = 'SyncRep'";

test("G1: a send is not answered for being in the log, but when the standby has it", { skip }, async () => {
  using directory = temporaryDirectory();
  await using ending = new AsyncDisposableStack();
  const postgres = ending.adopt(await createPostgres(join(directory.path, "a")), (each) => each.crash());
  const broker = ending.adopt(await startService("rabbitmq"), (each) => each.stop());
  const shared = { queue: "rabbitmq", rabbitmqUrl: broker.url, bus: "postgresql" } as const;
  const others = roleNames.filter((role) => role !== "messages");
  const home = await startTestServer({ databaseUrl: postgres.url, config: { ...shared, roles: ["auth", "messages"] } });
  ending.defer(() => home.stop());
  const door = await startTestServer({ databaseUrl: postgres.url, config: { ...shared, roles: others } });
  ending.defer(() => door.stop());
  const alice = await registerPerson(home.url, "alice");
  const { room_id } = await alice.call("POST", `${CLIENT}/createRoom`, {});
  await door.ctx.log.reached(home.ctx.log.hub.head());
  const head = door.ctx.log.hub.head();
  const waitForStandby = async (name: string) => {
    await postgres.query(`alter system set synchronous_standby_names = '${name}'`);
    await postgres.query("select pg_reload_conf()");
  };

  await waitForStandby("nobody");
  let answer: Awaited<ReturnType<typeof request>> | undefined;
  const path = `${CLIENT}/rooms/${encodeURIComponent(room_id as string)}/send/m.room.message/surely`;
  const sent = request(door.url, "PUT", path, { token: alice.token, body: { body: "shown" } }).then(
    (got) => (answer = got),
  );
  await until(async () => (await postgres.query(WAITING)).length > 0);
  await postgres.query("select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'");
  await until(async () => door.ctx.log.hub.head() > head);
  // The worker looks for it, and so does the process that was asked.
  await until(async () => (await postgres.query(WAITING)).length >= 2);
  await request(door.url, "GET", "/_matrix/client/versions");
  assert.equal(answer, undefined, "it is shown, and not safe yet");
  await waitForStandby("");
  assert.equal((await sent).status, 200);
});
