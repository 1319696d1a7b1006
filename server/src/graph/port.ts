/**
 * What the questions ask of the access graph, wherever it is kept: in plain tables (tables.ts) or in Apache AGE (age/).
 *
 * Each call sees one moment; two calls may see two. Rows come in no order, each once. What nobody knows is not there: an unknown person
 * has no rows, and an unknown id gives undefined. Both adapters give the same, and one suite (questions.test.ts) holds them to it.
 */
import type { Admission, Device, MembershipRow, Nesting, Person, Power, Room, Stay, Visibility } from "./model.ts";

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
  administrators(): Promise<Person[]>;
  /** Devices that are signed in and were not seen since. */
  devicesUnseenSince(before_ms: number): Promise<Device[]>;
  /** Of these people, who is a member of how many rooms. */
  roomCounts(userIds: readonly string[]): Promise<Map<string, number>>;
}
