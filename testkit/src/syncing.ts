// What the tests of /sync say and ask, over plain HTTP.

import { type Json, type Person, registerPerson } from "./http.ts";
import type { TestServer } from "./server.ts";

export const SYNC = "/_matrix/client/v3/sync";

export interface Asked {
  since?: string;
  timeout?: number;
  filter?: object;
  [more: string]: unknown;
}

export function sync(person: Person, { filter, ...asked }: Asked = {}): Promise<Json> {
  const query = new URLSearchParams(Object.entries(asked).map(([name, value]) => [name, String(value)]));
  if (filter) query.set("filter", JSON.stringify(filter));
  return person.call("GET", `${SYNC}?${query}`);
}

export async function people(server: TestServer, ...names: string[]): Promise<Person[]> {
  return Promise.all(names.map((name) => registerPerson(server.url, name)));
}

export async function createRoom(person: Person, body: object = {}): Promise<string> {
  return (await person.call("POST", "/_matrix/client/v3/createRoom", { preset: "private_chat", ...body }))
    .room_id as string;
}

export const roomPath = (roomId: string, rest: string) =>
  `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/${rest}`;
let txn = 0;
export async function say(
  person: Person,
  roomId: string,
  message: string | { body: string; [more: string]: unknown },
): Promise<string> {
  const content = { msgtype: "m.text", ...(typeof message === "string" ? { body: message } : message) };
  return (await person.call("PUT", roomPath(roomId, `send/m.room.message/t${++txn}`), content)).event_id as string;
}
export const bodies = (room: Json): string[] =>
  room.timeline.events
    .filter((event: Json) => event.type === "m.room.message")
    .map((event: Json) => event.content.body);

/** Whose memberships a section tells. */
export const membersIn = (section: Json): string[] =>
  section.events
    .filter((event: Json) => event.type === "m.room.member")
    .map((event: Json) => event.state_key)
    .toSorted();

/** A room with everybody in it. */
export async function roomOf(first: Person, ...others: Person[]): Promise<string> {
  const roomId = await createRoom(first, { invite: others.map((each) => each.userId) });
  for (const each of others) await each.call("POST", `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, {});
  return roomId;
}
