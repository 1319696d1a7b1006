// What the tests of sliding sync ask, over plain HTTP.

import type { Json, Person } from "./http.ts";

export const SLIDING = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";

export interface Slid {
  pos?: string;
  timeout?: number;
  set_presence?: string;
}

/** The path with its query. */
export function slidingPath(slid: Slid = {}): string {
  const query = new URLSearchParams(Object.entries(slid).map(([name, value]) => [name, String(value)]));
  return `${SLIDING}?${query}`;
}

export function slide(person: Person, body: object, slid: Slid = {}): Promise<Json> {
  return person.call("POST", slidingPath(slid), body);
}

export interface ListAsked {
  ranges?: [number, number][];
  limit?: number;
  state?: [string, string][];
  filters?: object;
}

/** One list of the name "all": its first twenty rooms with their newest event, where nothing else is said. */
export function listed(
  { ranges = [[0, 19]], limit = 1, state = [], filters }: ListAsked = {},
  more: object = {},
): object {
  const all = { ranges, timeline_limit: limit, required_state: state, ...(filters ? { filters } : {}) };
  return { lists: { all }, ...more };
}

/** What a room's timeline says. */
export const said = (room: Json): string[] =>
  (room.timeline ?? []).flatMap((event: Json) => (event.type === "m.room.message" ? [event.content.body] : []));

/** The state that a room tells: "type" or "type key". */
export const stateOf = (room: Json): string[] =>
  (room.required_state ?? [])
    .map((event: Json) => (event.state_key === "" ? event.type : `${event.type} ${event.state_key}`))
    .toSorted();
