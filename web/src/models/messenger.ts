/**
 * What the screens may know and do. `client/` implements it on the Matrix SDK; the `/dev` page implements it with
 * invented people. Every `Store` holds an immutable snapshot: a change is a new object.
 */
import type { StoreApi } from "zustand/vanilla";
import type { Connection } from "./connection/connection.ts";
import type { RoomModel } from "./room/model.ts";
import type { RoomsSnapshot } from "./rooms/entry.ts";
import type { MediaSource, Person } from "./timeline/item.ts";

export type Store<T> = Pick<StoreApi<T>, "getState" | "getInitialState" | "subscribe">;

export interface Me extends Person {
  /** The own devices: how many there are, and whether every one is confirmed. */
  devices: { count: number; allVerified: boolean } | null;
}

/** A room that anyone may find. */
export interface PublicRoom {
  id: string;
  name: string;
  alias?: string | undefined;
  topic?: string | undefined;
  members: number;
  joined: boolean;
  knockOnly: boolean;
}

export interface PublicRooms {
  rooms: PublicRoom[];
  /** Give it to the next call for more; null at the end. */
  next: string | null;
}

export interface NewRoom {
  name: string;
  topic: string;
  /** A private room is encrypted and by invitation; a public one is open to all of this server and not encrypted. */
  access: "private" | "public";
  /** The part before the server's name, for a public room. */
  alias?: string | undefined;
  invite: string[];
}

export interface MediaLoader {
  /** A `blob:` address of the decrypted file. The loader owns it; it stays valid while the page is open and used. */
  url(source: MediaSource): Promise<string>;
  /** A `blob:` address of a square picture of about `size_px`, for avatars. */
  avatar(mxc: string, size_px: number): Promise<string>;
}

export interface Messenger {
  me: Store<Me>;
  /** The name of the server, which is the workspace's. */
  workspace: string;
  rooms: Store<RoomsSnapshot>;
  connection: Store<Connection>;
  /** How many messages wait for the connection, in all rooms. */
  outbox: Store<number>;
  /** How many messages and files the server does not have: whoever signs out loses them. */
  unsent(): number;
  media: MediaLoader;
  /** The model of a room that the person is in or invited to; null for any other. */
  room(id: string): RoomModel | null;
  /** Makes a room and answers its id. */
  createRoom(room: NewRoom): Promise<string>;
  /** The existing direct room with exactly these people, or a new encrypted one; answers its id. */
  startDirect(people: string[]): Promise<string>;
  /** Joins by id or alias, also accepts an invite; answers the room's id. */
  join(roomIdOrAlias: string): Promise<string>;
  /** Leaves a room or declines an invite. */
  leave(roomId: string): Promise<void>;
  browse(term: string, from?: string): Promise<PublicRooms>;
  /** People of this server whose name or id matches. A complete Matrix id always answers itself. */
  findPeople(term: string): Promise<Person[]>;
  markAllRead(): Promise<void>;
  retryConnection(): void;
}
