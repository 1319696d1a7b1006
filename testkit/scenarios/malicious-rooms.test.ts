// A server that lies about a room: whether it is encrypted, and who is in it.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../src/http.ts";
import type { Someone } from "../src/people.ts";
import { setUpRecovery } from "../src/recovery.ts";
import { compareEmoji } from "../src/verification.ts";
import { modelOf, screenOf } from "./messenger.ts";
import { aliceAndBob, brings, madeUpId, STATE_AFTER, startTrap, type Trap } from "./trap.ts";

const TO_DEVICE = /\/sendToDevice\/m\.room\.encrypted\//;
const SEND = /\/rooms\/[^/]+\/send\//;
const DENIED = "Encryption was taken away";

/** The types under which somebody's messages went out. */
const sentAs = ({ malice }: Trap, by: Someone) =>
  malice.answered(by, SEND).map(({ path }) => /\/send\/([^/]+)/.exec(path)?.[1]);

function stateEvent(type: string, sender: string, content: Json): Json {
  return { type, state_key: "", event_id: madeUpId(), sender, origin_server_ts: Date.now(), content };
}

for (const [what, content] of [
  ["is redacted", {}],
  ["names another algorithm", { algorithm: "m.none" }],
] as const)
  test(`a room whose encryption ${what} is told of, and nothing goes there in clear`, async () => {
    await using trap = await startTrap();
    const { alice, bob, room, screen } = await aliceAndBob(trap);
    await alice.says(room, "before");
    const changed = stateEvent("m.room.encryption", bob.userId, content);
    await brings(trap, alice, room, [changed], [changed]);
    await screen.tagIs(DENIED);
    await saysEncrypted(alice, room);
    await alice.says(room, "after");
    await bob.shows(room, ["before", "after"]);
    assert.deepEqual(sentAs(trap, alice), ["m.room.encrypted", "m.room.encrypted"]);
  });

test("a room that the server shows without encryption after a time away is told of, and nothing goes there in clear", async () => {
  await using trap = await startTrap();
  const { alice, bob, room } = await aliceAndBob(trap);
  await alice.says(room, "before");
  await bob.hears(room, "before");
  const open = await alice.createRoom({ encrypted: false });
  const lie = trap.malice.lies(alice, /\/sync\?/, ({ body }) => {
    const told = body.rooms?.join?.[room];
    if (!told) return false;
    const isTold = ({ type }: Json) => type !== "m.room.encryption";
    for (const part of [told.state, told[STATE_AFTER], told.timeline])
      if (part) part.events = part.events.filter(isTold);
  });
  // What the app had stored of rooms is lost, as it is when a store of an older form is found. Its keys are not.
  await alice.close();
  await forgetRooms(trap, alice);
  await alice.reopen();
  lie.end();
  assert.equal(alice.room(room).hasEncryptionStateEvent(), false);
  const screen = screenOf(alice, room);
  await screen.tagIs(DENIED);
  await saysEncrypted(alice, room);
  await assert.rejects(alice.says(room, "after"), /Cannot encrypt event/);
  assert.deepEqual(sentAs(trap, alice), ["m.room.encrypted"]);
  await bob.says(room, "still encrypted");
  await alice.hears(room, "still encrypted");
  assert.equal((await uploads(trap, alice, room)).includes(FILE), false);

  // The control: a room that never was encrypted.
  await screenOf(alice, open).tagIs("Not encrypted");
  await alice.says(open, "to everybody");
  assert.equal((await uploads(trap, alice, open)).includes(FILE), true);
});

/** The card of the room says that it is encrypted. */
async function saysEncrypted(by: Someone, room: string): Promise<void> {
  const model = modelOf(by, room);
  await model.loadMembers();
  assert.equal(model.info.getState().encrypted, true);
}

const FILE = "the words of a file";

/** Gives the bytes that went to the server for a file that somebody sends from the messenger. */
async function uploads({ malice }: Trap, by: Someone, room: string): Promise<Buffer> {
  const address = /\/media\/v3\/upload/;
  const sent = by.answered(address);
  modelOf(by, room).composer.attach([new File([FILE], "plan.txt", { type: "text/plain" })]);
  await sent;
  return Buffer.from(malice.answered(by, address).at(-1)?.bytes ?? []);
}

async function forgetRooms({ town }: Trap, { deviceId }: Someone): Promise<void> {
  const request = indexedDB.deleteDatabase(`matrix-js-sdk:${town.url} ${deviceId}`);
  await new Promise((resolve, reject) => {
    request.addEventListener("success", resolve);
    request.addEventListener("error", () => reject(request.error));
  });
}

/** Where the server puts Mallory in: what a device of hers gets afterwards, she was never given by anybody in the room. */
const ways = { "in the state of a sync": "join", "in the list of members": "join", "as somebody invited": "invite" };

for (const [way, membership] of [...Object.entries(ways), ["not at all", undefined] as const])
  test(`who was put into a room by the server is seen before anything is written there: ${way}`, async () => {
    await using trap = await startTrap();
    const mallory = await trap.town.person("mallory");
    await setUpRecovery(mallory);
    const { alice, bob, room } = await aliceAndBob(trap, { looks: false });
    const { confirm } = await compareEmoji([alice, bob], () => alice.crypto.requestVerificationDM(bob.userId, room));
    await confirm();
    const isVerified = async () => (await alice.crypto.getUserVerificationStatus(bob.userId)).isVerified();
    await alice.until("bob is verified", isVerified);
    const member = {
      ...stateEvent("m.room.member", membership === "join" ? mallory.userId : bob.userId, { membership }),
      state_key: mallory.userId,
    };
    if (way === "in the list of members") {
      trap.malice.lies(alice, /\/members\b/, ({ body }) => void body.chunk.push({ ...member, room_id: room }));
    } else if (membership) {
      await brings(trap, alice, room, [], [member]);
      await alice.sees(room, mallory, membership);
    }
    const screen = screenOf(alice, room);
    await screen.tagIs(membership ? "Encrypted" : "Encrypted · all verified");
    assert.equal(screen.members(), membership === "join" ? 3 : 2);
    // The SDK writes to whomever the server names.
    await alice.says(room, "to whom?");
    const keys = trap.malice.answered(alice, TO_DEVICE).map(({ asked }) => Object.keys(asked.messages));
    assert.equal(keys.flat().includes(mallory.userId), membership !== undefined);
  });
