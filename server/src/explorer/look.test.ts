/** A database that lets somebody in and then says nothing any more. What others say is tried in run.test.ts. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { connectForeign } from "../db/foreign.ts";
import { realSeams } from "../seams.ts";
import { graphsOf, tryOut } from "./look.ts";
import type { Way } from "./run.ts";

/** AuthenticationOk and ReadyForQuery, to whatever is said first. */
const WELCOME = Buffer.from("5200000008000000005a0000000549", "hex");

async function openSilent(): Promise<AsyncDisposable & { way: Way; released(): number }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => socket.write(WELCOME));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  // However long the patience is, it is over soon.
  const seams = { ...realSeams, after: (_ms: number, act: () => void) => realSeams.after(20, act) };
  const to = { host: "127.0.0.1", addresses: ["127.0.0.1"], port, database: "d", user: "u", tls: "disable" as const };
  const describe = async () => ({ ...to, password: () => "p" });
  let released = 0;
  const take = async () => {
    const connection = await connectForeign(await describe(), seams);
    return { connection, release: () => void released++ };
  };
  return {
    way: { take, describe, seams },
    released: () => released,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

test("who tries a database that says nothing is told so, and holds no connection", { timeout: 5_000 }, async () => {
  await using silent = await openSilent();
  assert.equal((await tryOut(silent.way)).ok, false);
  assert.equal(silent.released(), 1);
});

test("who looks at a database that says nothing is told so, and holds no connection", { timeout: 5_000 }, async () => {
  await using silent = await openSilent();
  await assert.rejects(graphsOf(silent.way), { errcode: "IO_PARLEY_UNAVAILABLE" });
  assert.equal(silent.released(), 1);
});
