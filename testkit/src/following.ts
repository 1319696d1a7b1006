// Somebody who only reads: a sync after the other, as a client does it, whatever happens to the server.

import { setTimeout as wait } from "node:timers/promises";
import { type Json, type Person, tryRequest } from "./http.ts";

const CLIENT = "/_matrix/client/v3";
/** How long a client lets a server alone that did not answer. */
const BACK_OFF_MS = 50;
const FILTER = JSON.stringify({ room: { timeline: { limit: 100, types: ["m.room.message"] } } });

export type Following = AsyncDisposable & {
  /** The ids of the messages of the room in the order in which they came. */
  received: readonly string[];
  /** Resolves when these have all come. Rejects where one that reads gets an answer that no retry changes, or none. */
  until(eventIds: Iterable<string>): Promise<void>;
};

/** Follows one room from now on. `url` is asked before each request. */
export async function startFollowing(
  { token }: Person,
  { roomId, url }: { roomId: string; url: () => string },
): Promise<Following> {
  const received: string[] = [];
  const onNews = new Set<() => void>();
  const stopping = new AbortController();
  const get = async (path: string): Promise<Json> => {
    for (;;) {
      const answer = await tryRequest(url(), "GET", path, { token, signal: stopping.signal });
      if (answer?.status === 200) return answer.body;
      if (answer && answer.status < 500) throw new Error(`${path} was answered ${JSON.stringify(answer.body)}`);
      stopping.signal.throwIfAborted();
      await wait(BACK_OFF_MS, undefined, { signal: stopping.signal });
    }
  };
  const sync = (since: string, timeout_ms: number) =>
    get(`${CLIENT}/sync?filter=${encodeURIComponent(FILTER)}&timeout=${timeout_ms}${since && `&since=${since}`}`);
  /** The messages between the last sync and the part of the timeline that this one brought, oldest first. */
  const fillGap = async (from: string, to: string): Promise<string[]> => {
    const messages: string[] = [];
    for (let at: string | undefined = from; at !== undefined;) {
      const path = `${CLIENT}/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=500&from=${at}&to=${to}`;
      const { chunk, end } = await get(path);
      for (const event of chunk) if (event.type === "m.room.message") messages.push(event.event_id);
      at = end;
    }
    return messages.toReversed();
  };
  let since = (await sync("", 0)).next_batch as string;
  const follow = async () => {
    while (!stopping.signal.aborted) {
      const { rooms, next_batch } = await sync(since, 10_000);
      const timeline = rooms?.join?.[roomId]?.timeline;
      if (timeline?.limited) received.push(...(await fillGap(timeline.prev_batch, since)));
      for (const event of timeline?.events ?? []) received.push(event.event_id);
      since = next_batch;
      for (const tell of onNews) tell();
    }
  };
  const running = follow().catch((thrown: unknown) => {
    if (!stopping.signal.aborted) throw thrown;
  });
  running.catch(() => {});
  return {
    received,
    until(eventIds) {
      const wanted = [...eventIds];
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = () => wanted.every((id) => received.includes(id)) && resolve();
      onNews.add(look);
      look();
      return Promise.race([promise, running]).finally(() => onNews.delete(look));
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await running;
    },
  };
}
