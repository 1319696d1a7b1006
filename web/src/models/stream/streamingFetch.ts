/**
 * A `fetch` for the SDK that answers its incremental /sync requests from the stream, and everything else, and these too where
 * there is no stream, as before. The SDK sees answers of /sync and nothing else.
 */
import type { Socket } from "./connection.ts";
import { createFeed, type Feed, type FeedOptions, type Place, type Waiting } from "./feed.ts";
import { FEATURE, PATH, type SyncAnswer } from "./protocol.ts";

const SYNC = "/_matrix/client/v3/sync";
const VERSIONS = "/_matrix/client/versions";

export interface StreamingOptions {
  baseUrl: string;
  /** What answers all that the stream does not; it also brings the access token up to date. */
  fetch: typeof fetch;
  openSocket?: (url: string) => Socket;
  firstPause_ms?: number;
}

export interface Streaming {
  fetch: typeof fetch;
  /** Ends the stream. A later request opens it again. */
  close(): void;
}

/** Puts the stream before `options.fetch`. */
export function createStreaming(options: StreamingOptions): Streaming {
  const { baseUrl } = options;
  let authorization = "";
  const feed: Feed = createFeed({
    openSocket: () => openSocketOf(options)(`${baseUrl.replace(/^http/, "ws")}${PATH}`),
    ticket: () => ticketOf(options, authorization),
    ...(options.firstPause_ms === undefined ? {} : { firstPause_ms: options.firstPause_ms }),
  } satisfies FeedOptions);

  return {
    close: () => feed.close(),
    async fetch(resource, init) {
      const asked = init && syncOf(resource, baseUrl);
      const token = asked && new Headers(init.headers).get("Authorization");
      if (!asked || !token) return options.fetch(resource, init);
      authorization = token;
      const waiting: Waiting = { timeout_ms: asked.timeout_ms, signal: init.signal ?? undefined };
      const answer = await feed.answer(asked.place, waiting);
      return answer ? responseOf(answer) : options.fetch(resource, init);
    },
  };
}

function openSocketOf({ openSocket }: StreamingOptions): (url: string) => Socket {
  return openSocket ?? ((url) => new WebSocket(url));
}

/** What a request asks of /sync, if it is one that the stream can answer: it goes on from a token. */
function syncOf(resource: string | URL | Request, baseUrl: string): { place: Place; timeout_ms: number } | undefined {
  if (resource instanceof Request) return undefined;
  const url = new URL(resource, baseUrl);
  const query = url.searchParams;
  const since = query.get("since");
  if (url.pathname !== SYNC || since === null || query.get("full_state") === "true") return undefined;
  const filter = query.get("filter");
  const presence = query.get("set_presence");
  const place: Place = {
    since,
    ...(filter === null ? {} : { filter }),
    ...(presence === null ? {} : { set_presence: presence }),
    ...(query.get("use_state_after") === "true" ? { use_state_after: true } : {}),
    ...(query.get("org.matrix.msc4222.use_state_after") === "true"
      ? { "org.matrix.msc4222.use_state_after": true }
      : {}),
  };
  return { place, timeout_ms: Number(query.get("timeout") ?? 0) };
}

/** A ticket, where the server announces the stream. Rejects where the server does not answer as it should. */
async function ticketOf(options: StreamingOptions, authorization: string): Promise<string | undefined> {
  const versions = await options.fetch(`${options.baseUrl}${VERSIONS}`);
  if (!versions.ok) throw new Error(`the versions were answered ${versions.status}`);
  const { unstable_features } = (await versions.json()) as { unstable_features?: Record<string, boolean> };
  if (unstable_features?.[FEATURE] !== true) return undefined;
  const response = await options.fetch(`${options.baseUrl}${PATH}/ticket`, {
    method: "POST",
    headers: { Authorization: authorization },
    body: "{}",
  });
  if (!response.ok) throw new Error(`the ticket was answered ${response.status}`);
  return ((await response.json()) as { ticket: string }).ticket;
}

function responseOf(answer: SyncAnswer): Response {
  return new Response(JSON.stringify(answer), { status: 200, headers: { "Content-Type": "application/json" } });
}
