/** Rooms for the tests of the rules, and the form of a row in their tables. */
import type { Facts } from "../authorise.ts";
import { stateMap } from "../event.ts";
import type { Content, ProposedEvent, RoomEvent, StateMap } from "../event.ts";
import type { RoomVersionId } from "../versions.ts";

export const alice = "@alice:parley.test";
export const bob = "@bob:parley.test";
export const carol = "@carol:parley.test";
export const dan = "@dan:parley.test";
export const stranger = "@mallory:elsewhere.test";

const CREATE_ID = `$${"c".repeat(43)}`;
const ROOM_IDS = { "11": "!room:parley.test", "12": `!${"c".repeat(43)}` } as const;

/** A room of which Alice is the creator and, if nothing else is said, the only member. */
export interface Scene {
  readonly version?: RoomVersionId;
  /** Further keys of the create event. */
  readonly creation?: Content;
  /** Who is what, by user id; undefined where the room has no membership. Alice is joined unless she is named here. */
  readonly members?: Readonly<Record<string, string | undefined>>;
  /** The power level content; a room without it has no such event. */
  readonly levels?: Content;
  readonly joinRule?: string;
  /** State beyond that. */
  readonly more?: readonly RoomEvent[];
}

/** One line of a table: an event, a room, and whether the rule lets the event in. */
export interface Row {
  /** The number in the rules of version 12; for a refusal the very rule that refuses. */
  readonly rule: string;
  readonly says: string;
  readonly verdict: "allow" | "refuse";
  /** When the rule is there in one version only, or differs. */
  readonly only?: RoomVersionId;
  /** False for an event that comes before the room. */
  readonly scene: Scene | false;
  readonly event: Partial<ProposedEvent>;
  readonly facts?: Facts;
}

let counter = 0;

/** The versions that the tables speak of; in what the older ones differ is in versions.test.ts. */
export const TABLED = ["11", "12"] as const;

/** A state event that the room holds already. */
export function held(type: string, content: Content, more: Partial<RoomEvent> = {}): RoomEvent {
  const event_id = `$${String(counter++).padStart(43, "0")}`;
  return { event_id, room_id: "", type, sender: alice, state_key: "", origin_server_ts: 0, content, ...more };
}

export function roomIdOf(version: RoomVersionId): string {
  return version === "12" ? ROOM_IDS["12"] : ROOM_IDS["11"];
}

/** The state of the room that a scene describes. */
export function stateOf(scene: Scene): StateMap {
  const version = scene.version ?? "12";
  const creator = version !== "12" && version !== "11" && { creator: alice };
  const content = { room_version: version, ...creator, ...scene.creation };
  const create = held("m.room.create", content, { event_id: CREATE_ID });
  const members = Object.entries({ [alice]: "join", ...scene.members }).filter(
    ([, membership]) => membership !== undefined,
  );
  const events = members.map(([state_key, membership]) => held("m.room.member", { membership }, { state_key }));
  if (scene.levels !== undefined) events.push(held("m.room.power_levels", scene.levels));
  if (scene.joinRule !== undefined) events.push(held("m.room.join_rules", { join_rule: scene.joinRule }));
  return stateMap(
    [create, ...events, ...(scene.more ?? [])].map((event) => ({ ...event, room_id: roomIdOf(version) })),
  );
}

/** A message of Alice's, changed by `more`: the rest of an event that a row does not speak about. */
export function proposed(version: RoomVersionId, more: Partial<ProposedEvent>): ProposedEvent {
  return { room_id: roomIdOf(version), type: "m.room.message", sender: alice, content: {}, ...more };
}

/** The event with which `sender` gives `target` a membership. */
export function member(sender: string, membership: string, target = sender): Partial<ProposedEvent> {
  return { type: "m.room.member", sender, state_key: target, content: { membership } };
}

/** A row about an event that needs no word on version and facts. */
export function row(
  rule: string,
  verdict: Row["verdict"],
  says: string,
): (scene: Scene, event: Partial<ProposedEvent>) => Row {
  return (scene, event) => ({ rule, verdict, says, scene, event });
}

/** The event with more in its content. */
export function withContent(event: Partial<ProposedEvent>, more: Content): Partial<ProposedEvent> {
  return { ...event, content: { ...event.content, ...more } };
}
