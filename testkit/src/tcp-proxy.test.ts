import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { openTcpProxy } from "./tcp-proxy.ts";

/** A connection through a proxy, with both of its ends. */
async function throughProxy() {
  const ending = new AsyncDisposableStack();
  const server = createServer().listen(0, "127.0.0.1");
  ending.defer(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  let taken = "";
  const reading = new EventEmitter();
  const filter = () => ({
    request: (chunk: Buffer) => void reading.emit("read", (taken += chunk.toString())),
    answer: (chunk: Buffer) => chunk,
  });
  const proxy = ending.use(await openTcpProxy(() => ({ port }), filter));
  const arriving = once(server, "connection") as Promise<[Socket]>;
  const client = ending.adopt(connect(proxy.port, "127.0.0.1").setNoDelay(true), (socket) => void socket.destroy());
  const [far] = await arriving;
  const got: string[] = [];
  far.on("data", (chunk: Buffer) => got.push(chunk.toString()));
  const has = async (text: string) => {
    while (got.join("").length < text.length) await once(far, "data");
    assert.equal(got.join(""), text);
  };
  /** Resolves when the proxy has it. */
  const write = async (text: string) => {
    const all = taken + text;
    const isRead = () => taken === all;
    client.write(text);
    while (!isRead()) await once(reading, "read");
  };
  return { proxy, has, write, [Symbol.asyncDispose]: () => ending.disposeAsync() };
}

test("what comes when a delay ends does not overtake what came before", async () => {
  await using link = await throughProxy();
  link.proxy.delay(100);
  await link.write("a");
  await link.write("b");
  link.proxy.delay(0);
  await link.write("c");
  await link.has("abc");
});

test("what is held back while it hangs goes on in its order, before what comes later", async () => {
  await using link = await throughProxy();
  link.proxy.behave("hang");
  await link.write("a");
  link.proxy.delay(20);
  await link.write("b");
  link.proxy.behave("pass");
  await link.write("c");
  await link.has("abc");
});
