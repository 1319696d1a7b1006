/** What is known of the devices that messages were sent from. The SDK answers late, so the answers are kept. */
import { type MatrixClient, type MatrixEvent, type Room } from "matrix-js-sdk";
import { EventShieldReason } from "matrix-js-sdk/lib/crypto-api/index.js";
import { personIn } from "./person.ts";

export interface Shields {
  /** A sentence when something is wrong with where the message came from; undefined while that is not known. */
  of(event: MatrixEvent): string | undefined;
  /** Forgets every answer: somebody has verified or changed something. */
  forget(): void;
}

/** `changed` is called when an answer has come that is worth a warning. */
export function openShields(client: MatrixClient, room: Room, changed: () => void): Shields {
  let answers = new Map<string, string | undefined>();
  const ask = async (id: string, event: MatrixEvent) => {
    const into = answers;
    into.set(id, undefined);
    const info = await client.getCrypto()?.getEncryptionInfoForEvent(event);
    const warning = info?.shieldReason == null ? undefined : sentence(room, event, info.shieldReason);
    if (!warning || into !== answers) return;
    into.set(id, warning);
    changed();
  };
  return {
    of(event) {
      const id = event.getId();
      if (!id || event.status || event.isRedacted()) return undefined;
      if (!event.isEncrypted()) return sentInClear(room, event) ? "Not encrypted" : undefined;
      if (event.isDecryptionFailure() || !event.getClearContent()) return undefined;
      // What could not be found out is asked again after the next change.
      if (!answers.has(id)) ask(id, event).catch(() => answers.delete(id));
      return answers.get(id);
    },
    forget() {
      answers = new Map();
    },
  };
}

/**
 * Only what the reader should act on. A person who is not verified is no warning (the header tells that), nor is a key
 * that came from the backup, which is so for all old messages on a new device.
 */
function sentence(room: Room, event: MatrixEvent, reason: EventShieldReason): string | undefined {
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
    default:
      return undefined;
  }
}

/** A message without encryption after encryption was turned on. */
function sentInClear(room: Room, event: MatrixEvent): boolean {
  const encryption = room.currentState.getStateEvents("m.room.encryption", "");
  return encryption != null && event.getTs() > encryption.getTs();
}
