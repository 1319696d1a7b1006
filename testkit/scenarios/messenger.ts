// What people see in the messenger of what their device knows: by the messenger's own code, on the SDK of a test.

import { setImmediate } from "node:timers/promises";
import type { Closing } from "../../web/src/models/client/closing.ts";
import { follow } from "../../web/src/models/client/follow.ts";
import { itemReader } from "../../web/src/models/client/items.ts";
import type { Outbox } from "../../web/src/models/client/outbox.ts";
import { openQuotes } from "../../web/src/models/client/quotes.ts";
import { openRoom } from "../../web/src/models/client/room.ts";
import { openShields } from "../../web/src/models/client/shields.ts";
import type { Shelf } from "../../web/src/models/client/shelf.ts";
import { trustOf } from "../../web/src/models/client/trust.ts";
import { watchUploads } from "../../web/src/models/client/uploads.ts";
import { memoryStorage } from "../../web/src/models/session/memoryStorage.testkit.ts";
import type { MessageItem } from "../../web/src/models/timeline/item.ts";
import type { Someone } from "../src/people.ts";
import { waitFor } from "../src/wait.ts";

// A browser has one.
globalThis.localStorage = memoryStorage();

/**
 * A message as it stands in the timeline: who is said to have written it, what, and what the reader is warned of. What is quoted
 * stands before it, as "> quoted | text"; what can not be read is "✗" and the reason.
 */
export type Seen = [from: string, text: string, warning?: string];

export type Screen = {
  /** Waits until the tag beside the room's name says this. */
  tagIs(text: string): Promise<void>;
  /** How many members the header names. */
  members(): number;
  /** What the timeline says of changes of the room. */
  changes(): string[];
  /** The messages of the room, once it is known of each what there is to warn of. */
  messages(): Promise<Seen[]>;
  /** Waits until the room shows these messages and no others. */
  shows(expected: Seen[]): Promise<void>;
};

/** Opens a room on somebody's screen. */
export function screenOf(device: Someone, roomId: string): Screen {
  const { client } = device;
  const room = device.room(roomId);
  const looks = new Set<() => void>();
  const tell = () => {
    for (const look of looks) look();
  };
  const shields = openShields(client, room, tell);
  follow(client, room, { changed: tell, trustChanged: () => (shields.forget(), tell()) });
  const quoteOf = openQuotes({ client, room, shields, changed: tell });
  const read = itemReader({ client, room, shields, quoteOf, inThread: false });
  const events = () => room.getLiveTimeline().getEvents();
  const items = () => read(events(), false);
  const seen = () => items().flatMap((item) => (item.type === "message" ? [seenOf(item)] : []));
  const messages = async () => {
    // The first reading asks; the answers come in the order of the questions.
    items();
    for (const event of events()) await device.crypto.getEncryptionInfoForEvent(event);
    await setImmediate();
    return seen();
  };
  const until = (what: string, check: () => Promise<boolean>, instead: () => string) =>
    waitFor({
      what: `${device.label}'s messenger ${what}`,
      check,
      listen: (look) => {
        looks.add(look);
        return () => looks.delete(look);
      },
      instead,
    });
  let tag = "";
  let shown: Seen[] = [];
  return {
    messages,
    members: () => modelOf(device, roomId).info.getState().memberCount,
    changes: () => items().flatMap((item) => (item.type === "system" ? [item.text] : [])),
    async tagIs(text) {
      const isSo = async () => (tag = (await trustOf(client, room)).text) === text;
      await until(`says “${text}”`, isSo, () => `It says “${tag}”.`);
    },
    async shows(expected) {
      const isSo = async () => JSON.stringify((shown = await messages())) === JSON.stringify(expected);
      await until(`shows ${JSON.stringify(expected)}`, isSo, () => `It shows ${JSON.stringify(shown)}.`);
    },
  };
}

function seenOf({ sender, text, deviceWarning, body, replyTo }: MessageItem): Seen {
  const words = body.kind === "undecryptable" ? `✗ ${text}` : text;
  const said = replyTo ? `> ${replyTo.sender?.name}: ${replyTo.text} | ${words}` : words;
  return deviceWarning === undefined ? [sender.name, said] : [sender.name, said, deviceWarning];
}

/** The room as the messenger has it, with nothing on its way. What is attached is sent at once, and kept nowhere. */
export function modelOf({ client, room }: Someone, roomId: string) {
  const outbox = { ...NO_OUTBOX, put: (parcel) => void parcel.send() } as Outbox;
  const uploads = watchUploads({ client, outbox, closing: NO_CLOSING, shelf: NO_SHELF }).in(room(roomId));
  return openRoom({ client, room: room(roomId), outbox, uploads });
}

const NO_CLOSING: Closing = { hold() {}, release() {}, all: () => [], stop() {} };
const NO_SHELF: Shelf = { get: () => undefined, keep: async () => true, forget() {}, restore() {}, stop() {} };
const NO_OUTBOX: Omit<Outbox, "store"> = {
  of: () => [],
  unsent: () => [],
  placed: (events) => events,
  take() {},
  put() {},
  drop() {},
  isHeldUp: () => false,
  send: async () => {},
  stop() {},
};
