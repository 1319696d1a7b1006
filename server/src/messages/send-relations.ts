/** What an event may not relate to. Specification: client-server-api, "Relationship types". */
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import type { LogEntry } from "../log/entry.ts";
import { readEvent } from "../log/queries.ts";
import { relationOf } from "../rooms/entry.ts";
import { type Content, isObject } from "../rooms/rules/event.ts";
import type { RoomState } from "../rooms/state.ts";
import type { Proposal } from "../rooms/submit.ts";

const ANNOTATION = "m.annotation";
const THREAD = "m.thread";

/** Whether the content relates to another event in a way that needs a look at what is there already. */
export function hasCheckedRelation(content: Content): boolean {
  const relation = content["m.relates_to"];
  return isObject(relation) && (relation["rel_type"] === ANNOTATION || relation["rel_type"] === THREAD);
}

/**
 * The proposal, if what it relates to lets it. Throws M_DUPLICATE_ANNOTATION for a second reaction of the same kind, and
 * M_UNKNOWN for a thread off an event that is part of something else.
 */
export async function checkRelation(ctx: Context, room: RoomState, proposal: Proposal): Promise<Proposal> {
  const relation = relationOf(proposal.content);
  if (relation?.type === ANNOTATION) await refuseDuplicate(ctx, room, { proposal, annotated: relation.eventId });
  if (relation?.type === THREAD) await refuseNested(ctx, relation.eventId);
  return proposal;
}

/** Specification: "Avoiding duplicate annotations". What was redacted relates to nothing any more, so it is not found here. */
async function refuseDuplicate(
  ctx: Context,
  room: RoomState,
  { proposal, annotated }: { proposal: Proposal; annotated: string },
): Promise<void> {
  const rows = await ctx.db.log.query<{ body: string }>(
    `select e.body from log.entries e
     where e.relates_to = $1 and e.relation_type = $2 and e.room_id = $3 and e.user_id = $4 and e.type = $5`,
    [annotated, ANNOTATION, room.roomId, proposal.sender, proposal.type],
  );
  const key = keyOf(proposal.content);
  if (rows.some(({ body }) => keyOf((JSON.parse(body) as { content: Content }).content) === key))
    throw matrixError("M_DUPLICATE_ANNOTATION", "You have annotated this event with the same key before.");
}

function keyOf(content: Content): unknown {
  const relation = content["m.relates_to"];
  return isObject(relation) ? relation["key"] : undefined;
}

/** Specification: "Validation of m.thread relationships". A plain reply is no relation, so a thread may start off one. */
async function refuseNested(ctx: Context, rootId: string): Promise<void> {
  const root = await findEvent(ctx, rootId);
  if (root && root.relatesTo !== null)
    throw matrixError("M_UNKNOWN", "A thread can not start off an event that relates to another one.", { status: 400 });
}

/** An event by its id: from memory while it is young, else from the database. */
export async function findEvent(ctx: Context, eventId: string): Promise<LogEntry | undefined> {
  return ctx.log.tail.event(eventId) ?? readEvent(ctx.db.log, eventId);
}
