/** A client of the stream for tests: a real socket, and everything that came over it. Each frame is checked against the protocol. */
import { once } from "node:events";
import WebSocket from "ws";
import type { Json, Person } from "../../../testkit/src/http.ts";
import { checkFrame } from "../../../testkit/src/stream-schema.ts";

export interface StreamClient extends Disposable {
  webSocket: WebSocket;
  /** Every frame so far. */
  frames: Json[];
  /** The token of the newest frame with news, or of the newest heartbeat. */
  token(): string | undefined;
  send(frame: object | string): void;
  /** Resolves with the first frame, of those so far and those to come, that `fits`. */
  until(fits: (frame: Json) => unknown): Promise<Json>;
  /** The close code and the reason. */
  closed: Promise<{ code: number; reason: Json }>;
}

/** Opens a socket at the server, and says nothing. */
export async function openSocket(url: string, headers: Record<string, string> = {}): Promise<StreamClient> {
  const webSocket = new WebSocket(`${url.replace("http", "ws")}/_parley/client/v1/stream`, { headers });
  const frames: Json[] = [];
  const looking = new Set<() => void>();
  const look = () => {
    for (const each of looking) each();
  };
  webSocket.on("message", (data: Buffer) => {
    const frame: unknown = JSON.parse(data.toString());
    checkFrame("serverSends", frame);
    frames.push(frame);
    look();
  });
  const closed = new Promise<{ code: number; reason: Json }>((resolve) =>
    webSocket.once("close", (code: number, reason: Buffer) =>
      resolve({ code, reason: reason.length > 0 ? JSON.parse(reason.toString()) : undefined }),
    ),
  );
  void closed.then(look);
  await once(webSocket, "open");
  return {
    webSocket,
    frames,
    closed,
    token: () => frames.map(tokenOf).findLast((token) => token !== undefined),
    send: (frame) => webSocket.send(typeof frame === "string" ? frame : JSON.stringify(frame)),
    until: (fits) =>
      new Promise((resolve, reject) => {
        const check = () => {
          const found = frames.find((frame) => fits(frame));
          if (found === undefined && webSocket.readyState !== webSocket.CLOSED) return;
          looking.delete(check);
          if (found === undefined) reject(new Error(`the socket was closed; it had ${JSON.stringify(frames)}`));
          else resolve(found);
        };
        looking.add(check);
        check();
      }),
    [Symbol.dispose]: () => webSocket.terminate(),
  };
}

/** Opens a stream and signs in. */
export async function openStream(url: string, person: Person, more: object = {}): Promise<StreamClient> {
  const client = await openSocket(url);
  client.send({ type: "sign_in", access_token: person.token, ...more });
  return client;
}

function tokenOf(frame: Json): string | undefined {
  if (frame.type === "sync") return frame.sync.next_batch as string;
  return frame.type === "heartbeat" ? (frame.next_batch as string) : undefined;
}

/** The events of a room over all frames, in the order in which they came. */
export function eventsIn(frames: readonly Json[], roomId: string): Json[] {
  return frames
    .filter((frame) => frame.type === "sync")
    .flatMap((frame) => frame.sync.rooms?.join?.[roomId]?.timeline?.events ?? []);
}
