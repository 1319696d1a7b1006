/** Who administers and manages, what would change without somebody, and which devices are stale: the graph's answers against the model's. */
import assert from "node:assert/strict";
import type { Graph } from "../port.ts";
import { administratorsPaths } from "../questions/administrators.ts";
import { orphans } from "../questions/orphans.ts";
import { effectOfRemoval } from "../questions/removal.ts";
import { staleDevices } from "../questions/stale.ts";
import type { Brute } from "./brute.ts";
import { ofHistory, sorted } from "./check-ways.ts";

export async function checkOrphans(graph: Graph, brute: Brute): Promise<void> {
  const { items } = await orphans(graph);
  const expected = brute.history.rooms.filter((room) => brute.managers(room).length === 0);
  assert.deepEqual(
    ofHistory(
      brute,
      items.map((item) => item["room_id"] as string),
    ),
    sorted(expected),
  );
  for (const item of items)
    if (brute.history.rooms.includes(item["room_id"] as string))
      assert.equal(item["members"], brute.joined(item["room_id"] as string).length);
  for (const roomId of brute.history.rooms) {
    const paths = await administratorsPaths(graph, { roomId });
    assert.deepEqual(sorted(paths.items.map((item) => item["user_id"] as string)), sorted(brute.managers(roomId)));
  }
}

export async function checkRemoval(graph: Graph, brute: Brute): Promise<void> {
  for (const userId of brute.history.people.slice(0, 4)) {
    const { items } = await effectOfRemoval(graph, { kind: "person", userId });
    for (const item of items) {
      const room = item["room_id"] as string;
      const [members, managers] = [brute.joined(room), brute.managers(room)];
      const expected =
        members.length === 1
          ? "nobody is left"
          : !managers.includes(userId)
            ? "loses a member"
            : managers.length === 1
              ? "nobody can manage it"
              : "loses a manager";
      assert.equal(item["effect"], expected, `${userId} ${room}`);
    }
    const isIn = brute.history.rooms.filter((room) => brute.membership(userId, room) === "join");
    assert.deepEqual(sorted(items.map((item) => item["room_id"] as string)), sorted(isIn));
  }
  for (const spaceId of brute.history.rooms) {
    const { items } = await effectOfRemoval(graph, { kind: "space", roomId: spaceId });
    for (const roomId of brute.history.rooms.filter((room) => room !== spaceId)) {
      const isLost = (user: string) =>
        brute.readable(user).has(roomId) &&
        !brute.enterable(user, spaceId).has(roomId) &&
        brute.visibility(roomId) !== "world_readable";
      const lost = brute.history.people.filter(isLost);
      const item = items.find((each) => each["room_id"] === roomId);
      const isClosedToAll = item?.["effect"] === "closed to everybody else";
      assert.equal(isClosedToAll, isLost("@stranger:localhost"), `${spaceId} ${roomId}`);
      if (isClosedToAll) continue;
      assert.equal(item?.["people"] ?? 0, lost.length, `${spaceId} ${roomId}`);
    }
  }
}

export async function checkOperators(graph: Graph, { history }: Brute): Promise<void> {
  const { items } = await administratorsPaths(graph, {});
  const roles = new Map(items.map((item) => [item["user_id"] as string, item["role"]]));
  for (const userId of history.people) {
    const expected = history.admins.includes(userId)
      ? "owner"
      : history.auditors.includes(userId)
        ? "auditor"
        : undefined;
    assert.equal(roles.get(userId), expected, userId);
  }
}

export async function checkStale(graph: Graph, brute: Brute): Promise<void> {
  const now_ms = 1_700_000_160_000 + 86_400_000;
  const { items } = await staleDevices(graph, { days: 1, unverified: false, now_ms });
  const expected = brute.history.devices.filter(
    ({ ended, lastSeen_ms }) => !ended && lastSeen_ms < now_ms - 86_400_000,
  );
  const found = items.filter((item) => brute.history.people.includes(item["user_id"] as string));
  assert.deepEqual(
    sorted(found.map((item) => `${item["user_id"]} ${item["device_id"]}`)),
    sorted(expected.map(({ userId, deviceId }) => `${userId} ${deviceId}`)),
  );
}
