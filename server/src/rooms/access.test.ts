import assert from "node:assert/strict";
import { test } from "node:test";
import type { Person } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import type { LogEntry } from "../log/entry.ts";
import { readEvent } from "../log/queries.ts";
import { membershipsOf, sightOf } from "./access.ts";

const CLIENT = "/_matrix/client/v3";
const { server, alice, bob } = await startNeighbours(["alice", "bob"], { config: { roles: ["auth", "messages"] } });

type Visibility = "world_readable" | "shared" | "invited" | "joined";

/** A room of alice's in which the story of a reader is told. */
async function openStory(visibility: Visibility) {
  const history = { type: "m.room.history_visibility", content: { history_visibility: visibility } };
  const { room_id } = await alice.call("POST", `${CLIENT}/createRoom`, { initial_state: [history] });
  const room = `${CLIENT}/rooms/${encodeURIComponent(room_id as string)}`;
  let count = 0;
  return {
    roomId: room_id as string,
    say: async () => eventOf((await alice.call("PUT", `${room}/send/m.room.message/${++count}`, {})).event_id),
    show: async (now: Visibility) =>
      eventOf(
        (await alice.call("PUT", `${room}/state/m.room.history_visibility/`, { history_visibility: now })).event_id,
      ),
    invite: () => alice.call("POST", `${room}/invite`, { user_id: bob.userId }),
    join: () => bob.call("POST", `${room}/join`, {}),
    leave: () => bob.call("POST", `${room}/leave`, {}),
    ownEvents: () =>
      server.ctx.db.log.query<{ event_id: string }>(
        "select event_id from log.entries where room_id = $1 and type = 'm.room.member' and state_key = $2 order by position",
        [room_id, bob.userId],
      ),
  };
}

async function eventOf(eventId: string): Promise<LogEntry> {
  const entry = await readEvent(server.ctx.db.log, eventId);
  assert.ok(entry);
  return entry;
}

async function seenBy({ userId }: Person, roomId: string, events: readonly LogEntry[]): Promise<boolean[]> {
  const sight = await sightOf(server.ctx, await server.ctx.rooms.load(roomId), userId);
  return events.map((event) => sight.sees(event));
}

/** One message before the invitation, one while invited, one while joined, one after the leave. */
async function tellStory(visibility: Visibility, moment: "invited" | "joined" | "left") {
  const story = await openStory(visibility);
  const events = [await story.say()];
  await story.invite();
  events.push(await story.say());
  if (moment !== "invited") {
    await story.join();
    events.push(await story.say());
  }
  if (moment === "left") {
    await story.leave();
    events.push(await story.say());
  }
  return seenBy(bob, story.roomId, events);
}

const cases: { visibility: Visibility; invited: boolean[]; joined: boolean[]; left: boolean[] }[] = [
  { visibility: "world_readable", invited: [true, true], joined: [true, true, true], left: [true, true, true, true] },
  { visibility: "shared", invited: [false, false], joined: [true, true, true], left: [true, true, true, false] },
  { visibility: "invited", invited: [false, true], joined: [false, true, true], left: [false, true, true, false] },
  { visibility: "joined", invited: [false, false], joined: [false, false, true], left: [false, false, true, false] },
];

for (const { visibility, ...expected } of cases)
  for (const moment of ["invited", "joined", "left"] as const)
    test(`with ${visibility} history, who is ${moment} sees what the specification says`, async () => {
      assert.deepEqual(await tellStory(visibility, moment), expected[moment]);
    });

test("an event goes by the visibility at its time, whatever came later", async () => {
  const story = await openStory("joined");
  const hidden = await story.say();
  await story.show("shared");
  const shared = await story.say();
  await story.show("joined");
  const hiddenAgain = await story.say();
  await story.invite();
  await story.join();
  assert.deepEqual(await seenBy(bob, story.roomId, [hidden, shared, hiddenAgain]), [false, true, false]);
});

test("a change of visibility is seen by whoever sees what is before or after it", async () => {
  const story = await openStory("world_readable");
  const closing = await story.show("joined");
  const between = await story.show("invited");
  const opening = await story.show("world_readable");
  assert.deepEqual(await seenBy(bob, story.roomId, [closing, between, opening]), [true, false, true]);
});

test("one's own membership events are seen on either side of being in", async () => {
  const story = await openStory("joined");
  await story.invite();
  await story.join();
  await story.leave();
  const own = await Promise.all((await story.ownEvents()).map(({ event_id }) => eventOf(event_id)));
  assert.deepEqual(await seenBy(bob, story.roomId, own), [false, true, true]);
});

test("coming back shows what was shared meanwhile, also to a reader whose sight was asked before", async () => {
  const story = await openStory("shared");
  await story.invite();
  await story.join();
  await story.leave();
  const meanwhile = await story.say();
  assert.deepEqual(await seenBy(bob, story.roomId, [meanwhile]), [false]);
  await story.invite();
  await story.join();
  assert.deepEqual(await seenBy(bob, story.roomId, [meanwhile]), [true]);
});

test("memberships over time are those of each event", async () => {
  const story = await openStory("shared");
  const before = await story.say();
  await story.invite();
  const invited = await story.say();
  await story.join();
  const joined = await story.say();
  const at = await membershipsOf(server.ctx, await server.ctx.rooms.load(story.roomId), bob.userId);
  assert.deepEqual(
    [before, invited, joined].map(({ position }) => at(position)),
    ["leave", "invite", "join"],
  );
});
