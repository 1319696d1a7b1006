/**
 * What the server has to say to a person: messages of its own account, in one room for each person, which they are invited to and in
 * which they say nothing. Specification: client-server-api, "Server Notices".
 */
import { changeAccountData } from "../account/data.ts";
import { systemAccount } from "../auth/system-account.ts";
import { profilesOf } from "../account/profile.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { append, newSending } from "../messages/sending.ts";
import { randomToken } from "../seams.ts";
import { appendRoom } from "./create.ts";
import { memberContent, memberProposal } from "./member-body.ts";
import { planRoom } from "./rules/create.ts";
import { isObject } from "./rules/event.ts";
import type { RoomState } from "./state.ts";
import { newEventId, submit } from "./submit.ts";

const LOCALPART = "_notices";
const NAME = "Server notices";
/** No session has this number: the transactions of notices are nobody's else. */
const NO_SESSION = 0;

/** Says something to a person, and gives where. The same key again is the same message. */
export async function sendNotice(
  ctx: Context,
  { userId, text, key }: { userId: string; text: string; key: string },
): Promise<{ roomId: string; eventId: string }> {
  const sender = await systemAccount(ctx, { localpart: LOCALPART, displayname: NAME });
  const roomId = await noticesRoom(ctx, { userId, sender });
  const content = { msgtype: "m.server_notice", server_notice_type: "io.parley.message", body: text };
  const session = { id: NO_SESSION, userId: sender };
  const txnId = `notice ${key}`;
  const eventId = await append(ctx, newSending(ctx, { session, roomId, type: "m.room.message", txnId, content }));
  return { roomId, eventId };
}

/** Throws M_CANNOT_LEAVE_SERVER_NOTICE_ROOM where somebody declines the invitation; who came in may leave. */
export function requireDeclinable(ctx: Context, room: RoomState, userId: string): void {
  const sender = `@${LOCALPART}:${ctx.config.serverName}`;
  if (room.membership(userId) === "invite" && room.get("m.room.create")?.sender === sender)
    throw matrixError(
      "M_CANNOT_LEAVE_SERVER_NOTICE_ROOM",
      "The invitation to the server's notices can not be declined.",
    );
}

interface Addressed {
  userId: string;
  sender: string;
}

/** The person's room, which is made when there is none; who has left it is invited again. */
async function noticesRoom(ctx: Context, { userId, sender }: Addressed): Promise<string> {
  const roomId = (await knownRoom(ctx, userId)) ?? (await roomUnderLock(ctx, { userId, sender }));
  const room = await ctx.rooms.load(roomId);
  const membership = room.membership(userId);
  if (membership !== "join" && membership !== "invite")
    await submit(ctx, { roomId, propose: () => memberProposal(sender, userId, memberContent("invite", {})) });
  return roomId;
}

async function knownRoom(ctx: Context, userId: string): Promise<string | undefined> {
  const sql = "select room_id from rooms.notices where user_id = $1";
  const row = await ctx.db.rooms.one<{ room_id: string }>(sql, [userId]);
  // One that was purged meanwhile is none.
  return row && (await ctx.rooms.find(row.room_id)) ? row.room_id : undefined;
}

/** Makes the room under a lock of its own, so that whoever is told at one moment from several sides is invited once. */
function roomUnderLock(ctx: Context, { userId, sender }: Addressed): Promise<string> {
  return ctx.db.rooms.transaction(async (db) => {
    await db.query("insert into rooms.notices (user_id, room_id) values ($1, '') on conflict do nothing", [userId]);
    await db.query("select 1 from rooms.notices where user_id = $1 for update", [userId]);
    const row = await db.one<{ room_id: string }>("select room_id from rooms.notices where user_id = $1", [userId]);
    if (row && row.room_id !== "" && (await ctx.rooms.find(row.room_id))) return row.room_id;
    const roomId = await makeRoom(ctx, { userId, sender });
    await db.query("update rooms.notices set room_id = $2 where user_id = $1", [userId, roomId]);
    return roomId;
  });
}

async function makeRoom(ctx: Context, { userId, sender }: Addressed): Promise<string> {
  const plan = planRoom(
    {
      name: NAME,
      preset: "private_chat",
      invite: [userId],
      power_level_content_override: { events_default: 50, invite: 50 },
    },
    {
      creator: sender,
      serverName: ctx.config.serverName,
      defaultVersion: ctx.config.roomVersion,
      now_ms: ctx.seams.now_ms(),
      newEventId: () => newEventId(ctx),
      newRoomLocalpart: () => randomToken(ctx.seams, 18),
      profiles: await profilesOf(ctx, [sender, userId]),
    },
  );
  await appendRoom(ctx, plan);
  await changeAccountData(ctx, { userId, roomId: plan.room_id, type: "m.tag" }, tagged);
  return plan.room_id;
}

function tagged(stored: string | undefined): object {
  const { tags } = JSON.parse(stored ?? "{}") as { tags?: unknown };
  return { tags: { ...(isObject(tags) ? tags : {}), "m.server_notice": {} } };
}
