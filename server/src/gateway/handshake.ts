/** Who may open a WebSocket here. Nobody has signed in at this point: what is checked is where a connection comes from, and how many there are. */
import { WebSocketServer } from "ws";
import { matrixError } from "../errors.ts";
import type { Request } from "../http.ts";
import { limits } from "../limits.ts";
import { serveConnection } from "./connection.ts";
import type { Seams } from "../seams.ts";
import type { Gateway } from "./gateway.ts";

export type AcceptSocket = (request: Request<unknown, unknown, undefined>) => void;

/** Opens the handshake; the function takes a request over, or throws M_FORBIDDEN, M_LIMIT_EXCEEDED or IO_PARLEY_UNAVAILABLE. */
export function openHandshake(gateway: Gateway): AcceptSocket {
  const { ctx, registry } = gateway;
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    // Compression would cost each connection tens of kilobytes; what is encrypted does not get smaller.
    perMessageDeflate: false,
    maxPayload: limits.streamFrame_bytes,
  });
  const signingIn = createCounts();

  return (request) => {
    if (!request.headers.upgrade)
      throw matrixError("M_UNRECOGNIZED", "This is a WebSocket: ask for the upgrade.", { status: 426 });
    const { origin, host } = request.headers;
    if (origin !== undefined && !isOwnOrigin(origin, [ctx.publicUrl(), `http://${host}`, `https://${host}`]))
      throw matrixError("M_FORBIDDEN", "Pages of other origins may not open the stream.");
    const isFull = registry.count() >= limits.stream_connections || !signingIn.has(request.address);
    if (ctx.draining() || isFull) throw busy(ctx.seams);
    const upgrade = request.takeOver();
    if (!upgrade) throw matrixError("M_UNRECOGNIZED", "This is a WebSocket: ask for the upgrade.", { status: 426 });
    const done = signingIn.take(request.address);
    upgrade.socket.once("close", done);
    server.handleUpgrade(upgrade.request, upgrade.socket, upgrade.head, (webSocket) =>
      serveConnection({
        gateway,
        webSocket,
        socket: upgrade.socket,
        address: request.address,
        onSettled() {
          upgrade.socket.off("close", done);
          done();
        },
      }),
    );
  };
}

/** Each is told a time of its own: those who were refused together must not come together again. */
function busy(seams: Seams) {
  return matrixError("IO_PARLEY_UNAVAILABLE", "There are too many streams here at the moment.", {
    retryAfter_ms: limits.streamRetry_ms + seams.randomInt(limits.streamRetrySpread_ms),
  });
}

/** Whether the origin is that of one of the addresses. */
export function isOwnOrigin(origin: string, addresses: readonly string[]): boolean {
  if (!URL.canParse(origin)) return false;
  const own = new URL(origin).origin;
  return addresses.some((address) => URL.canParse(address) && new URL(address).origin === own);
}

/** Counts the connections that have not signed in, in all and by address. */
function createCounts() {
  const byAddress = new Map<string, number>();
  let count = 0;

  function change(address: string, by: number): void {
    const now = (byAddress.get(address) ?? 0) + by;
    if (now > 0) byAddress.set(address, now);
    else byAddress.delete(address);
    count += by;
  }

  return {
    /** Whether there is room for one more. */
    has: (address: string) =>
      count < limits.streamSignIn_connections &&
      (byAddress.get(address) ?? 0) < limits.streamSignInPerAddress_connections,
    /** Counts one; the function that it gives ends that, once. */
    take(address: string): () => void {
      change(address, 1);
      let isOver = false;
      return () => {
        if (!isOver) change(address, -1);
        isOver = true;
      };
    },
  };
}
