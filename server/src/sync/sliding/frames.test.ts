/** An answer that is built on the one before is the same as one that looks at every room, whatever happens in between. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Json, Person } from "../../../../testkit/src/http.ts";
import { uploadDevice, V3 } from "../../../../testkit/src/keys.ts";
import { type Random, seeded, seedOfRun } from "../../../../testkit/src/log/random.ts";
import { startTestServer } from "../../../../testkit/src/server.ts";
import { slide } from "../../../../testkit/src/sliding.ts";
import { createRoom, people, roomOf, roomPath, say } from "../../../../testkit/src/syncing.ts";
import { limits } from "../../limits.ts";
import { slidingPartsOf } from "./parts.ts";

const ROUNDS = 90;
const ROOMS = 8;
const server = await startTestServer();
after(() => server.stop());

interface World {
  random: Random;
  alice: Person;
  bob: Person;
  roomIds: string[];
  events: string[];
}

type Act = (world: World) => Promise<unknown>;

const state =
  (by: "alice" | "bob", type: string, content: (random: Random) => object): Act =>
  ({ random, roomIds, ...who }) =>
    who[by].ask("PUT", roomPath(random.pick(roomIds), `state/${type}/`), content(random));
const membership =
  (by: "alice" | "bob", act: string): Act =>
  ({ random, roomIds, alice, bob }) => {
    const [actor, target] = by === "bob" ? [bob, alice] : [alice, undefined];
    return actor.ask("POST", roomPath(random.pick(roomIds), act), target ? { user_id: target.userId } : {});
  };
const data =
  (path: string, content: (world: World) => object): Act =>
  (world) =>
    world.alice.ask("PUT", `${V3}/user/${world.alice.userId}/${path}`, content(world));
const inRoom = (world: World) => `rooms/${encodeURIComponent(world.random.pick(world.roomIds))}`;
const send: Act = async ({ random, roomIds, bob, alice, events }) => {
  const roomId = random.pick(roomIds);
  const who = random.chance(0.8) ? bob : alice;
  const { body } = await who.ask("PUT", roomPath(roomId, `send/m.room.message/f${events.length}`), {
    msgtype: "m.text",
    body: "hello",
  });
  events.push(`${roomId} ${body.event_id ?? "$none"}`);
};
const read =
  (type: string, content: object): Act =>
  ({ random, alice, bob, events }) => {
    const [roomId = "", eventId = ""] = random.pick(events.slice(-5)).split(" ");
    return random.pick([alice, bob]).ask("POST", roomPath(roomId, `receipt/${type}/${eventId}`), content);
  };

/** News, mostly; and everything that may change which rooms are shown, or how. Some of it is refused, which changes nothing. */
const acts: Act[] = [
  ...Array.from({ length: 12 }, () => send),
  state("bob", "m.room.name", (random) => ({ name: `name ${random.below(5)}` })),
  state("bob", "m.room.topic", (random) => ({ topic: `topic ${random.below(5)}` })),
  state("bob", "m.room.encryption", () => ({ algorithm: "m.megolm.v1.aes-sha2" })),
  read("m.read", {}),
  read("m.read", { thread_id: "main" }),
  read("m.read.private", {}),
  membership("alice", "leave"),
  membership("alice", "join"),
  membership("alice", "join"),
  membership("alice", "forget"),
  membership("bob", "invite"),
  membership("bob", "kick"),
  membership("bob", "ban"),
  membership("bob", "unban"),
  data("account_data/m.direct", ({ random, bob, roomIds }) => ({ [bob.userId]: [random.pick(roomIds)] })),
  data("account_data/m.ignored_user_list", ({ random, bob }) => ({
    ignored_users: random.chance(0.5) ? { [bob.userId]: {} } : {},
  })),
  (world) => data(`${inRoom(world)}/account_data/org.room`, ({ random }) => ({ n: random.below(9) }))(world),
  (world) => data(`${inRoom(world)}/tags/u.one`, () => ({}))(world),
  ({ bob }) => uploadDevice(bob),
  ({ random, alice, bob }) => {
    const who = random.pick([alice, bob]);
    return who.call("PUT", `${V3}/profile/${who.userId}/displayname`, { displayname: `name ${random.below(9)}` });
  },
  ({ random, roomIds, bob }) =>
    bob.ask("PUT", roomPath(random.pick(roomIds), `typing/${bob.userId}`), {
      typing: random.chance(0.5),
      timeout: 30_000,
    }),
  async ({ alice, bob, roomIds }) => void roomIds.push(await roomOf(bob, alice)),
];

const on = { enabled: true };
const LAZY = [
  ["m.room.member", "$LAZY"],
  ["m.room.name", ""],
];
const ordinary = { limit: 2, state: LAZY, filters: { not_room_types: ["m.space"] } as object, scope: on as object };
/** What a client may ask: the ordinary, and now and then something else for a while. */
const wishes = [
  ordinary,
  ordinary,
  { ...ordinary, limit: 5 },
  { ...ordinary, state: [...LAZY, ["m.room.topic", ""]] },
  { ...ordinary, filters: { is_encrypted: true } },
  { ...ordinary, filters: { is_encrypted: false } },
  { ...ordinary, scope: { ...on, lists: [], rooms: [] } },
];

function askOf({ limit, state: required_state, filters, scope }: typeof ordinary): object {
  const all = { ranges: [[0, 1_000]], timeline_limit: limit, required_state, filters };
  return { lists: { all }, extensions: { account_data: scope, receipts: scope, typing: on, e2ee: on, to_device: on } };
}

/** Without what says only up to where the log had come. */
function compared({ pos: _pos, extensions: { to_device: _messages, ...extensions }, rooms, ...answer }: Json): Json {
  for (const room of Object.values(rooms as Record<string, Json>)) if (!room.timeline) delete room.prev_batch;
  return { ...answer, rooms, extensions };
}

test("answers in a frame are those of a look at every room", async (t) => {
  const changing: { slidingOps_rooms: number } = limits;
  t.mock.property(changing, "slidingOps_rooms", 0);
  const seed = seedOfRun();
  t.diagnostic(`PARLEY_TEST_SEED=${seed}`);
  const random = seeded(seed);
  const [alice, bob] = (await people(server, "alice", "bob")) as [Person, Person];
  const roomIds: string[] = [];
  for (let n = 0; n < ROOMS; n++) {
    const roomId = await createRoom(bob, { preset: "public_chat", name: `room ${n}` });
    await alice.call("POST", roomPath(roomId, "join"), {});
    roomIds.push(roomId);
  }
  const world: World = {
    random,
    alice,
    bob,
    roomIds,
    events: [`${roomIds[0]} ${await say(bob, roomIds[0] as string, "first")}`],
  };
  const { frames } = slidingPartsOf(server.ctx);
  const find = frames.find.bind(frames);
  let [isBlind, found] = [false, 0];
  t.mock.method(frames, "find", (...asked: Parameters<typeof find>) => {
    const frame = isBlind ? undefined : find(...asked);
    if (frame) found += 1;
    return frame;
  });
  const positions = [(await slide(alice, askOf(ordinary))).pos as string];
  let wish = ordinary;
  for (let round = 0; round < ROUNDS; round++) {
    for (let n = random.below(3); n >= 0; n--) await random.pick(acts)(world);
    await server.ctx.ephemeral.written();
    if (random.chance(0.2)) wish = random.pick(wishes);
    const ask = askOf(wish);
    // Now and then the answer before was lost.
    const pos = random.chance(0.1) ? (positions.at(-2) ?? positions.at(-1)) : positions.at(-1);
    const inFrame = await slide(alice, ask, { pos: pos as string });
    isBlind = true;
    const looked = await slide(alice, ask, { pos: pos as string });
    isBlind = false;
    assert.deepEqual(compared(inFrame), compared(looked), `round ${round}`);
    positions.push(inFrame.pos);
  }
  assert.ok(found > ROUNDS / 9, `${found} of ${ROUNDS} rounds were answered in a frame`);
});
