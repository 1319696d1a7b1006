/** The model of one room on the SDK's. */
import {
  ClientEvent,
  EventType,
  type MatrixClient,
  type MatrixEvent,
  type Room,
  type RoomMember,
  RoomEvent,
  RoomMemberEvent,
  RoomStateEvent,
} from "matrix-js-sdk";
import { CryptoEvent } from "matrix-js-sdk/lib/crypto-api/index.js";
import { createStore } from "zustand/vanilla";
import { names } from "../format/words.ts";
import type { MembersSnapshot, Role, RoomInfo, RoomModel, ThreadModel, TrustTag } from "../room/model.ts";
import { batched } from "./batch.ts";
import { openComposer } from "./composer.ts";
import { directRooms } from "./direct.ts";
import { encryptionOf } from "./encryption.ts";
import { inviterOf, kindOf, peerOf } from "./entries.ts";
import { hasType } from "./events.ts";
import { listen } from "./listen.ts";
import { LEVELS, membersOf, powerOf, rightsOf } from "./members.ts";
import type { Outbox } from "./outbox.ts";
import { personIn } from "./person.ts";
import { text } from "./safe.ts";
import { ensureThread } from "./threads.ts";
import { openTimeline } from "./timeline.ts";
import { ENCRYPTED, openTag, trustOf } from "./trust.ts";
import type { Uploads } from "./uploads.ts";

export interface RoomOptions {
  client: MatrixClient;
  room: Room;
  outbox: Outbox;
  uploads: Uploads;
}

export function openRoom({ client, room, outbox, uploads }: RoomOptions): RoomModel {
  const { roomId } = room;
  let isEncrypted = room.hasEncryptionStateEvent();
  let trust: TrustTag = isEncrypted ? ENCRYPTED : openTag(room);
  const info = createStore<RoomInfo>(() => infoOf(client, room, { trust, isEncrypted }));
  const members = createStore<MembersSnapshot>(() => ({ loaded: false, members: [] }));
  const threads = new Map<string, ThreadModel>();
  const refresh = () => {
    info.setState(infoOf(client, room, { trust, isEncrypted }), true);
    if (members.getState().loaded) members.setState({ members: membersOf(client, room) });
  };
  const lookAtTrust = async () => {
    isEncrypted = (await encryptionOf(client, room)) !== "none";
    trust = await trustOf(client, room);
    refresh();
  };
  return {
    id: roomId,
    info,
    members,
    timeline: openTimeline({ client, room, uploads, outbox, set: () => room.getUnfilteredTimelineSet() }),
    composer: openComposer({ client, room, uploads }),
    thread(rootId) {
      const known = threads.get(rootId) ?? openThread({ client, room, uploads, outbox, rootId });
      threads.set(rootId, known);
      return known;
    },
    async loadMembers() {
      await room.loadMembersIfNeeded();
      members.setState({ loaded: true, members: membersOf(client, room) });
      await lookAtTrust();
    },
    activate() {
      const look = batched(() => void lookAtTrust());
      const soon = batched(refresh);
      refresh();
      look.soon();
      const stop = follow(client, room, { changed: soon.soon, trustChanged: look.soon });
      return () => {
        stop();
        look.stop();
        soon.stop();
      };
    },
    markAllRead() {
      const last = room
        .getLiveTimeline()
        .getEvents()
        .findLast((event) => !event.status);
      // A marker that could not be set is set with the next message.
      if (last?.getId()) client.setRoomReadMarkers(roomId, last.getId() as string, last).catch(() => undefined);
    },
    ...actionsOf(client, room),
  };
}

type Looked = { trust: TrustTag; isEncrypted: boolean };

function infoOf(client: MatrixClient, room: Room, { trust, isEncrypted }: Looked): RoomInfo {
  const me = client.getSafeUserId();
  const kind = kindOf(room, directRooms(client));
  const inviter = room.getMyMembership() === "invite" ? inviterOf(client, room)?.getSender() : undefined;
  const tombstone = room.currentState
    .getStateEvents(EventType.RoomTombstone, "")
    ?.getContent<{ replacement_room?: string }>();
  const peer = kind === "direct" ? peerOf(client, room) : undefined;
  return {
    id: room.roomId,
    name: room.name,
    kind,
    topic: room.currentState.getStateEvents(EventType.RoomTopic, "")?.getContent<{ topic?: string }>().topic ?? "",
    alias: room.getCanonicalAlias() ?? undefined,
    avatarMxc: (peer && room.getMember(peer)?.getMxcAvatarUrl()) ?? room.getMxcAvatarUrl() ?? undefined,
    membership: room.getMyMembership() as RoomInfo["membership"],
    inviter: inviter ? personIn(room, inviter) : undefined,
    encrypted: isEncrypted,
    // Nobody for whom messages are encrypted is left out of the server's own count.
    memberCount: Math.max(room.getJoinedMemberCount(), room.getJoinedMembers().length),
    trust,
    peer,
    typing: typingSentence(room, me),
    cannotPost: cannotPost(client, room, tombstone?.replacement_room),
    replacedBy: tombstone?.replacement_room,
    can: rightsOf(client, room),
  };
}

function typingSentence(room: Room, me: string): string {
  const typing = room.getMembers().filter((member) => member.typing && member.userId !== me);
  if (typing.length === 0) return "";
  return `${names(typing.map((member) => personIn(room, member.userId).name))} ${typing.length === 1 ? "is" : "are"} typing…`;
}

function cannotPost(client: MatrixClient, room: Room, replacement: string | undefined): string | null {
  const membership = room.getMyMembership();
  if (replacement) return "This channel has moved. Go on in the new one.";
  const me = client.getSafeUserId();
  if (membership !== "join") return leftSentence(room, me, membership);
  if (powerOf(room, me) === Infinity || room.currentState.maySendMessage(me)) return null;
  return "You may read here, not write. An administrator of the channel can change that.";
}

/** Who ended the membership, and why. */
function leftSentence(room: Room, me: string, membership: string): string {
  const event = room.getMember(me)?.events.member;
  const by = event?.getSender();
  const reason = text(event?.getContent()["reason"]);
  const why = reason ? `: ${reason}` : "";
  if (!by || by === me) return "You have left this channel.";
  const { name } = personIn(room, by);
  return membership === "ban"
    ? `${name} banned you from this channel${why}.`
    : `${name} removed you from this channel${why}.`;
}

/** A thread on the SDK's own; its first message may have to be fetched. */
function openThread({ client, room, uploads, outbox, rootId }: ThreadOptions): ThreadModel {
  const set = () => room.getThread(rootId)?.timelineSet ?? null;
  const thread = { rootId, ensure: () => ensureThread(client, room, rootId) };
  return {
    rootId,
    timeline: openTimeline({ client, room, uploads, outbox, set, thread }),
    composer: openComposer({ client, room, uploads, rootId }),
  };
}

interface ThreadOptions {
  client: MatrixClient;
  room: Room;
  uploads: Uploads;
  outbox: Outbox;
  rootId: string;
}

function follow(
  client: MatrixClient,
  room: Room,
  { changed, trustChanged }: { changed: () => void; trustChanged: () => void },
): () => void {
  const ofRoom = (of: Room) => of.roomId === room.roomId && changed();
  const ofState = (event: MatrixEvent) => {
    if (event.getRoomId() !== room.roomId) return;
    changed();
    if (hasType(event, EventType.RoomMember) || hasType(event, EventType.RoomEncryption)) trustChanged();
  };
  return listen(client, {
    // Whether it is direct is said of all rooms at once.
    [ClientEvent.AccountData]: (event: MatrixEvent) => hasType(event, EventType.Direct) && changed(),
    [RoomEvent.Name]: ofRoom,
    [RoomEvent.MyMembership]: ofRoom,
    [RoomEvent.Summary]: () => changed(),
    [RoomStateEvent.Events]: ofState,
    // The event of typing does not say in which room; the member does.
    [RoomMemberEvent.Typing]: (_event: MatrixEvent, member: RoomMember) => member.roomId === room.roomId && changed(),
    [CryptoEvent.UserTrustStatusChanged]: trustChanged,
    [CryptoEvent.DevicesUpdated]: trustChanged,
  });
}

type Actions = Pick<RoomModel, "invite" | "remove" | "ban" | "unban" | "setRole" | "setName" | "setTopic">;

function actionsOf(client: MatrixClient, room: Room): Actions {
  const { roomId } = room;
  return {
    async invite(people) {
      for (const person of people) await client.invite(roomId, person);
    },
    async remove(userId, reason) {
      await client.kick(roomId, userId, reason || undefined);
    },
    async ban(userId, reason) {
      await client.ban(roomId, userId, reason || undefined);
    },
    async unban(userId) {
      await client.unban(roomId, userId);
    },
    async setRole(userId: string, role: Role) {
      await client.setPowerLevel(roomId, userId, LEVELS[role]);
    },
    async setName(name) {
      await client.setRoomName(roomId, name);
    },
    async setTopic(topic) {
      await client.setRoomTopic(roomId, topic);
    },
  };
}
