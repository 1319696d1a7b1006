// A client of the stream: a real socket, and everything that came over it. Each frame is checked against the protocol.

import type { Json, Person } from "./http.ts";
import { checkFrame } from "./stream-schema.ts";
import { soon } from "./wait.ts";

/** How much of what came is told where something did not come. */
const TOLD_CHARACTERS = 4_000;

export type StreamClient = Disposable & {
  webSocket: WebSocket;
  /** Every frame so far. */
  frames: Json[];
  /** The newest token: of a frame with news, or of a heartbeat. */
  token(): string | undefined;
  /** Sends an object as JSON, checked; a text or bytes as they are. */
  send(frame: object | string | Uint8Array<ArrayBuffer>): void;
  /** Resolves with the first frame, of those so far and those to come, that `fits`. */
  until(fits: (frame: Json) => unknown): Promise<Json>;
  /** The close code and the reason. */
  readonly closed: Promise<{ code: number; reason: Json }>;
};

/** Opens a socket at the server, and says nothing. Rejects where the handshake is refused. */
export async function openSocket(url: string, headers: Record<string, string> = {}): Promise<StreamClient> {
  const address = `${url.replace("http", "ws")}/_parley/client/v1/stream`;
  const webSocket = new WebSocket(address, { headers } as never);
  const frames: Json[] = [];
  const looking = new Set<() => void>();
  const look = () => {
    for (const each of looking) each();
  };
  webSocket.addEventListener("message", ({ data }) => {
    const frame: unknown = JSON.parse(data as string);
    checkFrame("serverSends", frame);
    frames.push(frame);
    look();
  });
  const closed = new Promise<{ code: number; reason: Json }>((resolve) =>
    webSocket.addEventListener("close", ({ code, reason }) =>
      resolve({ code, reason: reason === "" ? undefined : JSON.parse(reason) }),
    ),
  );
  void closed.then(look);
  const open = new Promise((resolve, reject) => {
    webSocket.addEventListener("open", resolve);
    webSocket.addEventListener("error", () => reject(new Error("the handshake was refused")));
  });
  await soon("the handshake of a stream is over", open);
  const told = () => `The frames so far: …${JSON.stringify(frames).slice(-TOLD_CHARACTERS)}`;
  return {
    webSocket,
    frames,
    get closed() {
      return soon("the server closes the stream", closed, told);
    },
    token: () => frames.map(tokenOf).findLast((token) => token !== undefined),
    send(frame) {
      const isRaw = typeof frame === "string" || frame instanceof Uint8Array;
      if (!isRaw) checkFrame("clientSends", frame);
      webSocket.send(isRaw ? frame : JSON.stringify(frame));
    },
    until(fits) {
      const { promise, resolve, reject } = Promise.withResolvers<Json>();
      const check = () => {
        const found = frames.find((frame) => fits(frame));
        if (found === undefined && webSocket.readyState !== WebSocket.CLOSED) return;
        if (found === undefined) reject(new Error(`The socket was closed. ${told()}`));
        else resolve(found);
      };
      looking.add(check);
      check();
      return soon(`a frame comes for which ${fits}`, promise, told).finally(() => looking.delete(check));
    },
    [Symbol.dispose]: () => webSocket.close(),
  };
}

/** Opens a stream and signs in. Resolves when the server says that it is ready. */
export async function openStream(url: string, person: Pick<Person, "token">, more: object = {}): Promise<StreamClient> {
  const client = await openSocket(url);
  client.send({ type: "sign_in", access_token: person.token, ...more });
  await client.until((frame) => frame.type === "ready");
  return client;
}

function tokenOf(frame: Json): string | undefined {
  if (frame.type === "sync") return frame.sync.next_batch as string;
  return frame.type === "heartbeat" ? (frame.next_batch as string) : undefined;
}

/** The events of a room over all these frames, in the order in which they came. */
export function eventsIn(frames: readonly Json[], roomId: string): Json[] {
  return frames
    .filter((frame) => frame.type === "sync")
    .flatMap((frame) => frame.sync.rooms?.join?.[roomId]?.timeline?.events ?? []);
}

/** Resolves when a frame has the event. */
export function untilEvent(client: StreamClient, roomId: string, eventId: string): Promise<Json> {
  return client.until((frame) => eventsIn([frame], roomId).some((event) => event.event_id === eventId));
}
