/** What is known of where messages come from. The SDK answers late, so the answers are kept. */
import { type MatrixClient, type MatrixEvent, MsgType, type Room } from "matrix-js-sdk";
import { EventShieldReason } from "matrix-js-sdk/lib/crypto-api/index.js";
import { editOf, isEditUnreadable } from "./edits.ts";
import { encryptionOf } from "./encryption.ts";
import { personIn } from "./person.ts";
import { replaysOf } from "./replays.ts";

export interface Shields {
  /** Looks at the events of a timeline, in their order, before they are asked about. */
  look(events: MatrixEvent[]): void;
  /** A sentence when something is wrong with where the message came from; undefined while that is not known. */
  of(event: MatrixEvent): string | undefined;
  /** Forgets every answer: somebody has verified or changed something. */
  forget(): void;
}

/** `changed` is called when an answer has come that is worth a warning. */
export function openShields(client: MatrixClient, room: Room, changed: () => void): Shields {
  const replays = replaysOf(client);
  const order = openOrder(client);
  let answers = new Map<string, string | undefined>();
  const ask = async (id: string, event: MatrixEvent) => {
    const into = answers;
    into.set(id, undefined);
    const warning = await warningOf({ client, room, isRecent: order.isRecent }, event);
    if (!warning || into !== answers) return;
    into.set(id, warning);
    changed();
  };
  const one = (event: MatrixEvent): string | undefined => {
    const id = event.getId();
    if (!id || event.status || event.isRedacted() || event.isDecryptionFailure()) return undefined;
    if (event.isEncrypted() && !event.getClearContent()) return undefined;
    // What could not be found out is asked again after the next change.
    if (!answers.has(id)) ask(id, event).catch(() => answers.delete(id));
    return answers.get(id) ?? (replays.has(event) ? "This repeats an earlier message" : undefined);
  };
  return {
    look(events) {
      replays.look(events);
      order.look(events);
    },
    of(event) {
      const edit = editOf(event);
      const unreadable = isEditUnreadable(event) ? "Changed later, and this device cannot read the change" : undefined;
      return one(event) ?? (edit ? one(edit) : unreadable);
    },
    forget() {
      answers = new Map();
    },
  };
}

interface Known {
  client: MatrixClient;
  room: Room;
  isRecent: (event: MatrixEvent) => boolean;
}

async function warningOf({ client, room, isRecent }: Known, event: MatrixEvent): Promise<string | undefined> {
  if (!event.isEncrypted()) {
    if (event.getContent()["msgtype"] === MsgType.KeyVerificationRequest) return undefined;
    // Of any age: when it was sent, and when encryption began, is what the server says.
    return (await encryptionOf(client, room)) === "none" ? undefined : "Not encrypted";
  }
  const reason = (await client.getCrypto()?.getEncryptionInfoForEvent(event))?.shieldReason;
  return reason == null ? undefined : sentence(room, { event, reason, isRecent: isRecent(event) });
}

/**
 * Only what the reader should act on. A person who is not verified is no warning (the header tells that), nor is a key that came
 * from the backup, where the message is older than this device: so it is for all of those. Anybody who knows the address of a
 * backup, as the server does, can put keys into it; a device gets the keys of what is new from those who write.
 */
function sentence(
  room: Room,
  { event, reason, isRecent }: { event: MatrixEvent; reason: EventShieldReason; isRecent: boolean },
): string | undefined {
  const { name } = personIn(room, event.getSender() ?? "");
  switch (reason) {
    case EventShieldReason.UNSIGNED_DEVICE:
      return `Sent from a device that ${name} has not confirmed`;
    case EventShieldReason.UNKNOWN_DEVICE:
      return "Sent from a device that is unknown or removed";
    case EventShieldReason.VERIFICATION_VIOLATION:
      return `${name} has a new identity that you have not verified`;
    case EventShieldReason.MISMATCHED_SENDER:
      return "The key of this message belongs to somebody else than its sender";
    case EventShieldReason.AUTHENTICITY_NOT_GUARANTEED:
      return isRecent ? `This device cannot tell whether ${name} wrote this` : undefined;
    default:
      return undefined;
  }
}

/** Which messages are newer than this device. When one was sent is the word of the server, so what stands below a new one is new. */
function openOrder(client: MatrixClient): { look(events: MatrixEvent[]): void; isRecent(event: MatrixEvent): boolean } {
  const recent = new WeakSet<MatrixEvent>();
  return {
    look(events) {
      const since_ms = deviceSince_ms(client);
      let below = false;
      for (const event of events) {
        below ||= event.getTs() > since_ms;
        if (below) recent.add(event);
      }
    },
    isRecent: (event) => recent.has(event) || event.getTs() > deviceSince_ms(client),
  };
}

/** When this device was made. The SDK knows, and has no word for it of its own. */
function deviceSince_ms(client: MatrixClient): number {
  const crypto = client.getCrypto() as { olmMachine?: { deviceCreationTimeMs: number } } | undefined;
  return crypto?.olmMachine?.deviceCreationTimeMs ?? 0;
}
