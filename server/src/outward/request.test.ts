import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo } from "node:net";
import { test } from "node:test";
import { realSeams } from "../seams.ts";
import { readAllowed } from "./guard.ts";
import { type Outgoing, sendOutward } from "./request.ts";

const here = { allowed: readAllowed("127.0.0.1"), setting: "PARLEY_PUSH_HOSTS", isPublicAllowed: true };
const strict = { ...here, allowed: readAllowed("") };

async function serve(listener: RequestListener): Promise<AsyncDisposable & { port: number }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { port, [Symbol.asyncDispose]: close };
}

function to(url: string, more: Partial<Outgoing> = {}): Outgoing {
  return { method: "POST", url, body: "{}", timeout_ms: 5_000, answer_bytes: 1_000, ...more };
}

test("an answer comes whole, with its status, and a redirect is not followed", async () => {
  const asked: string[] = [];
  await using server = await serve((request, answer) => {
    asked.push(`${request.method} ${request.url}`);
    answer.writeHead(302, { location: "/elsewhere" }).end("moved");
  });
  const { status, body } = await sendOutward(realSeams, to(`http://127.0.0.1:${server.port}/there`), here);
  assert.deepEqual([status, body.toString()], [302, "moved"]);
  assert.deepEqual(asked, ["POST /there"]);
});

test("what no rule allows is not connected to, and neither is what is no plain address", async () => {
  let count = 0;
  await using server = await serve((_request, answer) => void (count++, answer.end()));
  const own = `http://127.0.0.1:${server.port}/`;
  await assert.rejects(sendOutward(realSeams, to(own), strict), { errcode: "M_FORBIDDEN" });
  const mapped = `http://[::ffff:127.0.0.1]:${server.port}/`;
  await assert.rejects(sendOutward(realSeams, to(mapped), here), { errcode: /M_FORBIDDEN|M_INVALID_PARAM/ });
  for (const url of ["ftp://127.0.0.1/", `http://a:b@127.0.0.1:${server.port}/`, "nowhere"])
    await assert.rejects(sendOutward(realSeams, to(url), here), { errcode: "M_INVALID_PARAM" });
  assert.equal(count, 0);
});

test("an answer that is too long or does not come is a failure", async () => {
  await using server = await serve((request, answer) => {
    if (request.url === "/long") answer.end("x".repeat(2_000));
  });
  const at = `http://127.0.0.1:${server.port}`;
  await assert.rejects(sendOutward(realSeams, to(`${at}/long`), here), /longer than 1000 bytes/);
  await assert.rejects(sendOutward(realSeams, to(`${at}/slow`, { timeout_ms: 50 }), here), /no answer within 50 ms/);
});

test("an answer that changes to another protocol is no answer, and does not keep whoever asked", async () => {
  await using server = await serve((request) => {
    request.socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: nothing\r\n\r\n");
  });
  const asked = sendOutward(realSeams, to(`http://127.0.0.1:${server.port}/`), here);
  await assert.rejects(asked, /without an answer/);
});
