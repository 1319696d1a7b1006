import { performance } from "node:perf_hooks";
import { connect } from "./http.ts";
import { call, syncRequest, type User } from "./matrix.ts";
import type { Readers, Reading } from "./readers.ts";
import { openWebSocket, type WebSocketLink } from "./websocket.ts";

// Clients of io.parley.stream: docs/protocol/stream.md of Parley.

export const STREAM_PATH = "/_parley/client/v1/stream";

/** How often a client says what it has; without it, it counts as dead after a while. */
const ACK_EVERY_MS = 1_000;
/** How long a client with patience waits for the answer to its handshake. */
const HANDSHAKE_MS = 10_000;
const PREFIX = Buffer.from('{"type":"sync","sync":');
const RESYNC = Buffer.from('{"type":"sync","resync":true,"sync":');
const HEARTBEAT = Buffer.from('{"type":"heartbeat"');
/** Only the token is wanted, and a room may have thousands of members. */
const BRIEF = JSON.stringify({ room: { timeline: { limit: 1 }, state: { lazy_load_members: true } } });
const FILTER = { room: { timeline: { limit: 100 } } };

/** Opens a stream for each user. Resolves when all have been told everything so far. */
export async function startStreamReaders({ origin, users, reader, ledger, meter }: Reading): Promise<Readers> {
  const counts = { gaps: 0, answers: 0 };
  let failed: Error | undefined;
  const take = (index: number, body: Buffer): string | undefined => {
    try {
      const { nextBatch, sequence, limited } = reader(body);
      counts.answers++;
      if (limited) counts.gaps++;
      const at_ms = performance.now();
      for (const number of sequence) {
        const latency_ms = ledger.deliver(index, { number, at_ms });
        if (latency_ms !== undefined) meter.hit(latency_ms);
      }
      return nextBatch;
    } catch (error) {
      failed ??= error as Error;
      return undefined;
    }
  };
  const links = await Promise.all(
    users.map((user, index) =>
      openStreamClient({ origin, user, onAnswer: (body) => take(index, body), onEnd: () => meter.fail("closed") }),
    ),
  );
  return {
    gaps: () => counts.gaps,
    answers: () => counts.answers,
    async stop() {
      for (const link of links) link.destroy();
      if (failed) throw failed;
    },
  };
}

export interface StreamClientOptions {
  origin: string;
  user: User;
  /** Where to go on; without it, from now on. */
  since?: string;
  localAddress?: string | undefined;
  /** How long the client may take until it has been told everything; by default, without end. */
  patience_ms?: number;
  /** Gives the token of the answer; its bytes are only good until it returns. */
  onAnswer(body: Buffer): string | undefined;
  /** A frame of another kind than news and heartbeats; its bytes are only good until it returns. */
  onOther?(payload: Buffer): void;
  onEnd(): void;
}

/** A stream whose place is known. */
export interface StreamLink extends WebSocketLink {
  /** The client has everything up to here. */
  token(): string;
}

/**
 * Opens a stream. Resolves when the client has been told everything so far, and rejects, with what the server said, when it is
 * closed before that or its patience ends.
 */
export async function openStreamClient(options: StreamClientOptions): Promise<StreamLink> {
  const { origin, user, localAddress, onAnswer, onEnd } = options;
  const since = options.since ?? (await tokenOf(origin, user));
  const late = options.patience_ms === undefined ? undefined : AbortSignal.timeout(options.patience_ms);
  let isStopping = false;
  let latest = since;
  const timers: { acks?: NodeJS.Timeout } = {};
  let token: string | undefined;
  let last = "";
  const level = Promise.withResolvers<void>();
  level.promise.catch(() => undefined); // heard below, unless the handshake itself is refused
  const link = await openWebSocket({
    origin,
    path: STREAM_PATH,
    localAddress,
    // As the messenger does, which opens another one then.
    signal: late && AbortSignal.any([late, AbortSignal.timeout(HANDSHAKE_MS)]),
    onMessage(payload) {
      const body = bodyOf(payload);
      if (body) {
        const read = onAnswer(body);
        if (read !== undefined) latest = token = read;
      } else if (payload.subarray(0, HEARTBEAT.length).equals(HEARTBEAT)) {
        latest = token = (JSON.parse(payload.toString()) as { next_batch: string }).next_batch;
        level.resolve();
      } else if (options.onOther) options.onOther(payload);
      else last = payload.toString();
    },
    onEnd() {
      clearInterval(timers.acks);
      level.reject(new Error(`closed after ${reasonOf(last)}`));
      if (!isStopping) onEnd();
    },
  });
  timers.acks = setInterval(() => {
    if (token !== undefined) link.send(JSON.stringify({ type: "ack", since: token }));
    token = undefined;
  }, ACK_EVERY_MS);
  const giveUp = () => {
    level.reject(new Error(`late after ${reasonOf(last)}`));
    link.destroy();
  };
  late?.addEventListener("abort", giveUp);
  link.send(JSON.stringify({ type: "sign_in", access_token: user.accessToken, since, filter: FILTER }));
  await level.promise;
  late?.removeEventListener("abort", giveUp);
  return {
    token: () => latest,
    send: (text) => link.send(text),
    sendAll: (texts) => link.sendAll(texts),
    destroy() {
      isStopping = true;
      link.destroy();
    },
  };
}

/** What the last frame before the end was, without what differs from client to client. */
function reasonOf(frame: string): string {
  if (frame === "") return "the handshake";
  const { type, errcode } = JSON.parse(frame) as { type: string; errcode?: string };
  return errcode ?? type;
}

/** The token of now, without what came before it. */
export async function tokenOf(origin: string, user: User): Promise<string> {
  const connection = connect(origin);
  try {
    return (await call<{ next_batch: string }>(connection, user, syncRequest({ timeout_ms: 0, filterId: BRIEF })))
      .next_batch;
  } finally {
    await connection.destroy();
  }
}

/** The answer of /sync inside of a frame; undefined for a frame of another kind. */
function bodyOf(payload: Buffer): Buffer | undefined {
  const prefix = [PREFIX, RESYNC].find((each) => payload.subarray(0, each.length).equals(each));
  return prefix && payload.subarray(prefix.length, -1);
}
