// A room for a test, and what happens in it.

import type { Json, Person, Received } from "./http.ts";

const CLIENT = "/_matrix/client/v3";

export type TestRoom = {
  id: string;
  /** Such as /_matrix/client/v3/rooms/!id. */
  path: string;
  /** The same below /v1. */
  pathV1: string;
  /** Sends an event and gives its id. The type is m.room.message unless another is named. */
  send(who: Person, content: object, type?: string): Promise<string>;
  /** Sends a text and gives the id of its event. */
  say(who: Person, body: string, relation?: object): Promise<string>;
  /** Sets state and gives the id of its event. Where the state key is not empty it comes behind the type: `m.space.child/!id`. */
  set(who: Person, type: string, content: object): Promise<string>;
  redact(who: Person, eventId: string): Promise<string>;
  /** `invite`, `join`, `leave`, `ban`, `kick` …; with a target where it is done to somebody else. */
  change(who: Person, verb: string, target?: Person): Promise<void>;
  /** GET below the room's path, with a query. */
  read(who: Person, path: string, query?: Query): Promise<Json>;
  ask(who: Person, path: string, query?: Query): Promise<Received>;
};

/** Objects are sent as JSON, as the filters of the specification are; what is undefined is not sent. */
export type Query = Record<string, string | number | boolean | object | undefined>;

let transactions = 0;

/** Makes a room: public, in the newest version, unless the options say otherwise. */
export async function createRoom(creator: Person, options: object = {}): Promise<TestRoom> {
  const { room_id } = await creator.call("POST", `${CLIENT}/createRoom`, { preset: "public_chat", ...options });
  return testRoom(room_id as string);
}

/** A room that is there already. */
export function testRoom(id: string): TestRoom {
  const path = `${CLIENT}/rooms/${encodeURIComponent(id)}`;
  const pathV1 = path.replace("/v3/", "/v1/");
  const send: TestRoom["send"] = async (who, content, type = "m.room.message") =>
    (await who.call("PUT", `${path}/send/${type}/t${++transactions}`, content)).event_id;
  const ask: TestRoom["ask"] = (who, below, query = {}) => who.ask("GET", urlOf(path, pathV1, below) + search(query));
  return {
    id,
    path,
    pathV1,
    send,
    say: (who, body, relation) =>
      send(who, { msgtype: "m.text", body, ...(relation ? { "m.relates_to": relation } : {}) }),
    set: async (who, type, content) => (await who.call("PUT", urlOf(path, pathV1, `state/${type}`), content)).event_id,
    redact: async (who, eventId) =>
      (await who.call("PUT", `${path}/redact/${encodeURIComponent(eventId)}/t${++transactions}`, {})).event_id,
    change: async (who, verb, target) => {
      await who.call("POST", `${path}/${verb}`, target ? { user_id: target.userId } : {});
    },
    ask,
    async read(who, below, query) {
      const { status, body } = await ask(who, below, query);
      if (status !== 200) throw new Error(`GET ${below} was answered ${status}: ${JSON.stringify(body)}`);
      return body;
    },
  };
}

/** Some of what is below a room has a first version only. */
function urlOf(path: string, pathV1: string, below: string): string {
  const isV1 = /^(relations|threads|hierarchy|timestamp_to_event)\b/.test(below);
  return `${isV1 ? pathV1 : path}/${below.split("/").map(encodeURIComponent).join("/")}`;
}

function search(query: Query): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query))
    if (value !== undefined) params.set(key, typeof value === "object" ? JSON.stringify(value) : String(value));
  return params.size === 0 ? "" : `?${params.toString()}`;
}
