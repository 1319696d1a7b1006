/** What one stretch of the log holds for one service: the body of its next transaction. */
import type { Context } from "../context.ts";
import { readManyKeyCounts } from "../keys/counts.ts";
import { limits } from "../limits.ts";
import { isOwnReceipt, type LogEntry } from "../log/entry.ts";
import { clientEventInRoom } from "../messages/client-event.ts";
import { strippedState } from "../messages/stripped-state.ts";
import { membershipOf } from "../rooms/cache.ts";
import { type Interest, openInterest } from "./interest.ts";
import { type Moments, sharesRoom } from "./moments.ts";
import type { Service } from "./service.ts";
import type { Stretch } from "./stretches.ts";

interface Device {
  userId: string;
  deviceId: string;
}

interface Draft {
  /** JSON. */
  events: string[];
  ephemeral: object[];
  toDevice: object[];
  /** Whose device lists changed. */
  changed: Set<string>;
  /** Devices of the service whose counts of keys it should know, by their names. */
  devices: Map<string, Device>;
  bytes: number;
}

export interface Collected {
  /** JSON; undefined where nothing is for the service. */
  body: string | undefined;
  /** Everything up to here is in it, or is not for the service. */
  upTo: number;
}

interface Collecting {
  ctx: Context;
  service: Service;
  interest: Interest;
}

/** Puts together what the service gets of the stretch, as far as one transaction goes. */
export async function collect(
  ctx: Context,
  service: Service,
  { stretch, moments }: { stretch: Stretch; moments: Pick<Moments, "take"> | undefined },
): Promise<Collected> {
  // The rooms are to be at least as new as what is looked at here.
  await ctx.log.hub.reached(stretch.upTo, ctx.stopping);
  const collecting = { ctx, service, interest: openInterest(ctx, service) };
  const draft: Draft = { events: [], ephemeral: [], toDevice: [], changed: new Set(), devices: new Map(), bytes: 0 };
  let { upTo } = stretch;
  for (const entry of stretch.entries) {
    await take(collecting, draft, entry);
    if (draft.events.length + draft.toDevice.length < limits.serviceTransaction_events && isSmall(draft)) continue;
    upTo = entry.position;
    break;
  }
  if (moments) draft.ephemeral.push(...(await moments.take(service, collecting.interest)));
  return { body: await bodyOf(collecting, draft), upTo };
}

function isSmall({ bytes }: Draft): boolean {
  return bytes < limits.serviceTransaction_bytes;
}

function take(collecting: Collecting, draft: Draft, entry: LogEntry): Promise<void> | void {
  if (entry.kind === "event") return takeEvent(collecting, draft, entry);
  if (entry.kind === "receipt") return takeReceipt(collecting, draft, entry);
  if (entry.kind === "to_device") return takeToDevice(collecting, draft, entry);
  if (entry.kind === "device_list") return takeDeviceList(collecting, draft, entry);
  if (entry.kind === "session" && entry.type === "one_time_keys") noteDevice(collecting, draft, entry);
}

async function takeEvent(collecting: Collecting, draft: Draft, entry: LogEntry): Promise<void> {
  const { service, interest } = collecting;
  const isMember = entry.type === "m.room.member" && entry.stateKey !== null;
  const isAbout =
    service.user(entry.userId as string) !== "no" || (isMember && service.user(entry.stateKey as string) !== "no");
  if (!isAbout && !(await interest.isIn({ roomId: entry.roomId as string, position: entry.position }))) return;
  const event = clientEventInRoom(isMember ? await withInviteState(collecting, entry) : entry);
  draft.events.push(event);
  draft.bytes += event.length;
}

/** Who is invited can not look at the room yet, and so its service can not. */
async function withInviteState({ ctx, service }: Collecting, entry: LogEntry): Promise<LogEntry> {
  const userId = entry.stateKey as string;
  if (membershipOf(entry).membership !== "invite" || service.user(userId) === "no") return entry;
  const room = await ctx.rooms.find(entry.roomId as string);
  if (!room) return entry;
  const state = `"invite_room_state":[${strippedState(room, userId).join(",")}]`;
  return { ...entry, unsigned: entry.unsigned === null ? `{${state}}` : `${entry.unsigned.slice(0, -1)},${state}}` };
}

async function takeReceipt({ service, interest }: Collecting, draft: Draft, entry: LogEntry): Promise<void> {
  if (!service.takesEphemeral) return;
  const { roomId, position, userId, type } = entry as LogEntry & Record<"roomId" | "userId" | "type", string>;
  if (isOwnReceipt(entry) && (type !== "m.read.private" || service.user(userId) === "no")) return;
  if (!(await interest.isIn({ roomId, position }))) return;
  const { event_id, data } = JSON.parse(entry.body) as { event_id: string; data: unknown };
  draft.ephemeral.push({ type: "m.receipt", room_id: roomId, content: { [event_id]: { [type]: { [userId]: data } } } });
}

function takeToDevice(collecting: Collecting, draft: Draft, entry: LogEntry): void {
  const { service } = collecting;
  const [userId, deviceId] = [entry.userId as string, entry.deviceId as string];
  if (!(service.takesEphemeral || service.takesEncryption) || service.user(userId) === "no") return;
  draft.toDevice.push({ ...(JSON.parse(entry.body) as object), to_user_id: userId, to_device_id: deviceId });
  draft.bytes += entry.body.length;
  noteDevice(collecting, draft, entry);
}

async function takeDeviceList(collecting: Collecting, draft: Draft, entry: LogEntry): Promise<void> {
  const { ctx, service } = collecting;
  const userId = entry.userId as string;
  if (!service.takesEncryption || entry.type !== "changed" || draft.changed.has(userId)) return;
  if (await sharesRoom(ctx, collecting, userId)) draft.changed.add(userId);
}

function noteDevice({ service }: Collecting, draft: Draft, { userId, deviceId }: LogEntry): void {
  if (!service.takesEncryption || userId === null || deviceId === null || service.user(userId) === "no") return;
  draft.devices.set(JSON.stringify([userId, deviceId]), { userId, deviceId });
}

async function bodyOf({ ctx, service }: Collecting, draft: Draft): Promise<string | undefined> {
  const { events, ephemeral, toDevice, changed, devices } = draft;
  if (events.length + ephemeral.length + toDevice.length + changed.size + devices.size === 0) return undefined;
  const members = [`"events":[${events.join(",")}]`];
  const add = (name: string, value: unknown) => members.push(`${JSON.stringify(name)}:${JSON.stringify(value)}`);
  if (ephemeral.length > 0) for (const name of service.ephemeralNames) add(name, ephemeral);
  if (toDevice.length > 0) add("de.sorunome.msc2409.to_device", toDevice);
  if (changed.size > 0) add("org.matrix.msc3202.device_lists", { changed: [...changed], left: [] });
  if (devices.size > 0) await addCounts(ctx, [...devices.values()], add);
  return `{${members.join(",")}}`;
}

/** By user and device. Proposal MSC3202. */
async function addCounts(
  ctx: Context,
  devices: readonly Device[],
  add: (name: string, value: unknown) => void,
): Promise<void> {
  const counts = await readManyKeyCounts(ctx, devices);
  const keys: Record<string, Record<string, object>> = {};
  const fallbacks: Record<string, Record<string, readonly string[]>> = {};
  for (const [i, { userId, deviceId }] of devices.entries()) {
    const { device_one_time_keys_count: left = {}, device_unused_fallback_key_types: unused = [] } = counts[i] ?? {};
    (keys[userId] ??= {})[deviceId] = { signed_curve25519: 0, ...left };
    (fallbacks[userId] ??= {})[deviceId] = unused;
  }
  add("org.matrix.msc3202.device_one_time_keys_count", keys);
  add("org.matrix.msc3202.device_unused_fallback_key_types", fallbacks);
}
