/** What a gateway is told. Specification: push-gateway-api, POST /_matrix/push/v1/notify. */
import type { Context } from "../../context.ts";
import type { LogEntry } from "../../log/entry.ts";
import { readEvent } from "../../log/queries.ts";
import { contentOf, type RoomState } from "../../rooms/state.ts";
import { displayNameIn } from "../prepare.ts";
import type { HeldPusher, Queued } from "./queue.ts";

export interface Notification {
  event_id?: string;
  room_id?: string;
  prio: "high" | "low";
  counts: { unread?: number };
  devices: readonly object[];
  [member: string]: unknown;
}

const ENCRYPTED = "m.room.encrypted";

/** The notification for one queued row; undefined where its event is gone, or the person is not in the room any more. */
export async function notificationOf(
  ctx: Context,
  pusher: HeldPusher,
  queued: Queued,
): Promise<Notification | undefined> {
  const { url: _url, ...data } = JSON.parse(pusher.data) as Record<string, unknown>;
  const tweaks = JSON.parse(queued.tweaks ?? "{}") as Record<string, unknown>;
  const device = { app_id: pusher.appId, pushkey: pusher.pushkey, pushkey_ts: pusher.set_s, data, tweaks };
  if (queued.what !== "event") return alone(queued, device);
  const found = await eventOf(ctx, pusher, queued);
  if (!found) return undefined;
  const { entry, room } = found;
  const isUrgent = entry.type === ENCRYPTED || tweaks["highlight"] === true || typeof tweaks["sound"] === "string";
  const notification: Notification = {
    event_id: entry.eventId as string,
    room_id: room.roomId,
    counts: countsOf(queued.unread),
    prio: isUrgent ? "high" : "low",
    devices: [device],
  };
  const isEncrypted = entry.type === ENCRYPTED;
  if (data["format"] === "event_id_only" || (isEncrypted && pusher.kind === "http")) return notification;
  const { content, ...names } = about(pusher, entry, room);
  // A browser alone can read what it is sent, so who wrote and where is told; what is encrypted it can fetch.
  return { ...notification, ...names, ...(isEncrypted ? {} : { content }) };
}

/** A number alone, or a try. Zero is said too: gateways that are not told a number leave the old one on the icon. */
function alone({ what, unread }: Queued, device: object): Notification {
  if (what === "counts") return { counts: { unread: unread ?? 0 }, prio: "low", devices: [device] };
  return { type: "io.parley.test", counts: {}, prio: "high", devices: [device] };
}

/** Counts that are zero are left out of what tells of an event. */
function countsOf(unread: number | null): { unread?: number } {
  return unread ? { unread } : {};
}

async function eventOf(
  ctx: Context,
  { userId }: HeldPusher,
  { eventId, roomId }: Queued,
): Promise<{ entry: LogEntry; room: RoomState } | undefined> {
  const entry = await readEvent(ctx.db.log, eventId as string);
  const room = await ctx.rooms.find(roomId as string);
  if (!entry || !room || isRedacted(entry)) return undefined;
  const membership = room.membership(userId);
  return membership === "join" || membership === "invite" ? { entry, room } : undefined;
}

function isRedacted({ unsigned }: LogEntry): boolean {
  return unsigned !== null && Object.hasOwn(JSON.parse(unsigned) as object, "redacted_because");
}

/** What `format: event_id_only` leaves out. `id` is what the event's id was called before there was a specification. */
function about({ userId }: HeldPusher, entry: LogEntry, room: RoomState): Record<string, unknown> {
  const sender = entry.userId as string;
  const isOfMember = entry.type === "m.room.member";
  const members = {
    id: entry.eventId,
    type: entry.type,
    sender,
    sender_display_name: displayNameIn(room, sender),
    room_name: nameOf(room, "m.room.name", "name") ?? nameOf(room, "m.room.canonical_alias", "alias"),
    room_alias: nameOf(room, "m.room.canonical_alias", "alias"),
    ...(isOfMember ? { user_is_target: entry.stateKey === userId, membership: contentOf(entry)["membership"] } : {}),
    content: contentOf(entry),
  };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

function nameOf(room: RoomState, type: string, member: string): string | undefined {
  const name = room.get(type)?.content[member];
  return typeof name === "string" && name !== "" ? name : undefined;
}
