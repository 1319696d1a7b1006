/** Where the shell finds the operator API, and that it asks for nothing twice. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { Config } from "../config.ts";
import { realSeams } from "../seams.ts";
import { openApi } from "./operation-api.ts";

/** The port of a server that does so, and how often it was asked. */
async function listen(answer: RequestListener) {
  let asked = 0;
  const server = createServer((request, response) => {
    asked++;
    answer(request, response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

const at = (port: number, publicPort: number) =>
  openApi({
    config: {
      host: "127.0.0.1",
      port,
      publicUrl: `http://127.0.0.1:${publicPort}`,
      shell: { adminToken: "token" },
    } as unknown as Config,
    server: undefined,
    seams: realSeams,
  });

test("a change whose connection is lost is not asked for at the next address; a question is", async () => {
  await using first = await listen(({ socket }) => socket.destroy());
  await using second = await listen((_request, response) => response.end("{}"));
  const api = at(first.port, second.port);
  await assert.rejects(api.send({ method: "POST", path: "/users", body: {} }), /may have been done/);
  assert.deepEqual([first.asked(), second.asked()], [1, 0]);
  assert.equal((await api.send({ method: "GET", path: "/users" })).status, 200);
});

test("where nobody listens, a change is asked for at the next address", async () => {
  const closed = await listen(() => {});
  await closed[Symbol.asyncDispose]();
  await using second = await listen((_request, response) => response.end("{}"));
  assert.equal((await at(closed.port, second.port).send({ method: "POST", path: "/users", body: {} })).status, 200);
});
