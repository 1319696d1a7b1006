/**
 * What people set up for themselves in a room goes along when they come into the one that replaces it: its tags, its push rule,
 * and that it is a direct chat. Specification: client-server-api, "Room Upgrades", server behaviour.
 */
import { changeAccountData } from "../account/data.ts";
import type { Context } from "../context.ts";
import { readAccountDataItem } from "../log/queries.ts";
import { storedChanges } from "../push/stored-rules.ts";
import { isObject } from "./rules/event.ts";
import { isRoomId } from "./rules/identifiers.ts";
import type { RoomState } from "./state.ts";

interface Move {
  userId: string;
  from: string;
  to: string;
}

/** For somebody who has just come into the room: carries over what they had in the one that it says it replaces. */
export async function carryOverInto(ctx: Context, room: RoomState, userId: string): Promise<void> {
  const predecessor = room.get("m.room.create")?.content["predecessor"];
  const from = isObject(predecessor) ? predecessor["room_id"] : undefined;
  if (!isRoomId(from) || from === room.roomId) return;
  const before = await ctx.rooms.find(from);
  // Any room may say that it replaces another. What somebody had in a room where they are not known is none of its business.
  if (before?.membership(userId) === "join") await carryOver(ctx, { userId, from, to: room.roomId });
}

/** Carries over what the person has nothing of in the new room. */
export async function carryOver(ctx: Context, move: Move): Promise<void> {
  await Promise.all([carryTags(ctx, move), carryDirectness(ctx, move), carryPushRule(ctx, move)]);
}

function readGlobal(ctx: Context, userId: string, type: string): Promise<string | undefined> {
  return readAccountDataItem(ctx.db.log, { userId, roomId: "", type });
}

async function carryTags(ctx: Context, { userId, from, to }: Move): Promise<void> {
  const tagsOf = (roomId: string) => readAccountDataItem(ctx.db.log, { userId, roomId, type: "m.tag" });
  const [tags, there] = await Promise.all([tagsOf(from), tagsOf(to)]);
  if (tags === undefined || there !== undefined) return;
  const carried = JSON.parse(tags) as object;
  await changeAccountData(ctx, { userId, roomId: to, type: "m.tag" }, (stored) =>
    stored === undefined ? carried : (JSON.parse(stored) as object),
  );
}

/** The rooms with each person, where the old room is among them. Specification: `m.direct`. */
async function carryDirectness(ctx: Context, { userId, from, to }: Move): Promise<void> {
  const isDirect = (rooms: unknown): rooms is unknown[] =>
    Array.isArray(rooms) && rooms.includes(from) && !rooms.includes(to);
  const parse = (text: string | undefined) => Object.entries(JSON.parse(text ?? "{}") as Record<string, unknown>);
  if (!parse(await readGlobal(ctx, userId, "m.direct")).some(([, rooms]) => isDirect(rooms))) return;
  await changeAccountData(ctx, { userId, roomId: "", type: "m.direct" }, (stored) =>
    Object.fromEntries(parse(stored).map(([who, rooms]) => [who, isDirect(rooms) ? [...rooms, to] : rooms])),
  );
}

async function carryPushRule(ctx: Context, { userId, from, to }: Move): Promise<void> {
  const ruleIn = (text: string | undefined) => {
    const rules = storedChanges(text).own.room ?? [];
    return rules.some((rule) => rule.rule_id === to) ? undefined : rules.find((rule) => rule.rule_id === from);
  };
  if (!ruleIn(await readGlobal(ctx, userId, "m.push_rules"))) return;
  await changeAccountData(ctx, { userId, roomId: "", type: "m.push_rules" }, (stored) => {
    const changes = storedChanges(stored);
    const rule = ruleIn(stored);
    if (!rule) return changes;
    return { ...changes, own: { ...changes.own, room: [...(changes.own.room ?? []), { ...rule, rule_id: to }] } };
  });
}
