/**
 * Connections on which nothing has been asked yet. Browsers open some in advance, and Node does not count them as idle: a stop
 * would wait for them until its deadline.
 */
import type { Server } from "node:http";
import type { Socket } from "node:net";

const connections = new WeakMap<Server, Set<Socket>>();

/** From now on `closeSilentConnections` knows the server's connections. */
export function watchConnections(server: Server): void {
  const open = new Set<Socket>();
  connections.set(server, open);
  server.on("connection", (socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
}

export function closeSilentConnections(server: Server): void {
  for (const socket of connections.get(server) ?? []) if (socket.bytesRead === 0) socket.destroy();
}
