/** Sends over a stream are those of PUT: checked, limited, told apart by their transaction, and never lost. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type Json, registerPerson, request } from "../../../testkit/src/http.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { openStream, type StreamClient, untilEvent } from "../../../testkit/src/stream.ts";
import { soonFound } from "../../../testkit/src/wait.ts";
import { limits } from "../limits.ts";
import { realSeams, type Seams } from "../seams.ts";
import { CLOSE } from "./closing.ts";

const CLIENT = "/_matrix/client/v3";

async function aliceAt(server: TestServer) {
  const alice = await registerPerson(server.url, "alice");
  const { room_id } = await alice.call("POST", `${CLIENT}/createRoom`, { preset: "public_chat" });
  return { alice, roomId: room_id as string };
}

let made = 0;

/** Sends over the stream, and gives the answer. */
function sendOver(client: StreamClient, roomId: string, more: object | string): Promise<Json> {
  const id = ++made;
  const content = { msgtype: "m.text", body: more };
  client.send({
    type: "send",
    id,
    room_id: roomId,
    event_type: "m.room.message",
    txn_id: `t${id}`,
    content,
    ...(typeof more === "string" ? {} : more),
  });
  return client.until((frame) => frame.id === id);
}

/** Sends all at once; resolves with all the answers. `StreamClient.until` would look at each frame for each of them. */
function sendAll(client: StreamClient, roomId: string, bodies: readonly string[]): Promise<Json[]> {
  const first = made + 1;
  made += bodies.length;
  return new Promise((resolve, reject) => {
    const answers: Json[] = [];
    client.webSocket.addEventListener("message", ({ data }) => {
      const frame = JSON.parse(data as string);
      if (frame.id >= first && answers.push(frame) === bodies.length) resolve(answers);
    });
    client.webSocket.addEventListener("close", () => reject(new Error(`closed after ${answers.length} answers`)));
    for (const [n, body] of bodies.entries()) {
      const txn_id = `t${first + n}`;
      client.send({
        type: "send",
        id: first + n,
        room_id: roomId,
        event_type: "m.room.message",
        txn_id,
        content: { body },
      });
    }
  });
}

async function bodiesIn({ ctx }: TestServer, roomId: string): Promise<string[]> {
  const rows = await ctx.db.log.query<{ body: string }>(
    "select body from log.entries where room_id = $1 and type = 'm.room.message' order by position",
    [roomId],
  );
  return rows.map(({ body }) => JSON.parse(body).content.body as string);
}

for (const queue of ["none", "postgresql"] as const)
  suite(`with the queue ${queue}`, () => {
    test("a send over the stream is answered when it is in the log, and comes to others like any other", async () => {
      await using server = await startTestServer({ config: { queue } });
      const { alice, roomId } = await aliceAt(server);
      using client = await openStream(server.url, alice);
      const answer = await sendOver(client, roomId, "over the stream");
      assert.equal(answer.type, "sent");
      assert.deepEqual(await bodiesIn(server, roomId), ["over the stream"]);
      await untilEvent(client, roomId, answer.event_id as string);
    });

    test("what is refused has the error of PUT, and the stream goes on", async () => {
      await using server = await startTestServer({ config: { queue } });
      const { alice, roomId } = await aliceAt(server);
      const bob = await registerPerson(server.url, "bob");
      using client = await openStream(server.url, bob);
      const put = async (room: string, type: string, body: object) => {
        const path = `${CLIENT}/rooms/${encodeURIComponent(room)}/send/${type}/p${++made}`;
        const { status, body: answer } = await request(server.url, "PUT", path, { token: bob.token, body });
        return [status, answer.errcode];
      };
      const refused = [
        { room_id: roomId },
        { room_id: "!no:such.room" },
        { room_id: roomId, content: { body: "x".repeat(65_600) } },
        { room_id: roomId, content: { body: 1.5 } },
        { room_id: roomId, txn_id: "t".repeat(300) },
      ];
      for (const each of refused) {
        const answer = await sendOver(client, roomId, { content: { body: "refused" }, ...each });
        assert.equal(answer.type, "refused", JSON.stringify(each).slice(0, 80));
        if (each.txn_id === undefined)
          assert.deepEqual(
            [answer.status, answer.errcode],
            await put(each.room_id, "m.room.message", each.content ?? { body: "refused" }),
          );
      }
      const nul = await sendOver(client, "!nul\0", "refused");
      assert.deepEqual([nul.status, nul.errcode], [400, "M_INVALID_PARAM"]);
      await bob.call("POST", `${CLIENT}/join/${encodeURIComponent(roomId)}`, {});
      assert.equal((await sendOver(client, roomId, "as a member")).type, "sent");
      assert.deepEqual(await bodiesIn(server, roomId), ["as a member"]);
      assert.ok(alice);
    });

    test("the same transaction is one event, over streams and over HTTP", async () => {
      await using server = await startTestServer({ config: { queue } });
      const { alice, roomId } = await aliceAt(server);
      using first = await openStream(server.url, alice);
      using second = await openStream(server.url, alice);
      const txn_id = "same";
      const answers = await Promise.all(
        [first, second, first].map((client) => sendOver(client, roomId, { txn_id, content: { body: "once" } })),
      );
      const path = `${CLIENT}/rooms/${encodeURIComponent(roomId)}/send/m.room.message/same`;
      const put = await alice.call("PUT", path, { msgtype: "m.text", body: "once" });
      assert.deepEqual(new Set(answers.map((answer) => answer.event_id)), new Set([put.event_id]));
      assert.deepEqual(await bodiesIn(server, roomId), ["once"]);
    });
  });

test("more sends than may be under way are all answered, each once, and none is lost", async () => {
  await using server = await startTestServer({ config: { rateLimits: false } });
  const { alice, roomId } = await aliceAt(server);
  using client = await openStream(server.url, alice);
  const bodies = Array.from({ length: limits.streamSends * 5 }, (_, n) => `message ${n}`);
  const answers = await sendAll(client, roomId, bodies);
  assert.ok(answers.every((answer) => answer.type === "sent"));
  assert.equal(new Set(answers.map((answer) => answer.id)).size, bodies.length);
  assert.deepEqual(await bodiesIn(server, roomId), bodies);
});

test("the socket of who has too many sends under way is not read", async () => {
  await using server = await startTestServer({ config: { rateLimits: false } });
  const { alice, roomId } = await aliceAt(server);
  using client = await openStream(server.url, alice);
  let most = 0;
  let now = 0;
  const held = Promise.withResolvers<void>();
  const { append } = server.ctx.log;
  server.ctx.log.append = async (submission) => {
    most = Math.max(most, ++now);
    await held.promise;
    now -= 1;
    return append(submission);
  };
  const body = "x".repeat(2_000);
  const bodies = Array.from({ length: limits.streamSends * 3 }, (_, n) => `${body}${n}`);
  const sent = sendAll(client, roomId, bodies);
  await soonFound(`${limits.streamSends} sends are under way`, () => most >= limits.streamSends);
  // What has arrived in one chunk is still taken.
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(most < limits.streamSends + 50, `${most} were under way`);
  held.resolve();
  assert.ok((await sent).every((answer) => answer.type === "sent"));
  assert.deepEqual(await bodiesIn(server, roomId), bodies);
});

test("sends have the rate limit of PUT, together with it; who goes on all the same is closed", async () => {
  // On a clock that stands still no token comes back.
  const seams: Seams = { ...realSeams, monotonic_ms: () => 1_000_000 };
  await using server = await startTestServer({ seams, config: { rateLimits: true } });
  const { alice, roomId } = await aliceAt(server);
  using client = await openStream(server.url, alice);
  const { burst } = limits.rates.send;
  const texts = (count: number) => Array.from({ length: count }, (_, n) => `${n}`);
  const answers = await sendAll(client, roomId, texts(burst + 30));
  const refused = answers.filter((answer) => answer.type === "refused");
  assert.equal(refused.length, 30);
  for (const answer of refused) assert.deepEqual([answer.status, answer.errcode], [429, "M_LIMIT_EXCEEDED"]);
  assert.ok(refused[0]?.retry_after_ms > 0);
  const path = `${CLIENT}/rooms/${encodeURIComponent(roomId)}/send/m.room.message/http`;
  const put = await request(server.url, "PUT", path, { token: alice.token, body: { body: "over HTTP" } });
  assert.equal(put.status, 429);
  await assert.rejects(sendAll(client, roomId, texts(limits.rates.streamFrames.burst)), /closed after/);
  assert.equal((await client.closed).code, CLOSE.reconnect);
});

test("a process that does not hear the log sends for nobody: the session may have ended", async () => {
  let skipped_ms = 0;
  const seams: Seams = {
    ...realSeams,
    monotonic_ms: () => realSeams.monotonic_ms() + skipped_ms,
    every: (every_ms, action) => realSeams.every(every_ms === limits.headPoll_ms ? 86_400_000 : every_ms, action),
  };
  await using server = await startTestServer({ seams });
  const { alice, roomId } = await aliceAt(server);
  using client = await openStream(server.url, alice);
  skipped_ms = limits.sessionBlind_ms + 1_000;
  const answer = await sendOver(client, roomId, "blind");
  assert.deepEqual([answer.type, answer.errcode, answer.status], ["refused", "IO_PARLEY_UNAVAILABLE", 503]);
  assert.deepEqual(await bodiesIn(server, roomId), []);
});

test("what is no send ends the stream", async () => {
  await using server = await startTestServer();
  const { alice, roomId } = await aliceAt(server);
  const frame = { type: "send", id: 1, room_id: roomId, event_type: "m.room.message", txn_id: "t", content: {} };
  for (const wrong of [{ id: -1 }, { id: "1" }, { content: [] }, { txn_id: 5 }, { room_id: undefined }]) {
    using client = await openStream(server.url, alice);
    client.send(JSON.stringify({ ...frame, ...wrong }));
    assert.equal((await client.closed).code, CLOSE.stop, JSON.stringify(wrong));
  }
});
