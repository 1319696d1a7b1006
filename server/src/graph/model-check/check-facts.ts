/** What stands on the nodes and edges themselves, which the answers show: the graph's against the model's. */
import assert from "node:assert/strict";
import type { Graph } from "../port.ts";
import { UNLIMITED } from "../model.ts";
import type { Brute } from "./brute.ts";
import { sorted } from "./check-ways.ts";

/** Spaces and what is in them, as either of them says. */
export async function checkNesting(graph: Graph, brute: Brute): Promise<void> {
  for (const roomId of brute.history.rooms) {
    const found = await graph.spacesOf([roomId]);
    const told = found.map(({ spaceId, saidBy, byUser, since_ms }) => `${spaceId} ${saidBy} ${byUser} ${since_ms}`);
    assert.deepEqual(sorted(told), sorted(brute.spaces(roomId)), roomId);
  }
}

/** Who has power by name, of whom and since when. */
export async function checkPowers(graph: Graph, brute: Brute): Promise<void> {
  for (const roomId of brute.history.rooms) {
    const found = await graph.powersIn([roomId]);
    const told = found.map(({ userId, level, grantedBy, granted_ms }) => {
      const power = level === UNLIMITED ? Infinity : level;
      return `${userId} ${power} ${grantedBy} ${granted_ms}`;
    });
    assert.deepEqual(sorted(told), sorted(brute.powers(roomId)), roomId);
  }
}

/** Of rooms: what they are, what they were made after, and what took their place. */
export async function checkRooms(graph: Graph, brute: Brute): Promise<void> {
  const { rooms } = brute.history;
  const found = new Map((await graph.rooms(rooms)).map((room) => [room.roomId, room]));
  for (const roomId of rooms) {
    const room = found.get(roomId);
    assert.ok(room, roomId);
    const { isSpace, encrypted_ms, predecessor, replacement } = room;
    assert.deepEqual({ isSpace, encrypted_ms, predecessor, replacement }, brute.room(roomId), roomId);
  }
}

/** Of members who came by another room: who vouched for them. */
export async function checkVouched(graph: Graph, brute: Brute): Promise<void> {
  for (const userId of brute.history.people)
    for (const { roomId, vouchedBy } of await graph.membershipsOf(userId))
      assert.equal(vouchedBy, brute.vouchedBy(userId, roomId), `${userId} ${roomId}`);
}

/** Which devices have keys, and which of them their owner has signed. */
export async function checkDevices(graph: Graph, { history }: Brute): Promise<void> {
  for (const { userId, deviceId, ended, keys } of history.devices) {
    const device = (await graph.devicesOf(userId)).find((each) => each.deviceId === deviceId);
    assert.ok(device, `${userId} ${deviceId}`);
    if (ended) continue;
    const { hasKeys, isVerified } = device;
    assert.deepEqual({ hasKeys, isVerified }, { hasKeys: keys !== "none", isVerified: keys === "signed" }, deviceId);
  }
}
