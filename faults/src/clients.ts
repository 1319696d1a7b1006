// People who write without a pause, as clients do it: with a time limit for each request, another gateway when one does not
// answer, and the same transaction id for the same message. Those who follow are in readers.ts.

import { setTimeout as wait } from "node:timers/promises";
import type { Sent } from "../../testkit/src/log/check.ts";
import type { Json, Person } from "../../testkit/src/http.ts";

export const CLIENT = "/_matrix/client/v3";
/** How long a client waits for an answer, and how long it lets everybody alone after a failure. */
const ANSWER_MS = 6_000;
const BACK_OFF_MS = 40;
/** Between two messages of one writer. */
const REST_MS = 15;
/** How often an answered message is sent once more, as after an answer that was lost on the way. */
const RESENT = 0.1;
/** Gives the address for the next request, and is told of those that did not answer. */
export type Addresses = { next(): string; failed(url: string): void };

/** Sends until there is an answer that is not the trouble of the server. */
export async function insist(
  addresses: Addresses,
  [method, path, body]: readonly [string, string, object?],
  { person, signal }: { person: Person; signal: AbortSignal },
): Promise<Json> {
  for (;;) {
    signal.throwIfAborted();
    const url = addresses.next();
    try {
      const response = await fetch(url + path, {
        method,
        headers: { authorization: `Bearer ${person.token}`, "content-type": "application/json" },
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      const answer: Json = await response.json();
      if (response.status === 200) return answer;
      if (response.status < 500 && response.status !== 429) throw new Refused(`${path}: ${JSON.stringify(answer)}`);
    } catch (thrown) {
      if (thrown instanceof Refused) throw thrown;
      addresses.failed(url);
    }
    await wait(BACK_OFF_MS);
  }
}

/** An answer that no retry changes: it ends the schedule, where it is not looked for. */
export class Refused extends Error {}

export type Writer = {
  name: string;
  sent: Sent[];
  /** Resolves when the writer has finished its last message after `stop`. */
  running: Promise<void>;
};

export type ClientOptions = {
  person: Person;
  roomId: string;
  addresses: Addresses;
  chance(): number;
  /** Ends the work at the next pause. */
  stop: AbortSignal;
  /** Breaks it off. */
  giveUp: AbortSignal;
};

/** Writes one message after the other until `stop`. */
export function startWriter(name: string, options: ClientOptions): Writer {
  const { person, roomId, addresses, chance, stop, giveUp } = options;
  const sent: Sent[] = [];
  const send = async (message: Sent) => {
    const path = `${CLIENT}/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${message.key}`;
    const body = { msgtype: "m.text", body: message.key };
    const answer = await insist(addresses, ["PUT", path, body], { person, signal: giveUp });
    message.answers.push(answer.event_id as string);
  };
  const run = async () => {
    for (let number = 0; !stop.aborted; number++) {
      const message: Sent = { writer: name, key: `${name}-${number}`, number, answers: [] };
      sent.push(message);
      await send(message);
      if (chance() < RESENT) await send(message);
      await wait(REST_MS);
    }
  };
  return { name, sent, running: run() };
}

export type Found = { eventId: string; key: string; ts: number };

/** Every message of the room, oldest first. */
export async function readRoom({ person, roomId, addresses, giveUp }: ClientOptions): Promise<Found[]> {
  const found: Found[] = [];
  for (let from = ""; ;) {
    const path = `${CLIENT}/rooms/${encodeURIComponent(roomId)}/messages?dir=f&limit=500${from && `&from=${from}`}`;
    const page = await insist(addresses, ["GET", path], { person, signal: giveUp });
    for (const event of page.chunk)
      if (event.type === "m.room.message")
        found.push({ eventId: event.event_id, key: event.content.body, ts: event.origin_server_ts });
    if (page.end === undefined) return found;
    from = page.end as string;
  }
}

/** A room with all of them in it. */
export async function makeRoom(people: readonly Person[], addresses: Addresses, signal: AbortSignal): Promise<string> {
  const [first, ...others] = people as [Person, ...Person[]];
  const body = { preset: "public_chat" };
  const room = await insist(addresses, ["POST", `${CLIENT}/createRoom`, body], { person: first, signal });
  const join = `${CLIENT}/join/${encodeURIComponent(room.room_id as string)}`;
  await Promise.all(others.map((person) => insist(addresses, ["POST", join, {}], { person, signal })));
  return room.room_id as string;
}
