import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { startTestServer } from "../../testkit/src/server.ts";

const server = await startTestServer();
after(() => server.stop());

const upgrade = (...headers: string[]) =>
  [
    "GET /_parley/client/v1/stream HTTP/1.1",
    "host: a",
    "upgrade: websocket",
    "connection: upgrade",
    "sec-websocket-version: 13",
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
    "\r\n",
  ].join("\r\n");

/** The statuses of what comes back, after the last of which the client ends the connection. */
async function statusesOf(bytes: string, count: number): Promise<number[]> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  const ended = text(socket);
  socket.write(bytes);
  let come = "";
  socket.on("data", (chunk: Buffer) => {
    come += chunk.toString("latin1");
    if (statusesIn(come).length >= count) socket.end();
  });
  await once(socket, "close");
  return statusesIn(await ended);
}

function statusesIn(answers: string): number[] {
  return [...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
}

const ordinary = "GET /_matrix/client/versions HTTP/1.1\r\nhost: a\r\n\r\n";

for (const [what, before, status] of [
  ["whose answer is being made", ordinary, 200],
  ["that was refused before any route", ordinary.replace("host: a", "host: a\r\nexpect: miracles"), 417],
] as const)
  test(
    `an upgrade that is sent behind a request ${what} is answered after it, as an ordinary request`,
    { timeout: 20_000 },
    async () => {
      assert.deepEqual(await statusesOf(before + upgrade("connection: close"), 2), [status, 426]);
      assert.deepEqual(await statusesOf(upgrade(), 1), [101]);
    },
  );
