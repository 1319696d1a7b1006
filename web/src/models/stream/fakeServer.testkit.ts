/** The server's end of the stream in memory, and the HTTP that stands beside it, for tests of the client's end. */
import type { Socket } from "./connection.ts";
import type { ClientFrame } from "./protocol.ts";
import { createStreaming, type Streaming } from "./streamingFetch.ts";

/** One socket that the client has opened. */
export interface FakeSocket {
  socket: Socket;
  sent: ClientFrame[];
  isClosed: boolean;
  /** The server sends a frame. */
  tell(frame: object): void;
  /** The server ends the connection. */
  end(code: number, reason?: object): void;
}

export interface FakeServer {
  streaming: Streaming;
  sockets: FakeSocket[];
  /** The paths that were asked for over HTTP. */
  asked: string[];
  /** What it does with the next sockets: "ready" signs in, "refuse" ends at once, "silent" does nothing. */
  behaviour: "ready" | "refuse" | "silent";
  isAnnounced: boolean;
  /** A /sync request of the SDK. Gives the answer's body. */
  sync(since: string, more?: { timeout?: number; signal?: AbortSignal; filter?: string }): Promise<SyncBody>;
}

export interface SyncBody {
  next_batch: string;
  from?: "http";
  [more: string]: unknown;
}

export const BASE_URL = "https://parley.example";

export function fakeServer(): FakeServer {
  const server: FakeServer = {
    sockets: [],
    asked: [],
    behaviour: "ready",
    isAnnounced: true,
    streaming: createStreaming({
      baseUrl: BASE_URL,
      fetch: (resource, init) => answerHttp(server, new Request(resource).url, init?.signal ?? undefined),
      openSocket: () => openFake(server),
      firstPause_ms: 40,
    }),
    async sync(since, { timeout = 0, signal, filter } = {}) {
      const query = new URLSearchParams({ since, timeout: String(timeout), ...(filter ? { filter } : {}) });
      const response = await server.streaming.fetch(`${BASE_URL}/_matrix/client/v3/sync?${query}`, {
        headers: { Authorization: "Bearer token" },
        ...(signal ? { signal } : {}),
      });
      return (await response.json()) as SyncBody;
    },
  };
  return server;
}

async function answerHttp(server: FakeServer, address: string, signal: AbortSignal | undefined): Promise<Response> {
  signal?.throwIfAborted();
  const { pathname, searchParams } = new URL(address);
  server.asked.push(pathname);
  if (pathname.endsWith("/versions"))
    return Response.json({ versions: [], unstable_features: { "io.parley.stream": server.isAnnounced } });
  if (pathname.endsWith("/ticket")) return Response.json({ ticket: "ticket", expires_in_ms: 30_000 });
  return Response.json({ next_batch: `${searchParams.get("since")}+http`, from: "http" });
}

function openFake(server: FakeServer): Socket {
  const listeners = new Map<string, ((event: never) => void)[]>();
  const emit = (type: string, event: object) => {
    for (const listener of listeners.get(type) ?? []) listener(event as never);
  };
  const fake: FakeSocket = {
    sent: [],
    isClosed: false,
    tell: (frame) => emit("message", { data: JSON.stringify(frame) }),
    end(code, reason) {
      fake.isClosed = true;
      emit("close", { code, reason: reason === undefined ? "" : JSON.stringify(reason) });
    },
    socket: {
      addEventListener: (type: string, listener: never) =>
        listeners.set(type, [...(listeners.get(type) ?? []), listener]),
      close: () => void (fake.isClosed = true),
      send(text: string) {
        fake.sent.push(JSON.parse(text) as ClientFrame);
        if (fake.sent.length === 1 && server.behaviour === "ready") greet(fake);
      },
    },
  };
  server.sockets.push(fake);
  queueMicrotask(() => (server.behaviour === "refuse" ? fake.end(1006) : emit("open", {})));
  return fake.socket;
}

/** Signed in, and everything told. */
function greet(fake: FakeSocket): void {
  const [first] = fake.sent;
  fake.tell({ type: "ready", user_id: "@a:x", device_id: "A", heartbeat_ms: 25_000 });
  fake.tell({ type: "heartbeat", next_batch: first?.type === "sign_in" ? first.since : "" });
}
