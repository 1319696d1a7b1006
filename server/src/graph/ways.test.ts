/** Ways into rooms, one rule each; questions.test.ts has them in all their combinations. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Admission, type Membership, type MembershipRow, newRoom, type Room } from "./model.ts";
import type { Graph } from "./port.ts";
import { effectOfRemoval } from "./questions/removal.ts";
import { waysOf } from "./ways.ts";

const ME = "@me:localhost";

function standing(
  memberships: Record<string, Membership>,
  rooms: Record<string, Partial<Room>>,
  via: [string, string][] = [],
) {
  const row = (roomId: string, membership: Membership): MembershipRow => ({
    userId: ME,
    roomId,
    membership,
    since_ms: 0,
    sincePosition: 1,
    byUser: ME,
    invitedBy: null,
    invited_ms: null,
    vouchedBy: null,
  });
  const admission = ([viaRoomId, roomId]: [string, string]): Admission => ({
    roomId,
    viaRoomId,
    byUser: ME,
    since_ms: 0,
  });
  return {
    memberships: new Map(Object.entries(memberships).map(([id, membership]) => [id, row(id, membership)])),
    rooms: new Map(Object.entries(rooms).map(([id, room]) => [id, { ...newRoom(id), ...room }])),
    admissions: via.map(admission),
  };
}

const hows = (given: ReturnType<typeof standing>) =>
  Object.fromEntries([...waysOf(given)].map(([id, { how }]) => [id, how]));

test("who may join a room may join what its members may join, and so on", () => {
  const rooms = { "!a": { joinRule: "public" }, "!b": { joinRule: "restricted" }, "!c": { joinRule: "restricted" } };
  const given = standing({}, rooms, [
    ["!b", "!c"],
    ["!a", "!b"],
  ]);
  assert.deepEqual(hows(given), { "!a": "public", "!b": "restricted", "!c": "restricted" });
});

test("whoever is banned from a room comes in by no other room, and gets no further by it", () => {
  const rooms = { "!a": { joinRule: "invite" }, "!b": { joinRule: "restricted" }, "!c": { joinRule: "restricted" } };
  const given = standing({ "!a": "join", "!b": "ban" }, rooms, [
    ["!a", "!b"],
    ["!b", "!c"],
  ]);
  assert.deepEqual(hows(given), { "!a": "member" });
});

test("an invitation lets nobody into a private room, and into every other one", () => {
  const rooms = { "!a": { joinRule: "private" }, "!b": { joinRule: "knock" } };
  assert.deepEqual(hows(standing({ "!a": "invite", "!b": "invite" }, rooms)), { "!b": "invited" });
});

test("what a space lets into is looked at by twenty rooms at a time: never are the people of more of them in memory", async () => {
  const space = "!space";
  const names = Array.from({ length: 30 }, (_, i) => `!r${i}`);
  const { rooms, admissions, memberships } = standing(
    { [space]: "join" },
    Object.fromEntries([space, ...names].map((id) => [id, { joinRule: id === space ? "invite" : "restricted" }])),
    names.map((name) => [space, name]),
  );
  const together: number[] = [];
  const graph = {
    people: async () => [],
    rooms: async (ids: string[]) => ids.flatMap((id) => rooms.get(id) ?? []),
    admissionsFrom: async () => admissions,
    admissionsInto: async (ids: string[]) => admissions.filter(({ roomId }) => ids.includes(roomId)),
    async membersOf(ids: string[]) {
      together.push(ids.length);
      return ids.flatMap((id) => memberships.get(id) ?? []);
    },
  };
  const { items } = await effectOfRemoval(graph as unknown as Graph, { kind: "space", roomId: space });
  assert.deepEqual([items.length, items[0]?.["people"]], [30, 1]);
  assert.deepEqual(together, [1, 20, 10], "of the space, and then of the rooms");
});

test("without a space somebody loses a room that everybody else gets into, where they are banned on everybody's way", async () => {
  const [space, lobby, room] = ["!space", "!lobby", "!room"];
  const { rooms, admissions, memberships } = standing(
    { [space]: "join", [lobby]: "ban" },
    { [space]: { joinRule: "invite" }, [lobby]: { joinRule: "public" }, [room]: { joinRule: "restricted" } },
    [
      [space, room],
      [lobby, room],
    ],
  );
  const graph = {
    people: async () => [],
    rooms: async (ids: string[]) => ids.flatMap((id) => rooms.get(id) ?? []),
    admissionsFrom: async () => admissions.filter(({ viaRoomId }) => viaRoomId === space),
    admissionsInto: async () => admissions,
    membersOf: async (ids: string[]) => ids.flatMap((id) => memberships.get(id) ?? []),
  };
  const { items } = await effectOfRemoval(graph as unknown as Graph, { kind: "space", roomId: space });
  assert.deepEqual(
    items.map(({ room_id, effect, people }) => ({ room_id, effect, people })),
    [{ room_id: room, effect: "closed to some", people: 1 }],
  );
});
