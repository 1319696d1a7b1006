import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";
import { BASE_URL, fakeServer, type FakeSocket } from "./fakeServer.testkit.ts";

const news = (next_batch: string, more: object = {}) => ({ type: "sync", sync: { next_batch, ...more } });
const syncs = (asked: readonly string[]) => asked.filter((path) => path.endsWith("/sync")).length;

test("requests to /sync are answered from the stream, one after the other, and nothing is asked over HTTP", async () => {
  const server = fakeServer();
  const first = server.sync("t0", { timeout: 30_000 });
  await sleep(5);
  const [line] = server.sockets as [FakeSocket];
  line.tell(news("t1", { rooms: { join: { "!a": {} } } }));
  line.tell(news("t2"));
  assert.deepEqual(await first, { next_batch: "t1", rooms: { join: { "!a": {} } } });
  assert.deepEqual(await server.sync("t1", { timeout: 30_000 }), { next_batch: "t2" });
  assert.equal(syncs(server.asked), 0);
  assert.deepEqual(line.sent[0], { type: "sign_in", since: "t0", ticket: "ticket" });
  server.streaming.close();
});

test("a request without patience is answered at once, with how far the server has told everything", async () => {
  const server = fakeServer();
  assert.deepEqual(await server.sync("t0"), { next_batch: "t0" });
  const [line] = server.sockets as [FakeSocket];
  line.tell({ type: "heartbeat", next_batch: "t5" });
  assert.deepEqual(await server.sync("t0"), { next_batch: "t5" });
  line.tell(news("t6"));
  assert.deepEqual(await server.sync("t5"), { next_batch: "t6" });
  assert.equal(server.sockets.length, 1);
  server.streaming.close();
});

test("it does not say that there is no news before the server has told everything", async () => {
  const server = fakeServer();
  server.behaviour = "silent";
  const answer = server.sync("t0");
  await sleep(5);
  const [line] = server.sockets as [FakeSocket];
  line.tell({ type: "ready", heartbeat_ms: 25_000 });
  await sleep(20);
  line.tell(news("t1"));
  assert.deepEqual(await answer, { next_batch: "t1" });
  server.streaming.close();
});

test("what was answered is acknowledged when the next request comes: to-device messages at once, the rest now and then", async () => {
  const server = fakeServer();
  await server.sync("t0");
  const [line] = server.sockets as [FakeSocket];
  line.tell(news("t1"));
  line.tell(news("t2", { to_device: { events: [{}] } }));
  line.tell(news("t3"));
  for (const since of ["t0", "t1", "t2", "t3"]) await server.sync(since);
  const acknowledged = line.sent.flatMap((frame) => (frame.type === "ack" ? [frame.since] : []));
  assert.deepEqual(acknowledged, ["t0", "t2"]);
  server.streaming.close();
});

test("a request that stands elsewhere than the line opens a new one from there", async () => {
  const server = fakeServer();
  await server.sync("t0");
  server.sockets[0]?.tell(news("t1"));
  await server.sync("older");
  assert.deepEqual(
    server.sockets.map(({ sent: [first] }) => first?.type === "sign_in" && first.since),
    ["t0", "older"],
  );
  assert.ok(server.sockets[0]?.isClosed);
  server.streaming.close();
});

test("a server without the stream is asked once, and never for a socket", async () => {
  const server = fakeServer();
  server.isAnnounced = false;
  for (const since of ["t0", "t1"]) assert.equal((await server.sync(since)).from, "http");
  assert.equal(server.sockets.length, 0);
  assert.equal(server.asked.filter((path) => path.endsWith("/versions")).length, 1);
});

test("while sockets are refused /sync answers, and the pauses between tries grow", async () => {
  const server = fakeServer();
  server.behaviour = "refuse";
  for (let i = 0; i < 20; i++) {
    assert.equal((await server.sync("t0")).from, "http");
    await sleep(10);
  }
  assert.ok(server.sockets.length >= 2 && server.sockets.length <= 6, `${server.sockets.length} tries`);
  server.behaviour = "ready";
  while ((await server.sync("t0")).from === "http") await sleep(20);
  server.streaming.close();
});

test("a line that breaks hands its request to /sync", async () => {
  const server = fakeServer();
  const waiting = server.sync("t0", { timeout: 30_000 });
  await sleep(5);
  server.sockets[0]?.end(1006);
  assert.equal((await waiting).from, "http");
});

test("a server that sends the client away is waited for as long as it wants, and not asked over HTTP", async () => {
  const server = fakeServer();
  const waiting = server.sync("t0", { timeout: 30_000 });
  await sleep(5);
  const begun_ms = performance.now();
  server.sockets[0]?.end(4503, { reconnect_in_ms: 50 });
  while (server.sockets.length < 2) await sleep(2);
  assert.ok(performance.now() - begun_ms >= 49);
  await sleep(5);
  server.sockets[1]?.tell(news("t1"));
  assert.deepEqual(await waiting, { next_batch: "t1" });
  assert.equal(syncs(server.asked), 0);
  server.streaming.close();
});

test("after stop no socket is opened again", async () => {
  const server = fakeServer();
  const waiting = server.sync("t0", { timeout: 30_000 });
  await sleep(5);
  server.sockets[0]?.end(4400, { errcode: "M_BAD_JSON" });
  assert.equal((await waiting).from, "http");
  await sleep(100);
  assert.equal((await server.sync("t0")).from, "http");
  assert.equal(server.sockets.length, 1);
});

test("a request that is aborted rejects, and its line ends", async () => {
  const server = fakeServer();
  const stop = new AbortController();
  const waiting = server.sync("t0", { timeout: 30_000, signal: stop.signal });
  await sleep(5);
  stop.abort();
  await assert.rejects(waiting, { name: "AbortError" });
  assert.ok(server.sockets[0]?.isClosed);
});

test("first syncs, other paths and requests without a token go by", async () => {
  const server = fakeServer();
  const headers = { Authorization: "Bearer token" };
  for (const path of ["/_matrix/client/v3/sync?timeout=0", "/_matrix/client/v3/sync?since=a&full_state=true"])
    await server.streaming.fetch(BASE_URL + path, { headers });
  await server.streaming.fetch(`${BASE_URL}/_matrix/client/v3/keys/query`, { headers });
  await server.streaming.fetch(`${BASE_URL}/_matrix/client/v3/sync?since=a`, {});
  assert.equal(server.asked.length, 4);
  assert.equal(server.sockets.length, 0);
});
