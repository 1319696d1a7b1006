/**
 * Requests for another protocol, such as WebSocket. They go the way of all requests, so that they are limited and logged like
 * them, until their handler takes the connection over. Elsewhere than at the given paths such a request is an ordinary one.
 */
import { type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** A connection that leaves HTTP for another protocol. */
export interface Upgrade {
  request: IncomingMessage;
  socket: Socket;
  /** What the client sent behind its request. */
  head: Buffer;
}

const upgrades = new WeakMap<IncomingMessage, Upgrade>();

/**
 * Whether Node is to treat a request as one for another protocol: `shouldUpgradeCallback` of its server. Behind a request whose
 * answer is still to come it does not: the connection is taken by that answer.
 */
export function upgradesAt(paths: Iterable<string>): (request: IncomingMessage) => boolean {
  const known = new Set(paths);
  return ({ url = "", socket }) => known.has(url.split("?", 1)[0] as string) && !isAnswering(socket);
}

/** Where Node itself keeps it, for a connection has no other word for it; a response that is assigned then throws. */
function isAnswering(socket: Socket): boolean {
  return Boolean((socket as { _httpMessage?: unknown })._httpMessage);
}

/** Hands such requests to the router of all others. */
export function routeUpgrades(
  server: Pick<Server, "on">,
  routing: (request: IncomingMessage, response: ServerResponse) => void,
): void {
  server.on("upgrade", (request: IncomingMessage, stream, head: Buffer) => {
    const socket = stream as Socket;
    upgrades.set(request, { request, socket, head });
    socket.on("error", destroy);
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.once("finish", () => socket.end());
    routing(request, response);
  });
}

/** By itself, so that the listener of a connection that stays for long keeps nothing of its request. */
function destroy(this: Socket): void {
  this.destroy();
}

/** Parts the connection from its response; undefined where the client asked for no other protocol. */
export function takeUpgrade(request: IncomingMessage, response: ServerResponse): Upgrade | undefined {
  const upgrade = upgrades.get(request);
  if (upgrade) response.detachSocket(upgrade.socket);
  return upgrade;
}
