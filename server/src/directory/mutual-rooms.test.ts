import assert from "node:assert/strict";
import { test } from "node:test";
import { registerPerson } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { createRoom } from "../../../testkit/src/room.ts";
import { limits } from "../limits.ts";

const PATH = "/_matrix/client/v1/mutual_rooms";
const { server, alice, bob } = await startNeighbours(["alice", "bob"], { config: { roles: ["auth", "messages"] } });

const pathFor = (userId: string, from?: string) =>
  `${PATH}?${new URLSearchParams({ user_id: userId, ...(from !== undefined && { from }) })}`;

test("the rooms that both are in, and no others", async () => {
  const shared = [await createRoom(alice), await createRoom(alice)];
  const [left, invited] = [await createRoom(alice), await createRoom(alice, { invite: [bob.userId] })];
  await createRoom(alice);
  await createRoom(bob);
  for (const room of [...shared, left]) await room.change(bob, "join");
  await left.change(bob, "leave");
  const expected = shared.map(({ id }) => id).toSorted();
  for (const [who, other] of [
    [alice, bob],
    [bob, alice],
  ] as const)
    assert.deepEqual(await who.call("GET", pathFor(other.userId)), { joined: expected, count: 2 });
  assert.ok(!expected.includes(invited.id));
});

test("with somebody who does not exist nobody shares a room; with oneself, or no user id, the question makes no sense", async () => {
  assert.deepEqual(await alice.call("GET", pathFor("@nobody:localhost")), { joined: [], count: 0 });
  for (const userId of [alice.userId, "nobody", "@nobody"]) {
    const { status, body } = await alice.ask("GET", pathFor(userId));
    assert.deepEqual([status, body.errcode], [400, "M_INVALID_PARAM"]);
  }
  assert.equal((await alice.ask("GET", PATH)).status, 400);
  assert.equal((await alice.ask("GET", pathFor(bob.userId, "x"))).status, 400);
});

test("very many come page after page", async () => {
  const [carol, dora] = [await registerPerson(server.url, "carol"), await registerPerson(server.url, "dora")];
  const rooms = Array.from({ length: limits.mutualPage_rooms + 7 }, (_, i) => `!room${i}:localhost`);
  await server.ctx.db.log.change(
    `insert into log.members (room_id, user_id, membership, position, event_id)
     select r, u, 'join', 1, 'x' from unnest($1::text[]) r, unnest($2::text[]) u`,
    [rooms, [carol.userId, dora.userId]],
  );
  const first = await carol.call("GET", pathFor(dora.userId));
  const second = await carol.call("GET", pathFor(dora.userId, first.next_batch));
  assert.deepEqual([...first.joined, ...second.joined], rooms.toSorted());
  assert.deepEqual([first.count, second.count, second.next_batch], [rooms.length, rooms.length, undefined]);
});
