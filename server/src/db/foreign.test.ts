/** What is at the other end is whatever listens there, and may say anything. */
import assert from "node:assert/strict";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import { realSeams } from "../seams.ts";
import { connectForeign, ForeignError } from "./foreign.ts";

/** A message of the protocol: https://www.postgresql.org/docs/current/protocol-message-formats.html */
function message(type: string, content: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(content.length + 4, 1);
  return Buffer.concat([head, content]);
}

const greeting = Buffer.concat([message("R", Buffer.alloc(4)), message("Z", Buffer.from("I"))]);
const fatal = message("E", Buffer.from("SFATAL\0C57P01\0Mthe end\0\0"));

/** Greets, and says the rest to the first query; at once where it is to come with the greeting. */
async function startImpostor(rest: Buffer, isAtOnce: boolean): Promise<AsyncDisposable & { port: number }> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.write(isAtOnce ? Buffer.concat([greeting, rest]) : greeting);
      socket.on("data", () => void socket.end(rest));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}

const rests: [what: string, rest: Buffer][] = [
  ["a fatal error", fatal],
  ["a row that is shorter than it says", message("D", Buffer.from([0, 9, 0, 0, 0, 50]))],
  ["an answer to what was not asked", Buffer.concat(["s", "n", "1", "2", "3", "I"].map((type) => message(type)))],
  ["a message that there is not", message("?", Buffer.from("what"))],
];

for (const [what, rest] of rests)
  for (const isAtOnce of [true, false])
    test(`${what} ${isAtOnce ? "with the greeting" : "in place of rows"} is the connection's end, and nothing else's`, async () => {
      await using impostor = await startImpostor(rest, isAtOnce);
      const { port } = impostor;
      const address = { host: "127.0.0.1", addresses: ["127.0.0.1"], port, database: "a", user: "a" };
      const asking = async () => {
        const connection = await connectForeign({ ...address, password: () => "", tls: "disable" }, realSeams);
        try {
          await connection.query("select 1");
        } finally {
          connection.cut();
        }
      };
      await assert.rejects(asking(), ForeignError);
    });
