// People who follow a room from its beginning, by /sync or by the stream with /sync while that is away, as the messenger does it.
// What a limited timeline left out they read from the history. Where the server can not go on from their token they start over.

import type { Json } from "../../testkit/src/http.ts";
import { CLIENT, type ClientOptions, insist, Refused } from "./clients.ts";

const FILTER = {
  room: { timeline: { limit: 100, types: ["m.room.message"] }, state: { types: [] } },
  presence: { types: [] },
};
const SYNC_MS = 3_000;
/** How long the messenger syncs without the stream before it tries it again. */
const WITHOUT_STREAM_MS = 500;

export type Way = "sync" | "stream";

export type Reader = {
  /** The ids of the messages in the order in which they came. */
  received: string[];
  running: Promise<void>;
};

/** Follows until `stop`. */
export function startReader(way: Way, options: ClientOptions): Reader {
  const received: string[] = [];
  const stand: Stand = { options, received, since: "" };
  const run = async () => {
    while (!options.stop.aborted) {
      if (way === "stream") await followStream(stand);
      await syncOnce(stand, way === "stream" ? WITHOUT_STREAM_MS : SYNC_MS);
    }
  };
  const running = run().catch((thrown: unknown) => {
    if (!options.stop.aborted) throw thrown;
  });
  return { received, running };
}

/** Where a reader stands. */
type Stand = { options: ClientOptions; received: string[]; since: string };

function get({ options: { person, addresses, stop, giveUp } }: Stand, path: string): Promise<Json> {
  return insist(addresses, ["GET", path], { person, signal: AbortSignal.any([stop, giveUp]) });
}

async function syncOnce(stand: Stand, timeout_ms: number): Promise<void> {
  const from = stand.since && `&since=${stand.since}`;
  const filter = encodeURIComponent(JSON.stringify(FILTER));
  await take(stand, await get(stand, `${CLIENT}/sync?timeout=${timeout_ms}&filter=${filter}${from}`));
}

/**
 * Takes what the answer tells. False where it is of a history that is no longer that of the server: then nothing of it is taken,
 * and the reader asks again from where it was.
 */
async function take(stand: Stand, { rooms, next_batch, account_data }: Json): Promise<boolean> {
  const timeline = rooms?.join?.[stand.options.roomId]?.timeline;
  // Everything from the beginning: that is what push rules tell of, which nobody changes here.
  const isFirst = account_data?.events.some(({ type }: Json) => type === "m.push_rules") ?? false;
  const missed = timeline?.limited ? await gap(stand, timeline.prev_batch, isFirst ? "" : stand.since) : [];
  if (!missed) return false;
  if (isFirst) stand.received.length = 0;
  stand.received.push(...missed, ...(timeline?.events ?? []).map((event: Json) => event.event_id as string));
  stand.since = next_batch as string;
  return true;
}

/** The messages behind one token and up to the other, oldest first; undefined where the server knows one of them no more. */
async function gap(stand: Stand, from: string, to: string): Promise<string[] | undefined> {
  const missed: string[] = [];
  const room = `${CLIENT}/rooms/${encodeURIComponent(stand.options.roomId)}`;
  for (let at: string | undefined = from; at !== undefined;) {
    const query = `dir=b&limit=200&from=${at}${to && `&to=${to}`}`;
    const page = await get(stand, `${room}/messages?${query}`).catch(unlessRefused);
    if (!page) return undefined;
    for (const event of page.chunk) if (event.type === "m.room.message") missed.push(event.event_id as string);
    at = page.end as string | undefined;
  }
  return missed.toReversed();
}

function unlessRefused(thrown: unknown): undefined {
  if (thrown instanceof Refused && thrown.message.includes("M_INVALID_PARAM")) return undefined;
  throw thrown;
}

/** Follows by one connection of the stream, until it ends. */
async function followStream(stand: Stand): Promise<void> {
  const { person, addresses, stop, giveUp } = stand.options;
  const url = addresses.next();
  const socket = new WebSocket(`${url.replace("http", "ws")}/_parley/client/v1/stream`);
  const close = () => socket.close();
  const over = AbortSignal.any([stop, giveUp]);
  over.addEventListener("abort", close, { once: true });
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  // One after the other: what a limited timeline left out is read meanwhile.
  let taking = Promise.resolve();
  socket.addEventListener("open", () => {
    const since = stand.since === "" ? {} : { since: stand.since };
    socket.send(JSON.stringify({ type: "sign_in", access_token: person.token, filter: FILTER, ...since }));
  });
  socket.addEventListener("message", ({ data }) => {
    const frame = JSON.parse(data as string);
    taking = taking.then(() => hear(stand, socket, frame)).catch((thrown: unknown) => (reject(thrown), close()));
  });
  socket.addEventListener("error", close);
  socket.addEventListener("close", () => resolve());
  await ended.finally(() => over.removeEventListener("abort", close));
  await taking;
  addresses.failed(url);
}

async function hear(stand: Stand, socket: WebSocket, frame: Json): Promise<void> {
  // Frames follow each other: behind one that was not taken none can be.
  if (frame.type !== "sync" || socket.readyState !== WebSocket.OPEN) return;
  if (!(await take(stand, frame.sync))) return socket.close();
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "ack", since: stand.since }));
}
