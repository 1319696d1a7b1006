import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, type Connection, exchange, type Exchange, retryAfter_ms } from "./http.ts";

// The few calls of the Matrix client-server API that every scenario needs. Set-up calls wait and
// try again when the server limits them; measured calls never go through here.

export interface User {
  userId: string;
  accessToken: string;
}

/** Total time that one set-up call may spend being told to wait. */
const PATIENCE_MS = 180_000;
const DEFAULT_RETRY_MS = 500;
const TOO_MANY_REQUESTS = 429;

/** An answer that a set-up call can not go on with. */
export class UnexpectedAnswer extends Error {
  readonly status: number;
  constructor(request: Exchange, answer: Answer) {
    super(`${request.method} ${request.path} answered ${answer.status}: ${answer.body.toString().slice(0, 300)}`);
    this.status = answer.status;
  }
}

/** The headers of an authenticated request with a JSON body, made once and used for all. */
export function headersOf(user: Pick<User, "accessToken">): string[] {
  return ["authorization", `Bearer ${user.accessToken}`, "content-type", "application/json"];
}

/** One exchange that honours 429 with its delay, for as long as there is patience. Gives any other answer. */
export async function patientExchange(connection: Connection, request: Exchange): Promise<Answer> {
  for (let waited_ms = 0; ;) {
    const answer = await exchange(connection, request);
    if (answer.status !== TOO_MANY_REQUESTS || waited_ms > PATIENCE_MS) return answer;
    const delay_ms = Math.max(1, retryAfter_ms(answer, DEFAULT_RETRY_MS));
    await sleep(delay_ms);
    waited_ms += delay_ms;
  }
}

/** A set-up call: gives the parsed body of a 200. @throws UnexpectedAnswer for any other status. */
export async function call<T>(connection: Connection, user: User | undefined, request: Exchange): Promise<T> {
  const headers = user === undefined ? ["content-type", "application/json"] : headersOf(user);
  const answer = await patientExchange(connection, { ...request, headers });
  if (answer.status !== 200) throw new UnexpectedAnswer(request, answer);
  return JSON.parse(answer.body.toString()) as T;
}

/** Creates a room that anyone with its id can join, and gives the id. */
export async function createRoom(connection: Connection, user: User, name: string): Promise<string> {
  const body = JSON.stringify({ preset: "public_chat", name });
  const made = await call<{ room_id: string }>(connection, user, {
    method: "POST",
    path: "/_matrix/client/v3/createRoom",
    body,
  });
  return made.room_id;
}

export function joinRequest(roomId: string): Exchange {
  return { method: "POST", path: `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, body: "{}" };
}

export async function joinRoom(connection: Connection, user: User, roomId: string): Promise<void> {
  await call(connection, user, joinRequest(roomId));
}

/**
 * A text message. Its text must be new for the user's session, for it makes the transaction id. The
 * two must not begin alike: a server shows the id to its sender in `unsigned`, where it is no message.
 */
export function sendRequest(roomId: string, text: string): Exchange {
  return {
    method: "PUT",
    path: `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/txn-${text}`,
    body: JSON.stringify({ msgtype: "m.text", body: text }),
  };
}

export interface SyncQuery {
  since?: string;
  timeout_ms: number;
  filterId?: string;
}

export function syncRequest(query: SyncQuery): Exchange {
  const since = query.since === undefined ? "" : `&since=${encodeURIComponent(query.since)}`;
  const filter = query.filterId === undefined ? "" : `&filter=${encodeURIComponent(query.filterId)}`;
  return { method: "GET", path: `/_matrix/client/v3/sync?timeout=${query.timeout_ms}${since}${filter}` };
}

/** Stores a filter, as clients do, so that each sync names it in a few bytes. */
export async function createFilter(connection: Connection, user: User, filter: unknown): Promise<string> {
  const made = await call<{ filter_id: string }>(connection, user, {
    method: "POST",
    path: `/_matrix/client/v3/user/${encodeURIComponent(user.userId)}/filter`,
    body: JSON.stringify(filter),
  });
  return made.filter_id;
}
