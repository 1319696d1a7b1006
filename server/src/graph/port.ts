/**
 * What the questions ask of the access graph, wherever it is kept: in plain tables (tables.ts) or in Apache AGE (age/).
 *
 * Each call sees one moment; two calls may see two. Rows come in no order, each once. What nobody knows is not there: an unknown person
 * has no rows, and an unknown id gives undefined. Both adapters give the same, and one suite (questions.test.ts) holds them to it.
 */
import type {
  Admission,
  Device,
  Export,
  Fetch,
  LegalAccess,
  MembershipRow,
  Nesting,
  Person,
  Power,
  Room,
  Stay,
  Visibility,
} from "./model.ts";

/**
 *   person   an export, or access to one, of this person; or of a room that they were in before it was made or over: what they wrote is in it
 *   room     the same, of this room, or of a person who was in it by then
 *   by       that this person made or fetched, or that they hold
 */
export type About = { of: "all" } | { of: "person" | "by"; userId: string } | { of: "room"; roomId: string };

export interface Graph {
  readonly kind: "tables" | "age";
  people(userIds: readonly string[]): Promise<Person[]>;
  rooms(roomIds: readonly string[]): Promise<Room[]>;
  /** All devices of the person, those that were signed out too. */
  devicesOf(userId: string): Promise<Device[]>;
  membershipsOf(userId: string): Promise<MembershipRow[]>;
  /** Of these rooms: joined, invited and banned people. */
  membersOf(roomIds: readonly string[]): Promise<MembershipRow[]>;
  staysOf(userId: string): Promise<Stay[]>;
  visibilitiesOf(roomIds: readonly string[]): Promise<Visibility[]>;
  /** Public rooms, and those that anybody may read. */
  openRooms(): Promise<Room[]>;
  /** From these rooms on downwards, whom their members may join by a restricted join rule, whose members whom, and so on. */
  admissionsFrom(roomIds: readonly string[]): Promise<Admission[]>;
  /** The same upwards: whose members may join these rooms. */
  admissionsInto(roomIds: readonly string[]): Promise<Admission[]>;
  powersOf(userId: string): Promise<Power[]>;
  powersIn(roomIds: readonly string[]): Promise<Power[]>;
  /** Spaces that these rooms are in. */
  spacesOf(roomIds: readonly string[]): Promise<Nesting[]>;
  /** Members of these rooms who may change who has power there. */
  managersOf(roomIds: readonly string[]): Promise<{ roomId: string; userId: string; level: number }[]>;
  /** How many are members of each of these rooms. */
  memberCounts(roomIds: readonly string[]): Promise<Map<string, number>>;
  /** Rooms in which nobody is who could change who has power; with how many are members. */
  unmanaged(): Promise<{ roomId: string; members: number }[]>;
  /** Whoever has a role of an operator. */
  administrators(): Promise<Person[]>;
  /** Devices that are signed in and were not seen since. */
  devicesUnseenSince(before_ms: number): Promise<Device[]>;
  /** Exports with what the server had of these. */
  exports(about: About): Promise<Export[]>;
  fetchesOf(exportIds: readonly number[]): Promise<Fetch[]>;
  /** Legal access to what the server has of these, also when it is over. */
  legalAccess(about: About): Promise<LegalAccess[]>;
  /** Of these people, who is a member of how many rooms. */
  roomCounts(userIds: readonly string[]): Promise<Map<string, number>>;
}
