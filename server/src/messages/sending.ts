/** A send: what somebody asked for, and the one way in which it enters its room, whichever process does it. */
import type { Context } from "../context.ts";
import type { Session } from "../http.ts";
import { readTransaction } from "../log/queries.ts";
import type { Content } from "../rooms/rules/event.ts";
import { newEventId, submit, type Wanted } from "../rooms/submit.ts";
import { requireAnotherRoom } from "../rooms/upgrade-plan.ts";
import { redactionProposal } from "./redact.ts";
import { checkRelation, hasCheckedRelation } from "./send-relations.ts";
import { requireTransactionId, transactionOf } from "./send-transaction.ts";

export interface Sending {
  session: Pick<Session, "id" | "userId">;
  roomId: string;
  type: string;
  txnId: string;
  content: Content;
  /** The time of the event where it is not now (ms since 1970). */
  ts?: number | undefined;
  /** The id that the event gets, unless this is a retry: then it has one already. */
  eventId: string;
}

/** The send with an id of its own. Throws M_INVALID_PARAM for a transaction id that the log can not hold. */
export function newSending(ctx: Context, asked: Omit<Sending, "eventId">): Sending {
  requireTransactionId(asked.txnId);
  return { ...asked, eventId: newEventId(ctx) };
}

/**
 * Puts the event into its room and gives its id when it is committed and known here: that of the first time, if this is a
 * retry. Throws what the room's rules say against it.
 */
export function append(ctx: Context, sending: Sending): Promise<string> {
  return submit(ctx, wantedBy(ctx, sending));
}

/** As `append`, for whoever tells others and reads nothing here: it does not wait until this process has seen the event. */
export function commit(ctx: Context, sending: Sending): Promise<string> {
  return submit(ctx, { ...wantedBy(ctx, sending), isSeenLater: true });
}

/** The id of the event that an earlier attempt brought into the room; undefined where there is none. */
export function earlier(ctx: Context, sending: Sending): Promise<string | undefined> {
  const { session, key } = transactionFor(sending);
  return readTransaction(ctx.db.log, session, key);
}

function wantedBy(ctx: Context, sending: Sending): Wanted {
  const { session, roomId, type, content, eventId, ts } = sending;
  const proposal = { event_id: eventId, sender: session.userId, type, content, ts };
  const isChecked = hasCheckedRelation(content);
  return {
    roomId,
    transaction: transactionFor(sending),
    propose(room) {
      requireAnotherRoom(roomId, { type, content });
      if (type === "m.room.redaction") return redactionProposal(ctx, room, proposal);
      return isChecked ? checkRelation(ctx, room, proposal) : proposal;
    },
  };
}

function transactionFor({ session, roomId, type, txnId }: Omit<Sending, "eventId">) {
  return transactionOf(session, ["send", roomId, type], txnId);
}
