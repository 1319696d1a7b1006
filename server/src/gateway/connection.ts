/**
 * One connection, from its handshake to its end.
 *
 *   waiting   until the first frame, for `limits.streamSignIn_ms`
 *   signing   while it waits for its turn (admission.ts) and that frame is looked up; the client waits for "ready"
 *   signed    frames with news go out (phases.ts, pump.ts), acknowledgements come in
 *   closed    a closing frame was sent, or the other end is gone
 */
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { asError, matrixError, MatrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { parseToken } from "../log/token.ts";
import { acknowledge } from "../sync/devices.ts";
import { noteOnline } from "../sync/online.ts";
import { CLOSE, type Closing, closingFor, refusal } from "./closing.ts";
import { createFollower, type Follower } from "./follower.ts";
import { type LaterFrame, readFrame, readSignIn } from "./frames.ts";
import type { Gateway } from "./gateway.ts";
import { dropKept, openOutlet, send } from "./outlet.ts";
import { follow, tellHead } from "./phases.ts";
import { fallBack } from "./pump.ts";
import { openSending, type TakeSend } from "./sending.ts";
import { signIn } from "./sign-in.ts";
import { textFrame } from "./wire.ts";

export interface Connection {
  gateway: Gateway;
  webSocket: WebSocket;
  socket: Socket;
  address: string;
  /** Called once, when it has signed in or is closed. */
  onSettled(): void;
}

/** Serves a connection whose handshake is done. */
export function serveConnection(connection: Connection): void {
  const { gateway, webSocket } = connection;
  const late = gateway.ctx.seams.after(limits.streamSignIn_ms, () => end(connection, lateSignIn()));
  const away = (why: Closing) => end(connection, why);
  gateway.arriving.add(away);
  const settled = () => {
    gateway.arriving.delete(away);
    late.cancel();
    connection.onSettled();
    // It holds the request, which is of no use any more.
    connection.onSettled = nothing;
  };
  // What the protocol itself forbids, such as a frame that is too large, closes the connection with its own code.
  webSocket.on("error", nothing);
  webSocket.once("close", settled);
  webSocket.once("message", (data: Buffer, isBinary: boolean) => {
    // How long it takes from here on is not the client's doing.
    late.cancel();
    webSocket.on("message", early);
    begin(connection, { data, isBinary }).then(
      (follower) => {
        webSocket.off("message", early);
        settled();
        webSocket.off("close", settled);
        if (follower) attend(connection, follower);
      },
      (thrown: unknown) => end(connection, closing(connection, thrown)),
    );
  });
  const early = () => end(connection, refusal(matrixError("M_BAD_JSON", "Wait for the frame ready.")));
}

function nothing(): void {}

function lateSignIn(): Closing {
  return refusal(matrixError("M_MISSING_TOKEN", "Nobody signed in.", { status: 401 }), CLOSE.stop);
}

interface FirstFrame {
  data: Buffer;
  isBinary: boolean;
}

/** Lets the connection in when it is its turn, which ends when the client has been told what it missed. */
async function begin(connection: Connection, first: FirstFrame): Promise<Follower | undefined> {
  const onLevel = await connection.gateway.admission.turn();
  try {
    const follower = await enter(connection, first, onLevel);
    if (!follower) onLevel();
    return follower;
  } catch (thrown) {
    onLevel();
    throw thrown;
  }
}

/** Signs the connection in and lets it take part; undefined where it was closed meanwhile. */
async function enter(
  connection: Connection,
  { data, isBinary }: FirstFrame,
  onLevel: () => void,
): Promise<Follower | undefined> {
  const { gateway, webSocket, socket } = connection;
  const { ctx, registry } = gateway;
  if (webSocket.readyState !== webSocket.OPEN) return undefined;
  const arrival = await signIn(ctx, readSignIn(data, isBinary), connection.address);
  if (webSocket.readyState !== webSocket.OPEN || ctx.stopping.aborted) return undefined;
  if (registry.ofUser(arrival.session.userId).size >= limits.streamsPerUser_connections)
    throw matrixError("M_RESOURCE_LIMIT_EXCEEDED", "You have too many streams open.");
  const close = (why: Closing) => end(connection, why, follower);
  const follower = createFollower(arrival, {
    outlet: openOutlet(socket, gateway.together),
    address: connection.address,
    now_ms: ctx.seams.monotonic_ms(),
    onLevel,
    close,
  });
  registry.add(follower);
  ctx.metrics.streamConnects.inc();
  ctx.metrics.streams.set(registry.count());
  noteOnline(ctx, follower.session, follower.presence);
  ctx.noteSeen(follower.session.id, follower.address);
  const { userId, deviceId } = follower.session;
  const ready = { type: "ready", user_id: userId, device_id: deviceId, heartbeat_ms: limits.streamHeartbeat_ms };
  send(follower.outlet, textFrame(JSON.stringify(ready)), follower.stand);
  // What an earlier connection was told of members may have been lost with it.
  gateway.parts.lazyMembers.delete(follower.session.id);
  if (arrival.since) acknowledge(ctx, gateway.parts, { session: follower.session, since: arrival.since.position });
  return follower;
}

/** Listens to the client and tells it what is new, until the connection ends. */
function attend(connection: Connection, follower: Follower): void {
  const { gateway, webSocket } = connection;
  // Most connections never send.
  let takeSend: TakeSend | undefined;
  webSocket.on("message", (data: Buffer, isBinary: boolean) => {
    try {
      const frame = readFrame(data, isBinary);
      if (frame.type === "send") {
        takeSend ??= openSending({ gateway, follower, webSocket });
        return takeSend(frame, data.length);
      }
      gateway.ctx.rates.take("streamFrames", follower.session.id);
      follower.heard_ms = gateway.ctx.seams.monotonic_ms();
      receive(gateway, follower, frame);
    } catch (thrown) {
      follower.close(closing(connection, thrown));
    }
  });
  webSocket.once("close", () => depart(gateway, follower));
  if (webSocket.readyState !== webSocket.OPEN) return depart(gateway, follower);
  tellAll(gateway, follower).catch((thrown: unknown) => follower.close(closing(connection, thrown)));
}

async function tellAll(gateway: Gateway, follower: Follower): Promise<void> {
  for await (const { text, before } of follow(gateway, follower)) {
    gateway.ctx.metrics.streamFrames.inc({ made: "own" });
    const dropped = send(follower.outlet, textFrame(text), before);
    if (dropped) fallBack(gateway, follower, dropped);
  }
}

function receive(gateway: Gateway, follower: Follower, frame: LaterFrame): void {
  const { ctx, parts } = gateway;
  const { session } = follower;
  if (frame.type === "presence") follower.presence = frame.set_presence;
  noteOnline(ctx, session, follower.presence);
  if (frame.type === "ping") return tellHead(gateway, follower);
  if (frame.type !== "ack") return;
  const token = parseToken(frame.since);
  const told = Math.max(follower.stand.position, gateway.pump.stand().position);
  if (!ctx.log.holds(token) || token.position > told)
    throw matrixError("M_INVALID_PARAM", "This token was not given out here.");
  acknowledge(ctx, parts, { session, since: token.position });
}

function depart({ ctx, registry }: Gateway, follower: Follower): void {
  follower.phase = "over";
  follower.onLevel?.();
  follower.leave?.();
  follower.leave = null;
  registry.remove(follower);
  ctx.metrics.streams.set(registry.count());
}

/** Says why, and closes. Frames that wait for the socket are dropped: the client's token says where it stands. */
function end(connection: Connection, { code, reason, frame }: Closing, follower?: Follower): void {
  const { gateway, webSocket, socket } = connection;
  if (follower) depart(gateway, follower);
  if (follower) dropKept(follower.outlet);
  if (webSocket.readyState !== webSocket.OPEN) return;
  if (!socket.writableNeedDrain) socket.write(textFrame(JSON.stringify(frame)));
  webSocket.close(code, reason);
  // A client that does not take the closing frame, or does not answer it.
  gateway.ctx.seams.after(limits.streamClose_ms, () => webSocket.terminate());
}

function closing({ gateway: { ctx } }: Connection, thrown: unknown): Closing {
  // A token that this server can not go on from: the client begins anew.
  if (thrown instanceof MatrixError && thrown.errcode === "M_INVALID_PARAM" && /"since"/.test(thrown.message))
    return refusal(thrown, CLOSE.resync);
  return closingFor(thrown, {
    retryIn_ms: limits.streamRetry_ms + ctx.seams.randomInt(limits.streamRetrySpread_ms),
    onUnexpected: (error) => ctx.logger.error({ err: asError(error) }, "a stream failed"),
  });
}
