/** How streams are refused and how they end: each close code says what the client must do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, type Person, registerPerson } from "../../../testkit/src/http.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { eventsIn, openSocket, openStream, untilEvent } from "../../../testkit/src/stream.ts";
import { soon, soonFound } from "../../../testkit/src/wait.ts";
import { limits } from "../limits.ts";
import { realSeams, type Seams } from "../seams.ts";
import { CLOSE } from "./closing.ts";
import { returnWindow_ms } from "./drain.ts";
import { isOwnOrigin } from "./handshake.ts";

const SYNC = "/_matrix/client/v3/sync";
const TICKET = "/_parley/client/v1/stream/ticket";

test("a frame that is none ends the stream for good, and says why", async () => {
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const firsts = ["no JSON", "[]", '{"type":"ack","since":"s1_1"}', '{"type":"sign_in","since":5}', new Uint8Array(4)];
  for (const first of firsts) {
    using client = await openSocket(server.url);
    client.send(first);
    const { code, reason } = await client.closed;
    assert.equal(code, CLOSE.stop, String(first));
    assert.match(reason.errcode, /^M_(NOT_JSON|BAD_JSON)$/);
    assert.equal(client.frames[0].errcode, reason.errcode);
  }
  for (const later of ["no JSON", '{"type":"sign_in","access_token":"x"}', '{"type":"ack","since":"s1_99999999"}']) {
    using client = await openStream(server.url, alice);
    client.send(later);
    assert.equal((await client.closed).code, CLOSE.stop, later);
  }
});

test("a frame that is too large ends the stream with the protocol's own code", async () => {
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  using client = await openStream(server.url, alice);
  client.send("x".repeat(limits.streamFrame_bytes + 1));
  assert.equal((await client.closed).code, 1009);
});

test("who does not sign in is closed", async () => {
  const after: Seams["after"] = (delay_ms, action) =>
    realSeams.after(delay_ms === limits.streamSignIn_ms ? delay_ms / 100 : delay_ms, action);
  const seams: Seams = { ...realSeams, after };
  await using server = await startTestServer({ seams });
  using silent = await openSocket(server.url);
  assert.deepEqual([(await silent.closed).code, silent.frames[0].errcode], [CLOSE.stop, "M_MISSING_TOKEN"]);
});

/** A server on a clock that the test can move on; looks at the log and at the connections come quickly. */
async function startSkipping() {
  let skipped_ms = 0;
  const seams: Seams = {
    ...realSeams,
    monotonic_ms: () => realSeams.monotonic_ms() + skipped_ms,
    every: (every_ms, action) => realSeams.every(every_ms / 20, action),
  };
  const server = await startTestServer({ seams });
  const jump = (time_ms: number) => void (skipped_ms += time_ms);
  const { hub } = server.ctx.log;
  return {
    server,
    jump,
    /** Moves on in steps, with a look at the log in each. */
    async skip(time_ms: number): Promise<void> {
      for (let left_ms = time_ms; left_ms > 0; left_ms -= 5_000) {
        jump(Math.min(left_ms, 5_000));
        await soonFound("the process hears the log", () => hub.heard_ms() >= seams.monotonic_ms() - 4_000);
      }
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

test("there are heartbeats, and who says nothing for too long is closed", async () => {
  await using world = await startSkipping();
  const { server, skip } = world;
  const alice = await registerPerson(server.url, "alice");
  using quiet = await openStream(server.url, alice);
  const heartbeats = () => quiet.frames.filter((frame) => frame.type === "heartbeat").length;
  await quiet.until(() => heartbeats() >= 1);
  const first = heartbeats();
  await skip(limits.streamHeartbeat_ms);
  await quiet.until(() => heartbeats() > first);
  quiet.send({ type: "ping" });
  await quiet.until(() => heartbeats() > first + 1);
  await skip(limits.streamSilence_ms);
  assert.deepEqual(await quiet.closed, { code: CLOSE.reconnect, reason: { reconnect_in_ms: 0 } });
});

test("a process that has not heard the log for long sends its clients away: a session may have ended", async (t) => {
  await using world = await startSkipping();
  const alice = await registerPerson(world.server.url, "alice");
  using stream = await openStream(world.server.url, alice);
  await stream.until((frame) => frame.type === "heartbeat");
  const { hub } = world.server.ctx.log;
  const heard_ms = hub.heard_ms();
  // Else a look at the log, which comes as often, may be earlier than the one at the connections.
  t.mock.method(hub, "heard_ms", () => heard_ms);
  world.jump(2 * limits.streamBlind_ms);
  const { code, reason } = await stream.closed;
  assert.equal(code, CLOSE.reconnect);
  assert.ok(reason.reconnect_in_ms >= limits.streamRetry_ms, "not because it said nothing for too long");
});

test("a token that nobody has means sign in again, a token of sync that can not be gone on from means resync", async () => {
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const end = async (signIn: object) => {
    using client = await openSocket(server.url);
    client.send({ type: "sign_in", ...signIn });
    return await client.closed;
  };
  assert.deepEqual(await end({ access_token: "pat_none" }), {
    code: CLOSE.signIn,
    reason: { errcode: "M_UNKNOWN_TOKEN" },
  });
  assert.deepEqual((await end({ ticket: "pst_none" })).reason, { errcode: "M_UNKNOWN_TOKEN", soft_logout: true });
  using client = await openSocket(server.url);
  client.send(JSON.stringify({ type: "sign_in", access_token: alice.token, since: "nonsense" }));
  assert.equal((await client.closed).code, CLOSE.resync);
});

test("a token of another history begins with an initial sync", async () => {
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  using client = await openStream(server.url, alice, { since: "s99_5_5" });
  const { sync } = await client.until((frame) => frame.type === "sync");
  assert.ok(sync.account_data, "it has all account data");
});

test("a ticket opens one stream", async () => {
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const { ticket } = await alice.call("POST", TICKET);
  using first = await openSocket(server.url);
  first.send({ type: "sign_in", ticket });
  const { user_id } = await first.until((frame) => frame.type === "ready");
  assert.equal(user_id, alice.userId);
  using second = await openSocket(server.url);
  second.send({ type: "sign_in", ticket });
  assert.equal((await second.closed).code, CLOSE.signIn);
});

test("a session that ends closes its streams at once, and those of nobody else", async () => {
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const bob = await registerPerson(server.url, "bob");
  using stream = await openStream(server.url, alice);
  using other = await openStream(server.url, bob);
  await stream.until((frame) => frame.type === "heartbeat");
  await alice.call("POST", "/_matrix/client/v3/logout");
  assert.deepEqual(await stream.closed, { code: CLOSE.signIn, reason: { errcode: "M_UNKNOWN_TOKEN" } });
  assert.equal(other.webSocket.readyState, WebSocket.OPEN);
});

test("a session that ends while its stream is let in is told so, and no more", async (t) => {
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const { authenticate } = server.ctx;
  let isFirst = true;
  t.mock.property(server.ctx, "authenticate", async (...given: Parameters<typeof authenticate>) => {
    const session = await authenticate(...given);
    if (!isFirst) return session;
    isFirst = false;
    await alice.call("POST", "/_matrix/client/v3/logout");
    return session;
  });
  using stream = await openSocket(server.url);
  stream.send({ type: "sign_in", access_token: alice.token });
  assert.deepEqual(await stream.closed, { code: CLOSE.signIn, reason: { errcode: "M_UNKNOWN_TOKEN" } });
  assert.deepEqual(
    stream.frames.map(({ type }) => type),
    ["error"],
  );
});

/** Stops the server, and gives how each of these streams ended. */
async function endsOf(server: TestServer, person: Person, count: number) {
  const streams = await Promise.all(Array.from({ length: count }, () => openStream(server.url, person)));
  await Promise.all(streams.map((stream) => stream.until((frame) => frame.type === "heartbeat")));
  const token = streams[0]?.token();
  const begun_ms = performance.now();
  const halted = server.halt();
  const ends = await Promise.all(streams.map((stream) => stream.closed));
  await halted;
  assert.ok(performance.now() - begun_ms < limits.httpDrain_ms, "it did not wait for its sockets");
  assert.deepEqual([...new Set(ends.map(({ code }) => code))], [CLOSE.reconnect]);
  assert.ok(streams.every((stream) => stream.frames.at(-1).type === "go_away"));
  return { token, delays: new Set(ends.map(({ reason }) => reason.reconnect_in_ms)) };
}

/** Whether clients that are told these times come back together. */
const comeTogether = (delays: ReadonlySet<number>) => delays.size <= 5;

test("control of G10: with one time for all they would come back together", async () => {
  await using server = await startTestServer({ seams: { ...realSeams, randomInt: () => 500 } });
  const alice = await registerPerson(server.url, "alice");
  assert.ok(comeTogether((await endsOf(server, alice, 20)).delays));
});

test("G10: a server that stops sends everybody away, each with a time of its own, and is gone at once", async () => {
  const server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const { room_id: roomId } = await alice.call("POST", "/_matrix/client/v3/createRoom", {});
  const { token, delays } = await endsOf(server, alice, 20);
  assert.ok(!comeTogether(delays), [...delays].join());
  await using next = await startTestServer({ databaseUrl: server.databaseUrl });
  using again = await openStream(next.url, alice, { since: token });
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/1`;
  const sent = await fetch(next.url + path, {
    method: "PUT",
    headers: { authorization: `Bearer ${alice.token}` },
    body: JSON.stringify({ msgtype: "m.text", body: "hello again" }),
  });
  const { event_id } = (await sent.json()) as { event_id: string };
  await untilEvent(again, roomId, event_id);
  assert.equal(eventsIn(again.frames, roomId).length, 1);
});

test("the time over which clients come back grows with their number, within bounds", () => {
  assert.deepEqual([1, 5_000, 1_000_000].map(returnWindow_ms), [1_000, 15_000, 30_000]);
});

test("pages of other origins may not open the stream; who sends none, or the server's own, may", async () => {
  await using server = await startTestServer();
  await assert.rejects(openSocket(server.url, { origin: "https://evil.example" }));
  using own = await openSocket(server.url, { origin: server.url });
  assert.equal(own.webSocket.readyState, WebSocket.OPEN);
  const addresses = ["https://chat.example/", "http://chat.example:8008"];
  const allowed = ["https://chat.example", "http://chat.example:8008"];
  const refused = ["http://chat.example", "https://chat.example.evil", "null", "", "https://chat.example:444"];
  assert.ok(allowed.every((origin) => isOwnOrigin(origin, addresses)));
  assert.ok(!refused.some((origin) => isOwnOrigin(origin, addresses)));
});

test("a plain request is told to upgrade, and an upgrade elsewhere is an ordinary request", async () => {
  await using server = await startTestServer();
  const plain = await fetch(`${server.url}/_parley/client/v1/stream`);
  assert.equal(plain.status, 426);
  const elsewhere = new WebSocket(`${server.url.replace("http", "ws")}${SYNC}`);
  await soon("the upgrade is refused", new Promise((resolve) => elsewhere.addEventListener("error", resolve)));
  const alice: Person = await registerPerson(server.url, "alice");
  const answer: Json = await alice.call("GET", SYNC);
  assert.ok(answer.next_batch);
});

test("no person has more streams than the limit", async () => {
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const streams = [];
  for (let i = 0; i < limits.streamsPerUser_connections; i++) streams.push(await openStream(server.url, alice));
  using more = await openSocket(server.url);
  more.send({ type: "sign_in", access_token: alice.token });
  const { code, reason } = await more.closed;
  assert.deepEqual([code, reason.errcode], [CLOSE.stop, "M_RESOURCE_LIMIT_EXCEEDED"]);
  for (const stream of streams) stream.webSocket.close();
});
