/**
 * What was written survives a reload and a closed tab: each message, and each file as far as there is space, is kept from the moment in which it is written until the server has
 * it, and stands in its room again afterwards. What only waited is sent by itself; what the server had refused waits for the person.
 *
 * A message that comes again has the transaction id of its first attempt, and the server takes it once: the answer to that attempt
 * may be all that was lost. It is encrypted anew, for the devices that are in the room by then.
 */
import {
  ClientEvent,
  EventStatus,
  EventType,
  KnownMembership,
  type MatrixClient,
  MatrixError,
  type MatrixEvent,
  type Room,
  RoomEvent,
  SyncState,
} from "matrix-js-sdk";
import type { Closing } from "./closing.ts";
import { hasType, refusalOf } from "./events.ts";
import { listen } from "./listen.ts";
import type { Outbox } from "./outbox.ts";
import type { Shelf } from "./shelf.ts";
import type { Unsent } from "./unsentStore.ts";
import type { AllUploads } from "./uploads.ts";

/** Nobody expects a message to leave by itself that was written longer ago than this, in a tab that was closed since. */
const ASK_AFTER_MS = 24 * 60 * 60 * 1_000;
/** What a person does to a room: what they write there, how they answer to it, what they take away. */
const KEPT = new Set<string>([EventType.RoomMessage, EventType.Reaction, EventType.RoomRedaction]);
const CLOSED = "Parley was closed before it was sent";

export interface KeepOptions {
  client: MatrixClient;
  outbox: Outbox;
  closing: Closing;
  shelf: Shelf;
  /** Files that come back before they are messages. */
  uploads: Pick<AllUploads, "restore">;
}

/** Keeps what is written from here on, and puts back what was kept, until `stop`. */
export function keepUnsent({ client, outbox, closing, shelf, uploads }: KeepOptions): { stop: () => void } {
  /** Those whose room is not there yet: it may come with the first answer of the server. */
  let elsewhere: Unsent[] = [];
  const note = (event: MatrixEvent, room: Room) => {
    const txnId = event.getTxnId();
    if (txnId === undefined || !KEPT.has(event.getType())) return;
    const failure = refusalOf(event);
    // Only a message stands there with its reason. Of the others it is said at once, and there is nothing to try again.
    const isGivenUp = failure !== undefined && !hasType(event, EventType.RoomMessage);
    if (isOver(event) || isGivenUp) {
      closing.release(event);
      return shelf.forget(txnId);
    }
    const known = shelf.get(txnId);
    // A file that is uploaded is a message from here on, which says where its bytes are.
    const before = known?.upload ? undefined : known;
    if (before && before.failure === failure) return;
    const unsent = before ? { ...before, failure } : unsentOf(event, { roomId: room.roomId, txnId });
    void shelf.keep(event, unsent);
  };
  const place = (room: Room, unsent: Unsent) => {
    if (hasArrived(room, unsent.txnId)) return shelf.forget(unsent.txnId);
    const here = room.getEventForTxnId(unsent.txnId);
    if (!here && unsent.upload) return uploads.restore(room, { ...unsent, failure: failureOf(unsent) });
    if (!here) return room.addPendingEvent(eventOf(client, unsent), unsent.txnId);
    outbox.take(here, room);
    note(here, room);
  };
  const putBack = (all: Unsent[]) => {
    const areKnown = client.getSyncState() === SyncState.Syncing;
    elsewhere = [];
    for (const unsent of all) {
      const room = client.getRoom(unsent.roomId);
      if (room?.getMyMembership() === (KnownMembership.Join as string)) place(room, unsent);
      else if (areKnown) shelf.forget(unsent.txnId);
      else elsewhere.push(unsent);
    }
    if (areKnown) void outbox.send();
  };
  shelf.restore(putBack);
  const onSync = (state: SyncState) => {
    if (state === SyncState.Syncing && elsewhere.length > 0) putBack(elsewhere);
  };
  const stopListening = listen(client, { [RoomEvent.LocalEchoUpdated]: note, [ClientEvent.Sync]: onSync });
  return { stop: stopListening };
}

function isOver({ status }: MatrixEvent): boolean {
  return status === null || status === EventStatus.SENT || status === EventStatus.CANCELLED;
}

function unsentOf(event: MatrixEvent, at: { roomId: string; txnId: string }): Unsent {
  const { redacts } = event.event;
  return {
    ...at,
    type: event.getType(),
    content: event.getContent(),
    at_ms: event.getTs(),
    ...(redacts && { redacts }),
  };
}

/** Whether the server had it, and only its answer was lost. */
function hasArrived(room: Room, txnId: string): boolean {
  const events = [...room.getLiveTimeline().getEvents(), ...room.getThreads().flatMap((thread) => thread.events)];
  return events.some((event) => !event.status && event.getUnsigned().transaction_id === txnId);
}

/** The message as it stood in its room before. */
function eventOf(client: MatrixClient, unsent: Unsent): MatrixEvent {
  const { roomId, txnId, type, content, at_ms, redacts } = unsent;
  const sender = client.getSafeUserId();
  const event = client.getEventMapper()({
    event_id: `~${roomId}:${txnId}`,
    room_id: roomId,
    sender,
    origin_server_ts: at_ms,
    type,
    content,
    ...(redacts && { redacts }),
  });
  const failure = failureOf(unsent);
  if (failure !== undefined) event.error = new MatrixError({ error: failure }, 400);
  event.setTxnId(txnId);
  event.setStatus(EventStatus.NOT_SENT);
  return event;
}

/** Why it does not go by itself; undefined where it does. Reactions and deletions do whenever they can. */
function failureOf({ type, failure, at_ms }: Unsent): string | undefined {
  if (type !== (EventType.RoomMessage as string)) return undefined;
  return failure ?? (Date.now() - at_ms > ASK_AFTER_MS ? CLOSED : undefined);
}
