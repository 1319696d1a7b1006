/** G10: what a process does between the wish that it ends and its end, so that nobody who is served by it sees a failure. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { registerPerson, request } from "../../testkit/src/http.ts";
import { createRoom } from "../../testkit/src/room.ts";
import { startTestServer, type TestServer, untilSyncsWait } from "../../testkit/src/server.ts";
import { openSocket, openStream, untilEvent } from "../../testkit/src/stream.ts";
import { soon, soonFound } from "../../testkit/src/wait.ts";
import { CLOSE } from "./gateway/closing.ts";
import { limits } from "./limits.ts";
import { realSeams, type Seams } from "./seams.ts";

const CLIENT = "/_matrix/client/v3";

/** Timers of this length, for which no other part of the server waits, run when the test says so. */
function holding(time_ms: number) {
  const held: (() => void)[] = [];
  let isOver = false;
  let begun = Promise.withResolvers<void>();
  const seams: Seams = {
    ...realSeams,
    after(delay_ms, action) {
      if (delay_ms !== time_ms || isOver) return realSeams.after(isOver ? 0 : delay_ms, action);
      held.push(action);
      begun.resolve();
      return { cancel: () => void held.splice(held.indexOf(action), 1) };
    },
  };
  /** Resolves when the next one has begun, with what ends its wait. */
  const next = async () => {
    await soon(`somebody waits for ${time_ms} ms`, begun.promise);
    begun = Promise.withResolvers<void>();
    const [action] = held as [() => void];
    return () => held.splice(held.indexOf(action), 1).forEach((each) => each());
  };
  /** To be done before the server is stopped for good, whatever has failed. */
  const letGo = () => {
    isOver = true;
    for (const action of held.splice(0)) action();
  };
  return { seams, next, [Symbol.dispose]: letGo };
}

/** Keeps whatever is appended from now on, until it is let go, at the end of the test at the latest. */
function holdAppends({ ctx }: TestServer) {
  const [reached, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { append } = ctx.log;
  ctx.log.append = async (submission) => {
    reached.resolve();
    await held.promise;
    return append(submission);
  };
  const isReached = () => soon("something is appended", reached.promise);
  return { isReached, letGo: held.resolve, [Symbol.dispose]: held.resolve };
}

/** Resolves when the server takes no connection any more: from then on it closes those that there are. */
function untilDeaf(url: string): Promise<unknown> {
  const { hostname, port } = new URL(url);
  const isDeaf = async () => {
    const socket = connect(Number(port), hostname);
    try {
      await once(socket, "connect");
      socket.destroy();
      return false;
    } catch {
      return true;
    }
  };
  return soonFound("the server takes no connection any more", isDeaf);
}

test("it is not ready at once, and serves on for as long as it takes to tell that; then it sends away whoever waits", async () => {
  const drain_ms = 123_457;
  const timers = holding(drain_ms);
  await using server = await startTestServer({ seams: timers.seams, config: { drain_ms } });
  using held = timers;
  const alice = await registerPerson(server.url, "alice");
  const room = await createRoom(alice);
  using stream = await openStream(server.url, alice, { set_presence: "offline" });
  await stream.until((frame) => frame.type === "heartbeat");
  const stopping = server.halt();
  const end = await held.next();

  const ready = await request(server.url, "GET", "/health/ready");
  assert.deepEqual([ready.status, ready.body.ready], [503, false]);
  assert.equal((await request(server.url, "GET", "/health/live")).status, 200);
  await assert.rejects(openSocket(server.url), "new streams go to others");
  await untilEvent(stream, room.id, await room.say(alice, "still here"));
  const { headers, body } = await alice.ask("GET", `${CLIENT}/sync?set_presence=offline`);
  assert.equal(headers.get("connection"), "close", "its next request goes to another process");
  const waiting = alice.ask("GET", `${CLIENT}/sync?set_presence=offline&timeout=30000&since=${body.next_batch}`);
  await untilSyncsWait(server, 1);
  assert.equal(stream.webSocket.readyState, WebSocket.OPEN);

  end();
  assert.equal((await stream.closed).code, CLOSE.reconnect);
  assert.equal((await waiting).status, 200);
  await stopping;
});

test("what is in flight is finished and answered before it closes", async () => {
  const server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const room = await createRoom(alice);
  using appends = holdAppends(server);
  const sending = room.say(alice, "in flight");
  await appends.isReached();
  const stopping = server.halt();
  await untilDeaf(server.url);
  appends.letGo();
  const eventId = await sending;
  await stopping;
  await using next = await startTestServer({ databaseUrl: server.databaseUrl });
  const rows = await next.ctx.db.log.query("select from log.entries where event_id = $1", [eventId]);
  assert.equal(rows.length, 1);
});

test("what takes too long is cut off, so that the process ends", async (t) => {
  const time_ms = 5_003;
  t.mock.property(limits, "httpDrain_ms", time_ms as never);
  const timers = holding(time_ms);
  await using server = await startTestServer({ seams: timers.seams });
  using held = timers;
  const alice = await registerPerson(server.url, "alice");
  const room = await createRoom(alice);
  using appends = holdAppends(server);
  const sending = assert.rejects(room.say(alice, "for ever"));
  await appends.isReached();
  const stopping = server.halt();
  (await held.next())();
  await Promise.all([sending, stopping]);
});

test("whoever has not signed in yet is sent away too, and keeps the process from nothing", async (t) => {
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  using silent = await openSocket(server.url);
  using signing = await openSocket(server.url);
  const { authenticate } = server.ctx;
  const [reached, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  t.mock.property(server.ctx, "authenticate", async (...given: Parameters<typeof authenticate>) => {
    const session = await authenticate(...given);
    reached.resolve();
    await held.promise;
    return session;
  });
  signing.send({ type: "sign_in", access_token: alice.token });
  await soon("somebody is being signed in", reached.promise);
  const stopping = server.halt();
  try {
    for (const each of [silent, signing]) assert.equal((await each.closed).code, CLOSE.reconnect);
  } finally {
    held.resolve();
  }
  await stopping;
});

test("streams are sent away some at a time", async (t) => {
  t.mock.property(limits, "streamDrain_connections", 2 as never);
  t.mock.property(limits, "streamDrain_ms", 51 as never);
  const timers = holding(51);
  await using server = await startTestServer({ seams: timers.seams });
  using held = timers;
  const alice = await registerPerson(server.url, "alice");
  const streams = [];
  for (let i = 0; i < 5; i++) streams.push(await openStream(server.url, alice));
  const stopping = server.halt();
  for (const [first, second] of [streams.slice(0, 2), streams.slice(2, 4)]) {
    const goOn = await held.next();
    await Promise.all([first?.closed, second?.closed]);
    const later = streams.slice(streams.indexOf(second as (typeof streams)[0]) + 1);
    assert.ok(later.every(({ webSocket }) => webSocket.readyState === WebSocket.OPEN));
    goOn();
  }
  assert.equal((await streams[4]?.closed)?.code, CLOSE.reconnect);
  await stopping;
});
