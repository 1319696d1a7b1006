import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Meter } from "./meter.ts";
import type { Lane, Running } from "./senders.ts";
import { openStreamClient, type StreamLink } from "./stream-readers.ts";
import { messageText } from "./sync-answer.ts";

// Senders on io.parley.stream: docs/protocol/stream.md of Parley. They are told the news of their rooms as any client is.

export interface StreamSending {
  origin: string;
  /** A stream for each. */
  lanes: readonly Lane[];
  /** Begins the text of each message and its transaction id. */
  tag: string;
  /** Hit once for each send that is in the log, with the time from before its frame to the answer. */
  meter: Meter;
  /** Sends of one lane that wait for their answer, each of which starts the next. With `perSecond` they start by the clock. */
  inFlight: number;
  /** Of all lanes together, by the clock. */
  perSecond?: number;
}

const SENT = Buffer.from('{"type":"sent","id":');
const REFUSED = Buffer.from('{"type":"refused","id":');

/** Opens the streams and starts to send. */
export async function startStreamSenders(sending: StreamSending): Promise<Running> {
  const stopping = new AbortController();
  const outlets = await Promise.all(sending.lanes.map((lane) => openOutlet(sending, lane)));
  const { perSecond } = sending;
  if (perSecond === undefined) for (const outlet of outlets) outlet.fill(sending.inFlight);
  const finished = perSecond === undefined ? undefined : pace(outlets, perSecond, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await finished;
      for (const outlet of outlets) outlet.end();
    },
  };
}

interface Outlet {
  /** Starts so many sends, with those of the same turn in one write. */
  fill(count: number): void;
  end(): void;
}

async function openOutlet({ origin, tag, meter, perSecond }: StreamSending, { user, roomId }: Lane): Promise<Outlet> {
  const sentAt = new Map<number, number>();
  let next = 0;
  let wanted = 0;
  let ended = false;
  const link: StreamLink = await openStreamClient({
    origin,
    user,
    onAnswer: scanToken,
    onOther(payload) {
      const isSent = payload.subarray(0, SENT.length).equals(SENT);
      if (!isSent && !payload.subarray(0, REFUSED.length).equals(REFUSED)) return;
      const id = Number.parseInt(payload.toString("latin1", isSent ? SENT.length : REFUSED.length), 10);
      const from_ms = sentAt.get(id);
      sentAt.delete(id);
      if (isSent && from_ms !== undefined) meter.hit(performance.now() - from_ms);
      else meter.fail(payload.toString());
      if (perSecond === undefined) fill(1);
    },
    onEnd: () => ended || meter.fail("closed"),
  });

  function flush(): void {
    if (ended) return;
    const now_ms = performance.now();
    const texts: string[] = [];
    for (; wanted > 0; wanted--) {
      const text = messageText(tag, next);
      const content = { msgtype: "m.text", body: text };
      const names = { room_id: roomId, event_type: "m.room.message", txn_id: `txn-${text}` };
      texts.push(JSON.stringify({ type: "send", id: next, ...names, content }));
      sentAt.set(next++, now_ms);
    }
    link.sendAll(texts);
  }

  function fill(count: number): void {
    if (wanted === 0) setImmediate(flush);
    wanted += count;
  }

  return {
    fill,
    end() {
      ended = true;
      link.destroy();
    },
  };
}

const NEXT = Buffer.from('"next_batch":"');

function scanToken(body: Buffer): string | undefined {
  const token = body.lastIndexOf(NEXT) + NEXT.length;
  return body.toString("latin1", token, body.indexOf('"', token));
}

/** Open loop: sends start by the clock, whether or not earlier ones are answered. */
async function pace(outlets: readonly Outlet[], perSecond: number, stopped: AbortSignal): Promise<void> {
  const start_ms = performance.now();
  for (let count = 0; !stopped.aborted;) {
    const due = ((performance.now() - start_ms) / 1_000) * perSecond;
    for (; count <= due; count++) outlets[count % outlets.length]?.fill(1);
    await sleep(1, undefined, { signal: stopped }).catch(() => undefined);
  }
}
