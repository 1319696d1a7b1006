/** G10: connections at the stop of a process. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { soon } from "../../testkit/src/wait.ts";
import { closeHttp, watchConnections } from "./http-end.ts";
import { realSeams } from "./seams.ts";

/** In a thread of its own, so that it goes on while this one stands still. Each word that it is sent makes it ask once. */
const CLIENT = `
  const { parentPort, workerData: { port, sent } } = require("node:worker_threads");
  const socket = require("node:net").connect(port, "127.0.0.1");
  let answers = "";
  socket.on("data", (data) => {
    answers += data;
    if (answers.match(/HTTP/g).length === 1) parentPort.postMessage("answered");
  });
  socket.on("error", () => {});
  socket.on("close", () => parentPort.postMessage(answers));
  const ask = () => socket.write("GET / HTTP/1.1\\r\\nhost: a\\r\\n\\r\\n", () => {
    Atomics.add(sent, 0, 1);
    Atomics.notify(sent, 0);
  });
  parentPort.on("message", ask);
  socket.once("connect", ask);
`;

test("a request that has come while the process had no time is answered, though its connection was idle when it had", async () => {
  let isStopping = false;
  const server = createServer((_request, response) => {
    response.setHeader("connection", isStopping ? "close" : "keep-alive").end("here");
  });
  const close = () => new Promise((closed) => void server.close(closed));
  watchConnections(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const sent = new Int32Array(new SharedArrayBuffer(4));
  const { port } = server.address() as AddressInfo;
  const client = new Worker(CLIENT, { eval: true, workerData: { port, sent } });
  client.unref();
  await soon("the first request is answered", once(client, "message"));
  const ended = once(client, "message");
  // From a timer the loop goes on to what there is to read.
  const stopped = new Promise<void>((resolve) => {
    setTimeout(() => {
      isStopping = true;
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- It is a thread, which has none.
      client.postMessage("ask");
      for (let count = 0; count < 2; count = Atomics.load(sent, 0)) Atomics.wait(sent, 0, count, 30_000);
      resolve(closeHttp({ server, close }, realSeams));
    });
  });
  const [answers] = (await soon("the connection ends", ended)) as [string];
  assert.equal(answers.match(/HTTP\/1.1 200/g)?.length, 2);
  await stopped;
  await client.terminate();
});
