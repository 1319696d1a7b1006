// People who write without a pause, whatever happens to the server: what is not answered is sent again with the same
// transaction id. What they were answered is recorded, for the checks of log/check.ts.

import { setTimeout as wait } from "node:timers/promises";
import type { Sent, Stored } from "./log/check.ts";
import { type Person, request, tryRequest } from "./http.ts";

/** How long a writer lets a server alone that did not answer. */
const BACK_OFF_MS = 10;
/** How long one message may stay unanswered: longer than any restart. */
const PATIENCE_MS = 20_000;
/** How often an answered message is sent once more. */
const RESENT = 0.1;
const CLIENT = "/_matrix/client/v3";

export type Writer = { person: Person; roomId: string };

export type Writing = Disposable & {
  /** What was sent so far, and the answers to each. */
  sent: readonly Sent[];
  /** Resolves as soon as `count` more messages are acknowledged. */
  acknowledged(count: number): Promise<void>;
  /** Lets each writer finish its message, then sends every message one more time. */
  finish(): Promise<void>;
};

/** Lets everybody write, until it is disposed of at the latest. `url` is asked before each request: a server that starts again may be somewhere else. */
export function startWriting(writers: readonly Writer[], url: () => string, chance: () => number): Writing {
  const sent: Sent[] = [];
  const onAnswer = new Set<() => void>();
  const stopping = new AbortController();
  const givingUp = new AbortController();

  const send = async ({ person, roomId }: Writer, message: Sent): Promise<void> => {
    const path = `${CLIENT}/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${message.key}`;
    const body = { msgtype: "m.text", body: message.key };
    const deadline_ms = performance.now() + PATIENCE_MS;
    for (;;) {
      const answer = await tryRequest(url(), "PUT", path, { token: person.token, body, signal: givingUp.signal });
      if (answer?.status === 200) return void message.answers.push(answer.body.event_id as string);
      givingUp.signal.throwIfAborted();
      const isFinal = answer !== undefined && answer.status < 500;
      if (isFinal || performance.now() > deadline_ms)
        throw new Error(`${path} was answered ${answer ? `${answer.status} ${JSON.stringify(answer.body)}` : "never"}`);
      await wait(BACK_OFF_MS);
    }
  };
  const write = async (writer: Writer, name: string): Promise<void> => {
    for (let number = 0; !stopping.signal.aborted; number++) {
      const message: Sent = { writer: name, key: `${name}-${number}`, number, answers: [] };
      sent.push(message);
      await send(writer, message);
      for (const tell of onAnswer) tell();
      if (chance() < RESENT) await send(writer, message);
    }
  };

  const running = Promise.all(writers.map((writer, i) => write(writer, `w${i}`)));
  running.catch(() => givingUp.abort());
  const acknowledged = (count: number) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let missing = count;
    const tell = () => --missing === 0 && resolve();
    onAnswer.add(tell);
    // The failure of a writer is heard here.
    return Promise.race([promise, running.then(() => {})]).finally(() => onAnswer.delete(tell));
  };
  const finish = async () => {
    stopping.abort();
    await running;
    const again = writers.map(async (writer, i) => {
      for (const message of sent.filter((each) => each.writer === `w${i}`)) await send(writer, message);
    });
    await Promise.all(again);
  };
  return { sent, acknowledged, finish, [Symbol.dispose]: () => givingUp.abort() };
}

/** One message of a room as a reader finds it. */
export type Found = Stored & { body: string };

/** Every message of a room, oldest first; a position is the place in the room. */
export async function readMessages(url: string, { person, roomId }: Writer): Promise<Found[]> {
  const found: Found[] = [];
  for (let from = ""; ;) {
    const query = `dir=f&limit=500${from && `&from=${encodeURIComponent(from)}`}`;
    const path = `${CLIENT}/rooms/${encodeURIComponent(roomId)}/messages?${query}`;
    const { status, body } = await request(url, "GET", path, { token: person.token });
    if (status !== 200) throw new Error(`${path} was answered ${status}`);
    for (const event of body.chunk)
      if (event.type === "m.room.message")
        found.push({ position: found.length, eventId: event.event_id, body: event.content.body });
    if (body.end === undefined) return found;
    from = body.end as string;
  }
}
