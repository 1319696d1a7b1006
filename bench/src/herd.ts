import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { failureReason } from "./http.ts";
import type { User } from "./matrix.ts";
import { openStreamClient, type StreamLink, tokenOf } from "./stream-readers.ts";

// Streams that come back by themselves, as clients do when a connection breaks: with their last token, and with growing pauses.

export interface HerdOptions {
  origin: string;
  /** One stream each; a person may be here several times. */
  users: readonly User[];
  progress: (text: string) => void;
}

export interface Herd {
  /**
   * To be called when all connections were cut: resolves when each has come back, has been told everything, and has read a
   * message with this text. Gives when each was back, in milliseconds from the call, ascending. Rejects after `limit_ms`.
   */
  back(text: string, limit_ms: number): Promise<Float64Array>;
  /** Attempts that did not succeed since the cut, by reason. */
  refusals(): Readonly<Record<string, number>>;
  stop(): void;
}

/** First pause: anywhere below this, so that a herd does not come in one moment. Each refusal doubles it, up to the last. */
const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 8_000;
const OPENED_AT_ONCE = 64;
/** Who is not told everything after so long begins anew, as a client does that hears nothing: twice the heartbeat. */
const PATIENCE_MS = 50_000;

/** Opens all streams. Resolves when all are at the head. */
export async function openHerd({ origin, users, progress }: HerdOptions): Promise<Herd> {
  const stopping = new AbortController();
  const state: State = { origin, stopped: stopping.signal, text: undefined, refusals: {}, arrived() {} };
  const members = users.map((user, index) => createMember(user, index));
  const tokens = new Map<User, Promise<string>>();
  let next = 0;
  let open = 0;
  const work = async (): Promise<void> => {
    for (let member = members[next++]; member; member = members[next++]) {
      const token = tokens.get(member.user) ?? tokenOf(origin, member.user);
      tokens.set(member.user, token);
      member.token = await token;
      await connectMember(state, member);
      progress(`streams ${++open}/${members.length}`);
    }
  };
  await Promise.all(Array.from({ length: OPENED_AT_ONCE }, work));
  return {
    refusals: () => state.refusals,
    back(text, limit_ms) {
      state.text = Buffer.from(text);
      state.refusals = {};
      return allBack(state, members.length, limit_ms);
    },
    stop() {
      stopping.abort();
      for (const { link } of members) link?.destroy();
    },
  };
}

interface State {
  origin: string;
  stopped: AbortSignal;
  /** What a member must read to count as back. */
  text: Buffer | undefined;
  refusals: Record<string, number>;
  arrived(): void;
}

interface Member {
  user: User;
  localAddress: string;
  token: string;
  link: StreamLink | undefined;
  hasRead: boolean;
}

const ADDRESSES = 250;

/** Servers limit what comes from one address, and a herd comes from many: all of 127.0.0.0/8 is this machine. */
function createMember(user: User, index: number): Member {
  const localAddress = `127.1.${Math.floor(index / ADDRESSES)}.${(index % ADDRESSES) + 1}`;
  return { user, localAddress, token: "", link: undefined, hasRead: false };
}

async function allBack(state: State, count: number, limit_ms: number): Promise<Float64Array> {
  const from_ms = performance.now();
  const times: number[] = [];
  const { promise, resolve } = Promise.withResolvers<Float64Array>();
  state.arrived = () => {
    times.push(performance.now() - from_ms);
    if (times.length === count) resolve(Float64Array.from(times));
  };
  const late = AbortSignal.timeout(limit_ms);
  late.addEventListener("abort", () => resolve(Float64Array.from(times)));
  const found = await promise;
  if (found.length < count) {
    const reasons = JSON.stringify(state.refusals);
    throw new Error(`${found.length} of ${count} streams were back after ${limit_ms} ms; refused: ${reasons}`);
  }
  return found;
}

/** One attempt. When the connection ends later, the member comes back by itself. */
async function connectMember(state: State, member: Member): Promise<void> {
  member.hasRead = false;
  let isLevel = false;
  let hasEnded = false;
  const noteIfBack = () => {
    if (state.text !== undefined && isLevel && member.hasRead) state.arrived();
  };
  member.link = await openStreamClient({
    origin: state.origin,
    user: member.user,
    since: member.token,
    localAddress: member.localAddress,
    patience_ms: PATIENCE_MS,
    onAnswer(body) {
      if (state.text === undefined || member.hasRead || !body.includes(state.text)) return undefined;
      member.hasRead = true;
      noteIfBack();
      return undefined;
    },
    onEnd() {
      hasEnded = true;
      if (!isLevel) return; // the attempt itself has failed
      member.token = member.link?.token() ?? member.token;
      void comeBack(state, member);
    },
  });
  if (hasEnded) throw new Error("closed at once");
  isLevel = true;
  noteIfBack();
}

async function comeBack(state: State, member: Member): Promise<void> {
  for (let pause_ms = FIRST_PAUSE_MS; !state.stopped.aborted; pause_ms = Math.min(LAST_PAUSE_MS, pause_ms * 2)) {
    await sleep(Math.random() * pause_ms);
    if (state.stopped.aborted) return;
    try {
      return await connectMember(state, member);
    } catch (error) {
      const reason = failureReason(error);
      state.refusals[reason] = (state.refusals[reason] ?? 0) + 1;
    }
  }
}
