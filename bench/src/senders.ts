import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { type Connection, connect, exchange, failureReason, retryAfter_ms } from "./http.ts";
import type { Ledger } from "./ledger.ts";
import { headersOf, sendRequest, type User } from "./matrix.ts";
import type { Meter } from "./meter.ts";
import { messageText } from "./sync-answer.ts";

/** One sender: a user who writes into a room, over a connection of its own. */
export interface Lane {
  user: User;
  roomId: string;
}

export interface Sending {
  origin: string;
  lanes: readonly Lane[];
  /** Begins the text of each message and its transaction id. */
  tag: string;
  ledger: Ledger;
  /** Hit once for each acknowledged send, with the time from before the request to its whole answer. */
  meter: Meter;
  /** Starts one send every so often in all, lane by lane; without it, each lane sends again as soon as it has its answer. */
  interval_ms?: number;
}

/** Load that runs until it is stopped; `stop` resolves when the last answer is in. */
export interface Running {
  stop(): Promise<void>;
}

const AFTER_FAILURE_MS = 50;

export function startSenders(sending: Sending): Running {
  const stopping = new AbortController();
  const outlets = sending.lanes.map((lane) => openOutlet(sending, lane));
  const finished =
    sending.interval_ms === undefined
      ? Promise.all(outlets.map((outlet) => saturate(outlet, stopping.signal)))
      : pace(outlets, sending.interval_ms, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await finished;
      await Promise.all(outlets.map(({ connection }) => connection.destroy()));
    },
  };
}

interface Outlet {
  connection: Connection;
  /** Sends one message; resolves with the pause that the server asks for, in milliseconds. */
  sendOne(): Promise<number>;
}

function openOutlet({ origin, tag, ledger, meter }: Sending, { user, roomId }: Lane): Outlet {
  const connection = connect(origin);
  const headers = headersOf(user);
  return {
    connection,
    async sendOne() {
      const from_ms = performance.now();
      const number = ledger.send(from_ms);
      const text = messageText(tag, number);
      try {
        const answer = await exchange(connection, { ...sendRequest(roomId, text), headers });
        if (answer.status !== 200) {
          meter.fail(String(answer.status));
          return retryAfter_ms(answer, AFTER_FAILURE_MS);
        }
        ledger.acknowledge(number);
        meter.hit(performance.now() - from_ms);
        return 0;
      } catch (error) {
        meter.fail(failureReason(error));
        return AFTER_FAILURE_MS;
      }
    },
  };
}

/** Closed loop: the next send starts when the last is answered. */
async function saturate(outlet: Outlet, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) {
    const pause_ms = await outlet.sendOne();
    if (pause_ms > 0) await rest(pause_ms, stopped);
  }
}

/**
 * Open loop: sends start by the clock whether or not earlier ones are answered, so that a slow
 * server is not spared the load that it is slow at.
 */
async function pace(outlets: readonly Outlet[], interval_ms: number, stopped: AbortSignal): Promise<void> {
  const inFlight = new Set<Promise<number>>();
  const start_ms = performance.now();
  for (let count = 0; !stopped.aborted;) {
    // All that are due: a timer has no finer steps than a millisecond.
    for (const due = (performance.now() - start_ms) / interval_ms; count <= due; count++) {
      const sent = outlets[count % outlets.length]?.sendOne();
      if (sent === undefined) continue;
      inFlight.add(sent);
      void sent.then(() => inFlight.delete(sent));
    }
    await rest(start_ms + count * interval_ms - performance.now(), stopped);
  }
  await Promise.all(inFlight);
}

async function rest(delay_ms: number, stopped: AbortSignal): Promise<void> {
  await sleep(Math.max(0, delay_ms), undefined, { signal: stopped }).catch(() => undefined);
}
