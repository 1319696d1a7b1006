/** The messenger on the Matrix SDK. */
import { EventType, type ICreateRoomOpts, type MatrixClient, Preset, UserEvent, Visibility } from "matrix-js-sdk";
import { createStore, type StoreApi } from "zustand/vanilla";
import { localpart } from "../format/words.ts";
import type { Me, Messenger, NewRoom } from "../messenger.ts";
import type { RoomModel } from "../room/model.ts";
import type { Person } from "../timeline/item.ts";
import { arrived } from "./arrival.ts";
import { guardClosing } from "./closing.ts";
import { watchConnection } from "./connection.ts";
import { addDirect, dropDirect, readDirect } from "./direct.ts";
import { keepUnsent } from "./keepUnsent.ts";
import { listen } from "./listen.ts";
import { mediaLoader } from "./media.ts";
import { watchOutbox } from "./outbox.ts";
import { openRoom } from "./room.ts";
import { watchRooms } from "./rooms.ts";
import { openShelf } from "./shelf.ts";
import type { UnsentStore } from "./unsentStore.ts";
import { watchUploads } from "./uploads.ts";

const DIRECTORY_PAGE = 50;
const PEOPLE = 20;
const ENCRYPTION = { type: EventType.RoomEncryption, state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } };

/** Opens the messenger of a client that is syncing. `unsent` keeps what it could not send. `stop` lets go of everything it listens to. */
export function openMessenger(client: MatrixClient, unsent: Promise<UnsentStore>): Messenger & { stop: () => void } {
  const rooms = watchRooms(client);
  const connection = watchConnection(client);
  const outbox = watchOutbox(client);
  const closing = guardClosing();
  const shelf = openShelf(unsent, closing);
  const uploads = watchUploads({ client, outbox, closing, shelf });
  const keeping = keepUnsent({ client, outbox, closing, shelf, uploads });
  const media = mediaLoader(client);
  const me = watchMe(client);
  const models = new Map<string, RoomModel>();
  const parts = [rooms, connection, outbox, keeping, uploads, shelf, closing, media, me];
  return {
    me: me.store,
    workspace: client.getDomain() ?? "",
    rooms: rooms.store,
    connection: connection.store,
    outbox: outbox.store,
    unsent: () => new Set<object>([...outbox.unsent(), ...closing.all()]).size,
    media,
    room(id) {
      const known = models.get(id);
      if (known) return known;
      const room = client.getRoom(id);
      const membership = room?.getMyMembership();
      if (!room || (membership !== "join" && membership !== "invite")) return null;
      const model = openRoom({ client, room, outbox, uploads: uploads.in(room) });
      models.set(id, model);
      return model;
    },
    ...roomActions(client),
    async markAllRead() {
      for (const { id, unread } of rooms.store.getState().rooms) if (unread) this.room(id)?.markAllRead();
    },
    retryConnection: () => client.retryImmediately(),
    stop() {
      for (const part of parts) part.stop();
    },
  };
}

type RoomActions = Pick<Messenger, "createRoom" | "startDirect" | "join" | "leave" | "browse" | "findPeople">;

function roomActions(client: MatrixClient): RoomActions {
  return {
    async createRoom(room) {
      const { room_id } = await client.createRoom(optionsOf(room));
      await arrived(client, room_id);
      return room_id;
    },
    startDirect: (people) => startDirect(client, people),
    async join(roomIdOrAlias) {
      // Asked before: once the sync has brought the own join, it no longer says who invited.
      const inviter = client.getRoom(roomIdOrAlias)?.getDMInviter();
      const room = await client.joinRoom(roomIdOrAlias);
      if (inviter) await addDirect(client, room.roomId, [inviter]);
      await arrived(client, room.roomId);
      return room.roomId;
    },
    async leave(roomId) {
      await client.leave(roomId);
      await dropDirect(client, roomId);
    },
    async browse(term, from) {
      const answer = await client.publicRooms({
        limit: DIRECTORY_PAGE,
        ...(from ? { since: from } : {}),
        ...(term ? { filter: { generic_search_term: term } } : {}),
      });
      const found = answer.chunk.map((room) => ({
        id: room.room_id,
        name: room.name ?? room.canonical_alias ?? room.room_id,
        alias: room.canonical_alias,
        topic: room.topic,
        members: room.num_joined_members,
        joined: client.getRoom(room.room_id)?.getMyMembership() === "join",
        knockOnly: (room.join_rule as string | undefined) === "knock",
      }));
      return { rooms: found, next: answer.next_batch ?? null };
    },
    findPeople: (term) => findPeople(client, term),
  };
}

function optionsOf({ name, topic, access, alias, invite }: NewRoom): ICreateRoomOpts {
  const common = { name, ...(topic ? { topic } : {}), invite };
  if (access === "private")
    return { ...common, preset: Preset.PrivateChat, visibility: Visibility.Private, initial_state: [ENCRYPTION] };
  return {
    ...common,
    preset: Preset.PublicChat,
    visibility: Visibility.Public,
    ...(alias ? { room_alias_name: alias } : {}),
  };
}

async function startDirect(client: MatrixClient, people: string[]): Promise<string> {
  const known = people.length === 1 ? readDirect(client)[people[0] as string] : undefined;
  const open = known?.find((id) => client.getRoom(id)?.getMyMembership() === "join");
  if (open) return open;
  const { room_id: roomId } = await client.createRoom({
    is_direct: true,
    invite: people,
    preset: Preset.TrustedPrivateChat,
    visibility: Visibility.Private,
    initial_state: [ENCRYPTION],
  });
  await addDirect(client, roomId, people);
  await arrived(client, roomId);
  return roomId;
}

async function findPeople(client: MatrixClient, term: string): Promise<Person[]> {
  const wanted = term.trim();
  if (wanted === "") return [];
  const me = client.getSafeUserId();
  const results = await Promise.all(
    termsFor(wanted, client.getDomain()).map((term) => client.searchUserDirectory({ term, limit: PEOPLE })),
  );
  const users = new Map(results.flatMap((answer) => answer.results).map((user) => [user.user_id, user]));
  const found = [...users.values()]
    .filter((user) => user.user_id !== me)
    .map((user): Person => ({
      id: user.user_id,
      name: user.display_name || localpart(user.user_id),
      avatarMxc: user.avatar_url ?? undefined,
    }));
  const isId = /^@[^:]+:.+$/.test(wanted) && wanted !== me;
  return isId && !found.some((person) => person.id === wanted)
    ? [{ id: wanted, name: localpart(wanted) }, ...found]
    : found;
}

/** A server may tell of strangers only by their whole id, so a plain user name is also asked for as one. */
function termsFor(wanted: string, domain: string | null): string[] {
  const isUserName = /^@?[a-z0-9._=/+-]+$/i.test(wanted);
  return isUserName ? [`@${wanted.replace(/^@/, "").toLowerCase()}:${domain}`, wanted] : [wanted];
}

/** The person's own name, picture and devices. */
function watchMe(client: MatrixClient): { store: StoreApi<Me>; stop: () => void } {
  const id = client.getSafeUserId();
  const store = createStore<Me>(() => ({
    id,
    name: nameOf(client),
    avatarMxc: client.getUser(id)?.avatarUrl,
    devices: null,
  }));
  const refresh = () => store.setState({ name: nameOf(client), avatarMxc: client.getUser(id)?.avatarUrl });
  const lookAtDevices = async () => {
    const crypto = client.getCrypto();
    const own = (await crypto?.getUserDeviceInfo([id], true))?.get(id);
    if (!crypto || !own) return;
    const statuses = await Promise.all(
      [...own.keys()].map((deviceId) => crypto.getDeviceVerificationStatus(id, deviceId)),
    );
    store.setState({
      devices: { count: own.size, allVerified: statuses.every((status) => status?.signedByOwner ?? false) },
    });
  };
  // Without them the footer names no devices; the settings say why they can not be read.
  const look = () => void lookAtDevices().catch(() => undefined);
  look();
  client.getProfileInfo(id).then(
    ({ displayname, avatar_url }) => store.setState({ name: displayname || localpart(id), avatarMxc: avatar_url }),
    () => undefined,
  );
  const mine = (_event: unknown, user: { userId: string }) => user.userId === id && refresh();
  const stop = listen(client, {
    [UserEvent.DisplayName]: mine,
    [UserEvent.AvatarUrl]: mine,
    "crypto.devicesUpdated": look,
    userTrustStatusChanged: look,
  });
  return { store, stop };
}

function nameOf(client: MatrixClient): string {
  const id = client.getSafeUserId();
  const name = client.getUser(id)?.displayName;
  return name && name !== id ? name : localpart(id);
}
