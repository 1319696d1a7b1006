/** Devices that nobody has used for long, and what they still open. */
import { limits } from "../../limits.ts";
import { day, deviceNode, deviceNodeId, edge, type Found, namesOf, personNode, plural } from "../answer.ts";
import type { Graph } from "../port.ts";

export interface StaleOptions {
  days: number;
  /** Only those that are not verified. */
  unverified: boolean;
  now_ms: number;
}

export async function staleDevices(graph: Graph, { days, unverified, now_ms }: StaleOptions): Promise<Found> {
  const before_ms = now_ms - days * 86_400_000;
  const all = await graph.devicesUnseenSince(before_ms);
  const devices = all
    .filter(({ isVerified }) => !unverified || !isVerified)
    .toSorted((a, b) => a.lastSeen_ms - b.lastSeen_ms);
  const shown = devices.slice(0, limits.graphTable_rows);
  const owners = [...new Set(shown.map(({ userId }) => userId))];
  const [names, rooms] = await Promise.all([namesOf(graph, owners, []), graph.roomCounts(owners)]);
  const items = devices.map((device) => ({
    user_id: device.userId,
    name: names.people.get(device.userId)?.name ?? null,
    device_id: device.deviceId,
    device_name: device.name,
    last_seen_ts: device.lastSeen_ms,
    verified: device.isVerified,
    rooms: rooms.get(device.userId) ?? 0,
  }));
  const verified = devices.filter(({ isVerified }) => isVerified).length;
  return {
    sentence: `${plural(devices.length, unverified ? "unverified device" : "device")} ${devices.length === 1 ? "is" : "are"} signed in and ${devices.length === 1 ? "was" : "were"} not seen since ${day(before_ms)}${unverified ? "" : `; ${verified} of them verified`}.`,
    items,
    nodes: shown.flatMap((device) => [personNode(names.people.get(device.userId), device.userId), deviceNode(device)]),
    edges: shown.map((device) => edge("uses", [device.userId, deviceNodeId(device)])),
    roots: owners.slice(0, 1),
  };
}
