/** How a process that stops lets go of its connections. Those that serve something end with their answer; here it is about the others. */
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { limits } from "./limits.ts";
import type { Seams } from "./seams.ts";
import { othersTurn } from "./turns.ts";

const connections = new WeakMap<Server, Set<Socket>>();

/** From now on `closeHttp` knows the server's connections. */
export function watchConnections(server: Server): void {
  const open = new Set<Socket>();
  connections.set(server, open);
  server.on("connection", (socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
}

interface Serving {
  readonly server: Server;
  /** Takes no new connection; resolves when the last one has ended. */
  close(): PromiseLike<unknown>;
}

/**
 * Takes no new connection, lets what is in flight finish, and cuts what is still open after `limits.httpDrain_ms`: a connection
 * whose other end does not read, or sends no more, must not keep the process.
 */
export async function closeHttp(app: Serving, seams: Seams): Promise<void> {
  // `close` closes them too, but at once.
  await closeIdle(app.server);
  const closed = app.close();
  const sweep = seams.every(limits.httpSweep_ms, () => void closeIdle(app.server));
  const cut = seams.after(limits.httpDrain_ms, () => app.server.closeAllConnections());
  await closed;
  sweep.cancel();
  cut.cancel();
}

/**
 * Closes connections on which nothing is asked, and those on which nothing has been asked yet: browsers open some in advance, and
 * Node does not count them as idle. Only behind what has come being read: on a busy machine that may be a while after it came, and
 * a client whose request is in a connection that is closed does not know what became of it.
 */
async function closeIdle(server: Server): Promise<void> {
  await othersTurn();
  server.closeIdleConnections();
  for (const socket of connections.get(server) ?? []) if (socket.bytesRead === 0) socket.destroy();
}
