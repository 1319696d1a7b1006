/**
 * Makes the rooms of an import, with their members. A room is appended under a transaction of its row: done again, it is the
 * room of the first time. Everything else looks at what the room is already.
 */
import { z } from "zod";
import { profilesOf } from "../account/profile.ts";
import { isActive } from "../auth/queries.ts";
import type { Context } from "../context.ts";
import { aliasesOf, reserve } from "../directory/aliases.ts";
import { publish } from "../directory/visibility.ts";
import { MatrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { entriesOf } from "../rooms/create.ts";
import { memberContent, memberProposal } from "../rooms/member-body.ts";
import { createRoomBody } from "../rooms/rules/create-body.ts";
import { planRoom } from "../rooms/rules/create.ts";
import { newEventId, submit } from "../rooms/submit.ts";
import { randomToken } from "../seams.ts";
import type { Job, Step } from "../worker/job.ts";
import type { ChannelRow } from "./channel-sources.ts";
import { noteRow, openRows } from "./queries.ts";

const parameters = z.object({ importId: z.number(), owner: z.string() });
const place = z.object({ row: z.number(), member: z.number() }).nullable();
/** No session has this number: its transactions are the server's own. */
const SERVER = 0;

export async function importChannelsStep(ctx: Context, job: Job): Promise<Step> {
  const { importId, owner } = parameters.parse(job.parameters);
  const [open] = await openRows(ctx, importId, 1);
  if (!open) return { cursor: null, progress: job.progress, isDone: true };
  const at = { importId, row: open.row };
  const first = place.parse(job.cursor)?.row === open.row ? (place.parse(job.cursor)?.member as number) : 0;
  const channel = JSON.parse(open.data) as ChannelRow;
  const next = { row: open.row, member: first + limits.shutdown_members };
  const isWhole = next.member >= channel.members.length;
  try {
    const roomId = await makeRoom(ctx, { channel, owner, key: `import ${importId} ${open.row}` });
    await noteRow(ctx, at, { outcome: "creating", result: roomId });
    await addMembers(ctx, { roomId, owner, channel, first });
    if (isWhole)
      await noteRow(ctx, at, {
        outcome: "created",
        result: roomId,
        ...(await nameRoom(ctx, { roomId, owner, channel })),
      });
  } catch (thrown) {
    if (!(thrown instanceof MatrixError) || thrown.errcode === "IO_PARLEY_UNAVAILABLE") throw thrown;
    await noteRow(ctx, at, { outcome: "failed", detail: thrown.message });
  }
  const done = (job.progress["rows_done"] ?? 0) + (isWhole ? 1 : 0);
  return { cursor: next, progress: { ...job.progress, rows_done: done }, isDone: false };
}

interface Making {
  channel: ChannelRow;
  owner: string;
}

/** The room of the row: made now, or by an earlier try. Its first events are as old as the channel. */
async function makeRoom(ctx: Context, { channel, owner, key }: Making & { key: string }): Promise<string> {
  const body = createRoomBody.parse({
    name: channel.displayName,
    preset: channel.isPublic ? "public_chat" : "private_chat",
    ...(channel.topic ? { topic: channel.topic } : {}),
  });
  const plan = planRoom(body, {
    creator: owner,
    serverName: ctx.config.serverName,
    defaultVersion: ctx.config.roomVersion,
    now_ms: channel.created_ms ?? ctx.seams.now_ms(),
    newEventId: () => newEventId(ctx),
    newRoomLocalpart: () => randomToken(ctx.seams, 18),
    profiles: await profilesOf(ctx, [owner]),
  });
  const appended = await ctx.log.append({
    lane: plan.room_id,
    room: { id: plan.room_id, version: 0 },
    transaction: { session: SERVER, key, answer: plan.room_id },
    entries: entriesOf(plan.events),
  });
  if (appended.outcome === "stale") throw new Error("a new room was there already");
  return appended.answer;
}

/** Lets the next members in, as far as they are not. Who has no account here is left out. */
async function addMembers(
  ctx: Context,
  { roomId, owner, channel, first }: Making & { roomId: string; first: number },
): Promise<void> {
  const names = channel.members.slice(first, first + limits.shutdown_members);
  const userIds = names.map((name) => `@${name}:${ctx.config.serverName}`);
  const profiles = await profilesOf(ctx, userIds);
  for (const userId of userIds) {
    if (!(await isActive(ctx, userId))) continue;
    const membership = (await ctx.rooms.load(roomId)).membership(userId);
    const profile = profiles.get(userId) ?? {};
    const enter = (sender: string, as: "invite" | "join") =>
      submit(ctx, { roomId, propose: () => memberProposal(sender, userId, memberContent(as, profile)) });
    if (!channel.isPublic && membership === undefined) await enter(owner, "invite");
    // Who has left since an earlier try, or was banned, is not brought back.
    if (membership === undefined || membership === "invite") await enter(userId, "join");
  }
}

/** Gives the room its name in the directory, where that is free; says so where it is not. */
async function nameRoom(
  ctx: Context,
  { roomId, owner, channel }: Making & { roomId: string },
): Promise<{ detail?: string }> {
  if (!channel.isPublic || (await aliasesOf(ctx, roomId)).length > 0) return {};
  const alias = `#${channel.name}:${ctx.config.serverName}`;
  const isOwn = await reserve(ctx, { alias, roomId, creator: owner });
  await publish(ctx, roomId);
  if (!isOwn) return { detail: `The alias ${alias} is another room's.` };
  const content = { alias };
  await submit(ctx, {
    roomId,
    propose: () => ({ sender: owner, type: "m.room.canonical_alias", state_key: "", content }),
  });
  return {};
}
