import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { MatrixClient, MatrixEvent, Room } from "matrix-js-sdk";
import { reachOf } from "./reach.ts";

const [ME, BOB, CAROL] = ["@me:x.org", "@bob:x.org", "@carol:x.org"] as const;
const stored = new Map<string, string>();

beforeEach(() => {
  stored.clear();
  globalThis.localStorage = {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
  } as Storage;
});

let made = 0;
async function roomOf(...people: string[]) {
  const room = new Room("!r", new MatrixClient({ baseUrl: "https://x.org", userId: ME }), ME);
  const add = (event: object) =>
    room.addLiveEvents([new MatrixEvent({ room_id: "!r", ...event })], { addToState: true });
  const state = { type: "m.room.member", content: { membership: "join" } };
  for (const person of people)
    await add({ ...state, event_id: `$join${++made}`, state_key: person, sender: person, origin_server_ts: 1 });
  const say = async (sender: string, type = "m.room.message"): Promise<string> => {
    const event_id = `$${++made}`;
    await add({ type, sender, event_id, origin_server_ts: made, content: { msgtype: "m.text", body: "x" } });
    return event_id;
  };
  const receipt = (type: string, who: string, id: string) =>
    room.addReceipt(new MatrixEvent({ type: "m.receipt", content: { [id]: { [type]: { [who]: { ts: 1 } } } } }));
  const reach = () => {
    const found = reachOf(room, room.getLiveTimeline().getEvents(), ME);
    return found && [found.id, found.delivered, found.seenBy.map(({ id }) => id)];
  };
  return { say, reach, delivered: (who: string, id: string) => receipt("io.parley.delivered", who, id), receipt };
}

test("a message is delivered when a device of every other member has it", async () => {
  const room = await roomOf(ME, BOB, CAROL);
  assert.equal(room.reach(), null);
  const id = await room.say(ME);
  assert.deepEqual(room.reach(), [id, false, []]);
  room.delivered(BOB, id);
  assert.deepEqual(room.reach(), [id, false, []]);
  room.delivered(CAROL, id);
  assert.deepEqual(room.reach(), [id, true, []]);
});

test("whoever has read it has it, and a delivery of what came later counts", async () => {
  const room = await roomOf(ME, BOB, CAROL);
  const id = await room.say(ME);
  room.receipt("m.read", BOB, id);
  assert.deepEqual(room.reach(), [id, false, [BOB]]);
  const reaction = await room.say(ME, "m.reaction");
  room.delivered(CAROL, reaction);
  assert.deepEqual(room.reach(), [id, true, [BOB]]);
});

test("a delivery of an older message says nothing of the newest", async () => {
  const room = await roomOf(ME, BOB);
  room.delivered(BOB, await room.say(ME));
  const id = await room.say(ME);
  assert.deepEqual(room.reach(), [id, false, []]);
});

test("nobody else in the room: there is nobody to deliver to", async () => {
  const room = await roomOf(ME);
  const id = await room.say(ME);
  assert.deepEqual(room.reach(), [id, false, []]);
});

test("what was delivered stays so when the store of the SDK has forgotten the receipt", async () => {
  const before = await roomOf(ME, BOB);
  const id = await before.say(ME);
  before.delivered(BOB, id);
  assert.deepEqual(before.reach(), [id, true, []]);
  made -= 1;
  const after = await roomOf(BOB, ME);
  made = Number(id.slice(1)) - 1;
  assert.equal(await after.say(ME), id);
  assert.deepEqual(after.reach(), [id, true, []]);
});

test("in a large room nothing is told", async () => {
  const room = await roomOf(ME, ...Array.from({ length: 20 }, (_, n) => `@p${n}:x.org`));
  await room.say(ME);
  assert.equal(room.reach(), null);
});
