/** What did this device expose, and since when? */
import { matrixError } from "../../errors.ts";
import { day, deviceNode, deviceNodeId, edge, type Found, namesOf, personNode, plural, roomNode } from "../answer.ts";
import type { Device, Room, Stay } from "../model.ts";
import type { Graph } from "../port.ts";
import { spansOf } from "../sight.ts";

/** A stay that the device was there for, and what could be read by it. */
export interface Exposure {
  roomId: string;
  /** The oldest that could be read; null: the room's beginning. */
  from_ms: number | null;
  /** Since when the device could read it. */
  since_ms: number;
  /** Until when; null: it still can. */
  until_ms: number | null;
}

export interface ExposedOptions {
  userId: string;
  deviceId: string;
  /** When it was lost; what was added since its sign-in is told apart. Absent: not asked. */
  lost_ms?: number | undefined;
}

export async function exposed(graph: Graph, { userId, deviceId, lost_ms }: ExposedOptions): Promise<Found> {
  const devices = await graph.devicesOf(userId);
  const device = devices.find((each) => each.deviceId === deviceId);
  if (!device) throw matrixError("M_NOT_FOUND", "The access graph knows no device with this id.");
  const exposures = await exposuresOf(graph, device);
  const names = await namesOf(
    graph,
    [userId],
    exposures.map(({ roomId }) => roomId),
  );
  const label = device.name ?? deviceId;
  const items = exposures.map(({ roomId, from_ms, since_ms, until_ms }) => {
    const room = names.rooms.get(roomId);
    const kept = readBy(device, room);
    return {
      room_id: roomId,
      name: names.room(roomId),
      from_ts: from_ms,
      since_ts: since_ms,
      until_ts: until_ms,
      encrypted: room ? room.encrypted_ms !== null : null,
      readable: kept,
    };
  });
  const isOpen = device.ended_ms === null;
  const during = isOpen
    ? `since ${day(device.created_ms)}`
    : `from ${day(device.created_ms)} to ${day(device.ended_ms)}`;
  return {
    sentence: `${label} of ${names.person(userId)} could read ${plural(new Set(exposures.map(({ roomId }) => roomId)).size, "room")} ${during}${isOpen ? ", and still can" : ""}.`,
    details: [
      `Last seen ${day(device.lastSeen_ms)}.`,
      device.isVerified
        ? "It is verified: it was given the keys of encrypted rooms, and may have those of older messages from the backup."
        : device.hasKeys
          ? "It is not verified: other people's devices may have refused it the keys of encrypted rooms."
          : "It has no keys of its own: encrypted rooms were closed to it.",
      ...(lost_ms === undefined ? [] : [lostSentence(exposures, lost_ms)]),
    ],
    items,
    nodes: [
      deviceNode(device),
      personNode(names.people.get(userId), userId),
      ...exposures.map(({ roomId }) => roomNode(names.rooms.get(roomId), roomId)),
    ],
    edges: [
      edge("uses", [userId, deviceNodeId(device)], { properties: { since_ts: device.created_ms } }),
      ...exposures.map(({ roomId, since_ms, until_ms }) =>
        edge("could_read", [deviceNodeId(device), roomId], {
          label: until_ms === null ? "can read" : "could read",
          properties: { since_ts: since_ms, until_ts: until_ms },
        }),
      ),
    ],
    roots: [deviceNodeId(device)],
  };
}

/** Rooms that the device's owner was in while the device was signed in; the last stay of each. */
export async function exposuresOf(graph: Graph, device: Device): Promise<Exposure[]> {
  const { created_ms, ended_ms, userId } = device;
  const stays = await graph.staysOf(userId);
  const during = stays.filter(
    (stay) =>
      (ended_ms === null || stay.from_ms <= ended_ms) && (stay.until_ms === null || stay.until_ms >= created_ms),
  );
  const byRoom = Map.groupBy(during, ({ roomId }) => roomId);
  const visibilities = Map.groupBy(await graph.visibilitiesOf([...byRoom.keys()]), ({ roomId }) => roomId);
  return [...byRoom].map(([roomId, own]) => {
    const all = stays.filter((stay) => stay.roomId === roomId && stay.from_ms <= (ended_ms ?? Infinity));
    const sorted = (visibilities.get(roomId) ?? []).toSorted((a, b) => a.position - b.position);
    const [first] = spansOf({ visibilities: sorted, stays: all, membership: undefined });
    return { roomId, from_ms: first?.from_ms ?? null, ...boundsOf(own, device) };
  });
}

function boundsOf(stays: readonly Stay[], { created_ms, ended_ms }: Device): Pick<Exposure, "since_ms" | "until_ms"> {
  const since_ms = Math.max(created_ms, Math.min(...stays.map(({ from_ms }) => from_ms)));
  const ends = stays.map(({ until_ms }) => until_ms);
  const left = ends.includes(null) ? null : Math.max(...(ends as number[]));
  const until_ms = left === null ? ended_ms : ended_ms === null ? left : Math.min(left, ended_ms);
  return { since_ms, until_ms };
}

function readBy({ isVerified, hasKeys }: Device, room: Room | undefined): string {
  if (!room || room.encrypted_ms === null) return "yes";
  if (!hasKeys) return "no: without keys";
  return isVerified ? "with its keys" : "maybe: not verified";
}

function lostSentence(exposures: readonly Exposure[], lost_ms: number): string {
  const after = exposures.filter(({ until_ms }) => until_ms === null || until_ms > lost_ms).length;
  return `Since it was lost, ${moment(lost_ms)}, ${plural(after, "room")} could be read with it.`;
}

/** To the minute: where a day begins is not the same for who asks and who answers. */
function moment(at_ms: number): string {
  return `${day(at_ms)}, ${new Date(at_ms).toISOString().slice(11, 16)} UTC`;
}
