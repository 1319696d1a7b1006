/** A send: what somebody asked for, and the one way in which it enters its room, whichever process does it. */
import type { Context } from "../context.ts";
import type { Session } from "../http.ts";
import type { Content } from "../rooms/rules/event.ts";
import { newEventId, submit } from "../rooms/submit.ts";
import { redactionProposal } from "./redact.ts";
import { checkRelation, hasCheckedRelation } from "./send-relations.ts";
import { transactionOf } from "./send-transaction.ts";

export interface Sending {
  session: Session;
  roomId: string;
  type: string;
  txnId: string;
  content: Content;
  /** The id that the event gets, unless this is a retry: then it has one already. */
  eventId: string;
}

/** The send with an id of its own. Throws M_INVALID_PARAM for a transaction id that the log can not hold. */
export function newSending(ctx: Context, asked: Omit<Sending, "eventId">): Sending {
  transactionFor(asked);
  return { ...asked, eventId: newEventId(ctx) };
}

/** Puts the event into its room and gives its id when it is committed: that of the first time, if this is a retry. */
export function append(ctx: Context, sending: Sending): Promise<string> {
  const { session, roomId, type, content, eventId } = sending;
  const proposal = { event_id: eventId, sender: session.userId, type, content };
  const isChecked = hasCheckedRelation(content);
  return submit(ctx, {
    roomId,
    transaction: transactionFor(sending),
    propose(room) {
      if (type === "m.room.redaction") return redactionProposal(ctx, room, proposal);
      return isChecked ? checkRelation(ctx, room, proposal) : proposal;
    },
  });
}

function transactionFor({ session, roomId, type, txnId }: Omit<Sending, "eventId">) {
  return transactionOf(session, ["send", roomId, type], txnId);
}
