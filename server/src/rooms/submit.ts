/**
 * The one way of an event into a room: propose, authorise, append; and again on fresh state when the room has changed.
 *
 * An attempt *proposes* an event from the room as this process knows it and *authorises* it. The append then refuses it as
 * stale unless the room and the memberships that the decision rests on are still the ones it was made on, so a copy in memory
 * that is behind costs another attempt and nothing else. A refusal is looked at again too when the log was ahead of this
 * process: whoever was just invited through another replica can join through this one.
 */
import type { Context } from "../context.ts";
import { matrixError, MatrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { LogEntry, NewEntry, Submission } from "../log/entry.ts";
import { readHead, readTransaction } from "../log/queries.ts";
import { randomToken } from "../seams.ts";
import { eventEntry, eventOf } from "./entry.ts";
import { authorise, type Facts } from "./rules/authorise.ts";
import { formatFault, sizeFault } from "./rules/canonical.ts";
import type { Content, RoomEvent } from "./rules/event.ts";
import { redactsOf } from "./rules/redact.ts";
import { faultError } from "./rules/verdict.ts";
import type { RoomState } from "./state.ts";

/** An event that somebody wants in a room. */
export interface Proposal {
  /** Where another event names this one before it is there; otherwise it gets a new id. */
  event_id?: string;
  sender: string;
  type: string;
  /** Of a state event; a message has none. */
  state_key?: string;
  content: Content;
  /** Its time where that is not now (ms since 1970). */
  ts?: number | undefined;
  /** The server has found that the joining user meets a condition of the join rules. See `Facts`. */
  meetsAllowCondition?: boolean;
  /** Memberships that the event rests on, beside those of its sender and, of a membership event, its target. */
  restsOn?: Submission["members"];
  /** Of a redaction: the event that it names. */
  target?: LogEntry | undefined;
}

/** What was asked for is there already: by this event. */
export interface Already {
  already: string;
}

/** A client's transaction id, which makes a retry get the first answer. Specification: "Transaction identifiers". */
export interface Transaction {
  session: number;
  /** Unique for the endpoint, its path and the id. */
  key: string;
  /** The id as the client gave it, to be told back to that session. */
  txnId: string;
}

export interface Wanted {
  roomId: string;
  transaction?: Transaction;
  /** Resolves with the commit; this process may see the event a moment later. */
  isSeenLater?: boolean;
  /** Makes the event from the room as it is now. It may refuse by throwing, and it is called once for each attempt. */
  propose(room: RoomState): Proposal | Already | Promise<Proposal | Already>;
}

/**
 * Puts one event into a room and gives its id when it is committed. Throws M_NOT_FOUND where there is no such room, what
 * the rules or `propose` refuse with, and M_LIMIT_EXCEEDED when the room keeps changing under it.
 */
export function submit(ctx: Context, { roomId, transaction, isSeenLater, propose }: Wanted): Promise<string> {
  return submitTo(ctx, {
    roomId,
    transaction,
    isSeenLater,
    async prepare(room) {
      const proposal = await propose(room);
      return "already" in proposal ? proposal : submissionOf(ctx, room, { proposal, transaction });
    },
  });
}

export interface Prepared {
  roomId: string;
  transaction?: Transaction | undefined;
  isSeenLater?: boolean | undefined;
  /** Makes what is to be appended from the room as it is now, or refuses by throwing. Called once for each attempt. */
  prepare(room: RoomState): Promise<Submission | Already>;
}

/** The attempts of `submit`, for what is more than one event. Gives the id of the first. */
export async function submitTo(ctx: Context, wanted: Prepared): Promise<string> {
  let room = ctx.rooms.peek(wanted.roomId) ?? (await ctx.rooms.load(wanted.roomId));
  let isCaughtUp = false;
  for (let attempt = 0; attempt < limits.append_attempts; attempt++) {
    const seen = ctx.log.hub.head();
    const decision = await wanted.prepare(room).catch(asRefusal);
    if ("entries" in decision) {
      const { position } = room;
      const appended = await (wanted.isSeenLater ? ctx.log.commit : ctx.log.append)(decision);
      if (appended.outcome === "repeated") return appended.answer;
      if (appended.outcome === "appended") return decision.entries[0]?.event_id as string;
      room = await ctx.rooms.refresh(wanted.roomId, position);
    } else if (!isCaughtUp && (await catchUp(ctx, seen))) {
      isCaughtUp = true;
      room = await ctx.rooms.load(wanted.roomId);
    } else return "already" in decision ? decision.already : answerDespite(ctx, decision.refusal, wanted.transaction);
  }
  throw matrixError("M_LIMIT_EXCEEDED", "The room changes faster than this can be checked. Try again in a second.", {
    retryAfter_ms: 1_000,
  });
}

/** The append checks what a submission rests on. What a refusal rests on nobody checks, so it is no error yet. */
function asRefusal(thrown: unknown): { refusal: MatrixError } {
  if (thrown instanceof MatrixError) return { refusal: thrown };
  throw thrown;
}

/** Throws unless the rules let the event into the room as it is. For verbs that have more to say about allowed events only. */
export function requireAllowed(room: RoomState, proposal: Proposal): void {
  const verdict = authorise(room, { ...proposal, room_id: room.roomId }, factsOf(proposal));
  if (!verdict.allowed) throw faultError(verdict);
}

function submissionOf(
  ctx: Context,
  room: RoomState,
  { proposal, transaction }: { proposal: Proposal; transaction: Transaction | undefined },
): Submission {
  const { roomId } = room;
  const entry = entryFor(ctx, room, proposal);
  const submission: Submission = {
    lane: roomId,
    room: { id: roomId, version: room.version },
    members: membersOf(room, proposal),
    entries: [entry],
  };
  if (transaction) {
    entry.session = transaction.session;
    entry.txn_id = transaction.txnId;
    submission.transaction = { session: transaction.session, key: transaction.key, answer: entry.event_id as string };
  }
  return submission;
}

/** The entry of an event that may enter the room as it is. Throws what its format, its size or the rules say against it. */
export function entryFor(ctx: Context, room: RoomState, proposal: Proposal): NewEntry {
  const { target, state_key } = proposal;
  const event = stamp(ctx, room, proposal);
  const fault = formatFault(event);
  if (fault) throw faultError(fault);
  const verdict = authorise(room, event, factsOf(proposal));
  if (!verdict.allowed) throw faultError(verdict);
  const replaced = state_key === undefined ? undefined : room.get(event.type, state_key);
  const entry = eventEntry(event, { replaced, target, roomVersion: room.roomVersion });
  requireSize(entry, room.roomId);
  return entry;
}

/** Gives the event its id and its time. */
function stamp(ctx: Context, room: RoomState, { event_id, type, sender, state_key, content, ts }: Proposal): RoomEvent {
  const event = {
    event_id: event_id ?? newEventId(ctx),
    room_id: room.roomId,
    type,
    sender,
    content,
    origin_server_ts: ts ?? ctx.seams.now_ms(),
  };
  if (state_key !== undefined) return { ...event, state_key };
  // The copy at the top is for older clients. Specification: room version 11, "Moving the redacts property".
  const redacts = type === "m.room.redaction" ? redactsOf(event) : undefined;
  return redacts === undefined ? event : { ...event, redacts };
}

/** `$` and 43 url-safe characters. */
export function newEventId(ctx: Context): string {
  return `$${randomToken(ctx.seams, 32)}`;
}

function factsOf({ meetsAllowCondition, target }: Proposal): Facts | undefined {
  if (meetsAllowCondition === undefined && target === undefined) return undefined;
  return { meetsAllowCondition: meetsAllowCondition === true, redactionTarget: target && eventOf(target) };
}

/** The memberships that the event rests on, for the append to check. */
export function membersOf(
  room: RoomState,
  { type, sender, state_key, restsOn }: Proposal,
): NonNullable<Submission["members"]> {
  const members = [{ room: room.roomId, user: sender, position: room.memberPosition(sender) }];
  if (type === "m.room.member" && state_key !== undefined && state_key !== sender)
    members.push({ room: room.roomId, user: state_key, position: room.memberPosition(state_key) });
  if (restsOn) members.push(...restsOn);
  return members;
}

/** The event's size counts with its room id, which the stored body has not. */
function requireSize(entry: NewEntry, roomId: string): void {
  const chars = entry.body.length + roomId.length + '"room_id":"",'.length;
  // A character takes three bytes of UTF-8 at the most, so short events need not be measured.
  if (chars * 3 <= limits.event_bytes) return;
  const fault = sizeFault(Buffer.byteLength(entry.body) + chars - entry.body.length);
  if (fault) throw faultError(fault);
}

/** A retry of what was acknowledged earlier gets its answer, even if the sender may not do it any more. */
async function answerDespite(
  ctx: Context,
  refusal: MatrixError,
  transaction: Transaction | undefined,
): Promise<string> {
  const first = transaction && (await readTransaction(ctx.db.log, transaction.session, transaction.key));
  if (first === undefined) throw refusal;
  return first;
}

/** Waits until this process has seen all that is committed; says whether there was anything above `seen`. */
async function catchUp(ctx: Context, seen: number): Promise<boolean> {
  const { position } = await readHead(ctx.db.log);
  if (position <= seen) return false;
  await ctx.log.hub.reached(position);
  return true;
}
