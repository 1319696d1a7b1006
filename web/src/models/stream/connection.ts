/** One WebSocket of the stream, from its sign-in to its end. A connection on which nothing comes for too long is dead. */
import { type ClientFrame, delayIn, type Ending, type ServerFrame, type SignIn } from "./protocol.ts";

/** What of a WebSocket is used here. */
export type Socket = Pick<WebSocket, "send" | "close" | "addEventListener">;

export interface Listener {
  onFrame(frame: ServerFrame): void;
  /** Called once, whatever the reason. */
  onEnd(ending: Ending): void;
}

export interface Connection {
  send(frame: ClientFrame): void;
  close(): void;
}

/** How long a sign-in may take, and a sign of life that was asked for. */
const PATIENCE_MS = 10_000;
const PROBE_MS = 5_000;
/** What a browser says of a connection that just broke. RFC 6455, 7.4.1. */
const ABNORMAL = 1006;

/** Opens a connection on a socket that is being opened. */
export function openConnection(socket: Socket, signIn: SignIn, listener: Listener): Connection {
  const network = new AbortController();
  let isOver = false;
  let silence_ms = PATIENCE_MS;
  let deadline = setTimeout(giveUp, silence_ms);

  function end(ending: Ending): void {
    if (isOver) return;
    isOver = true;
    clearTimeout(deadline);
    network.abort();
    listener.onEnd(ending);
  }

  function giveUp(): void {
    end({ code: ABNORMAL, reconnectIn_ms: undefined });
    socket.close();
  }

  function expect(within_ms: number): void {
    clearTimeout(deadline);
    deadline = setTimeout(giveUp, within_ms);
  }

  const send = (frame: ClientFrame) => {
    if (!isOver) socket.send(JSON.stringify(frame));
  };

  socket.addEventListener("open", () => send({ type: "sign_in", ...signIn }));
  socket.addEventListener("message", ({ data }) => {
    if (isOver) return;
    const frame = JSON.parse(String(data)) as ServerFrame;
    if (frame.type === "ready") silence_ms = 2 * frame.heartbeat_ms;
    expect(silence_ms);
    listener.onFrame(frame);
  });
  socket.addEventListener("close", ({ code, reason }) => end({ code, reconnectIn_ms: delayIn(reason) }));

  // A socket does not notice by itself that its network is gone, or is another one.
  onNetwork("offline", giveUp, network.signal);
  onNetwork("online", () => (send({ type: "ping" }), expect(PROBE_MS)), network.signal);

  return { send, close: giveUp };
}

/** What the browser says of the network; outside of a browser there is nobody to say it. */
function onNetwork(event: "online" | "offline", action: () => void, signal: AbortSignal): void {
  if ("window" in globalThis) window.addEventListener(event, action, { signal });
}
