// What people do in rooms, in the words that scenarios are told in.

import * as sdk from "matrix-js-sdk";
import type { Device } from "./device.ts";

export type Talk = {
  /** Makes a private, encrypted room; gives its id. */
  createRoom(options?: RoomOptions): Promise<string>;
  invites(room: string, who: Device): Promise<void>;
  /** Joins a room by its id or alias, and waits until it is there; gives its id. */
  joins(room: string): Promise<string>;
  /** Waits for an invitation to the room. */
  isInvited(room: string): Promise<void>;
  /** Waits until somebody's membership is this, as far as this device knows: `await alice.sees(room, bob, "join")`. */
  sees(room: string, who: Device, membership: string): Promise<void>;
  /** Sends a text, encrypted where the room is; gives the event's id. */
  says(room: string, text: string): Promise<string>;
  /** Sends any event, encrypted where the room is; gives its id. */
  sends(room: string, type: string, content: object): Promise<string>;
  /** Puts this text in the place of what a message says. */
  edits(room: string, id: string, text: string): Promise<string>;
  /** Waits for a message with this text, decrypted and with its last edit. */
  hears(room: string, text: string): Promise<sdk.MatrixEvent>;
  /** The texts that the device shows of a room, oldest first; "✗" for one that it can not decrypt. */
  texts(room: string): string[];
  /** Waits until the device shows these texts of the room and no others. */
  shows(room: string, texts: string[]): Promise<void>;
  /** Waits until each message of the room is decrypted, or can not be. */
  settles(room: string): Promise<void>;
  /** The room as the SDK has it. */
  room(room: string): sdk.Room;
};

export type RoomOptions = Omit<sdk.ICreateRoomOpts, "invite"> & {
  invite?: Device[];
  /** Encrypted, unless this is false. */
  encrypted?: boolean;
};

const encryption: sdk.ICreateRoomStateEvent = {
  type: "m.room.encryption",
  state_key: "",
  content: { algorithm: "m.megolm.v1.aes-sha2" },
};

const editOf = (eventId: string, body: string) => ({
  msgtype: "m.text",
  body: `* ${body}`,
  "m.new_content": { msgtype: "m.text", body },
  "m.relates_to": { rel_type: "m.replace", event_id: eventId },
});

/** The words of one device. */
export function talkOf(device: Device): Talk {
  const room = (id: string) => {
    const found = device.client.getRoom(id);
    if (!found) throw new Error(`${device.label} knows no room ${id}`);
    return found;
  };
  const texts = (id: string) =>
    room(id)
      .getLiveTimeline()
      .getEvents()
      .flatMap((event) => textOf(event) ?? []);
  const hasRoom = (id: string, membership: string) =>
    device.until(
      `a room with membership ${membership}`,
      (client) => client.getRoom(id)?.getMyMembership() === membership,
    );
  const sends: Talk["sends"] = async (id, type, content) =>
    (await device.client.sendEvent(id, type as keyof sdk.TimelineEvents, content as sdk.TimelineEvents[never]))
      .event_id;
  return {
    async createRoom({ invite = [], encrypted = true, ...options } = {}) {
      const { room_id: id } = await device.client.createRoom({
        preset: sdk.Preset.PrivateChat,
        ...options,
        invite: invite.map((who) => who.userId),
        initial_state: [...(options.initial_state ?? []), ...(encrypted ? [encryption] : [])],
      });
      await hasRoom(id, "join");
      return id;
    },
    invites: async (id, who) => void (await device.client.invite(id, who.userId)),
    async joins(idOrAlias) {
      const { roomId } = await device.client.joinRoom(idOrAlias);
      await hasRoom(roomId, "join");
      return roomId;
    },
    isInvited: async (id) => void (await hasRoom(id, "invite")),
    async sees(id, who, membership) {
      const isSo = () => room(id).getMember(who.userId)?.membership === membership;
      await device.until(`${who.label} has membership ${membership}`, isSo);
    },
    says: (id, text) => sends(id, "m.room.message", { msgtype: "m.text", body: text }),
    sends,
    edits: (id, eventId, text) => sends(id, "m.room.message", editOf(eventId, text)),
    hears: (id, text) =>
      device.until(`it hears “${text}”`, (client) =>
        client
          .getRoom(id)
          ?.getLiveTimeline()
          .getEvents()
          .find((event) => textOf(event) === text),
      ),
    texts,
    async shows(id, expected) {
      const isSo = () => texts(id).join("\n") === expected.join("\n");
      await device.until(`it shows ${JSON.stringify(expected)}`, isSo).catch((error: unknown) => {
        throw new Error(`It shows ${JSON.stringify(texts(id))}`, { cause: error });
      });
    },
    async settles(id) {
      const isPending = (event: sdk.MatrixEvent) => event.isBeingDecrypted() || event.shouldAttemptDecryption();
      await device.until("all is decrypted", () => !room(id).getLiveTimeline().getEvents().some(isPending));
    },
    room,
  };
}

/** What a person reads of an event; undefined where they read nothing, or it is not decrypted yet. */
function textOf(event: sdk.MatrixEvent): string | undefined {
  if (event.isDecryptionFailure()) return "✗";
  // An edit is not shown for itself: it changes what is shown of another event.
  if (event.isRelation(sdk.RelationType.Replace)) return undefined;
  return event.getType() === "m.room.message" ? event.getContent<{ body?: string }>().body : undefined;
}
