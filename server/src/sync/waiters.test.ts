/** Who waits is woken by everything that may concern them, at the stop, at their timeout and when they go away. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { settled, simulate } from "../../../testkit/src/simulation.ts";
import { openMemoryEphemeral } from "../ephemeral/memory.ts";
import { type LogEntry, type NewEntry, placed } from "../log/entry.ts";
import type { Hub, Listener } from "../log/hub.ts";
import type { RoomCache } from "../rooms/cache.ts";
import { RoomState } from "../rooms/state.ts";
import { openWaiters } from "./waiters.ts";

const [alice, bob, carol] = ["@alice:x", "@bob:x", "@carol:x"] as const;
const member = (user: string, position: number): LogEntry =>
  placed(
    {
      kind: "event",
      room: "!a",
      type: "m.room.member",
      state_key: user,
      event_id: `$${position}`,
      body: '{"content":{"membership":"join"}}',
    },
    position,
  );

/** Alice and bob share a room; carol is alone. */
function open({ isCached = true } = {}) {
  const world = simulate(1);
  const stopping = new AbortController();
  const room = new RoomState({
    roomId: "!a",
    roomVersion: "12",
    version: 1,
    state: [member(alice, 1), member(bob, 2)],
  });
  const joined = new Map([["!a", { membership: "join" as const, position: 1, eventId: "$1" }]]);
  const rooms = {
    peek: (roomId: string) => (isCached && roomId === "!a" ? room : undefined),
    peekMemberships: (userId: string) => (isCached ? (userId === carol ? new Map() : joined) : undefined),
  } as Partial<RoomCache> as RoomCache;
  let listener: Listener = () => {};
  const hub = { listen: (each) => (listener = each) } as Partial<Hub> as Hub;
  const ephemeral = openMemoryEphemeral(world.seams);
  const waiters = openWaiters({ hub, rooms, ephemeral, seams: world.seams, stopping: stopping.signal });
  const gone = new Map([alice, bob, carol].map((userId) => [userId, new AbortController()]));
  const woken: string[] = [];
  for (const [userId, { signal }] of gone)
    void waiters.wait(userId, { timeout_ms: 10_000, signal }).then((why) => woken.push(`${userId} ${why}`));
  const tell = async (entry: NewEntry) => {
    listener([placed(entry, 9)], "offered");
    await settled();
    return woken.map((each) => each.slice(0, each.indexOf(" "))).toSorted();
  };
  return { world, stopping, ephemeral, waiters, gone, woken, tell };
}

const cases: [what: string, entry: NewEntry, woken: string[]][] = [
  ["a message", { kind: "event", room: "!a", user: alice, type: "m.room.message", body: "{}" }, [alice, bob]],
  ["a receipt", { kind: "receipt", room: "!a", user: bob, type: "m.read", body: "{}" }, [alice, bob]],
  ["a private receipt", { kind: "receipt", room: "!a", user: bob, type: "m.read.private", body: "{}" }, [bob]],
  ["account data", { kind: "account_data", user: carol, type: "a", body: "{}" }, [carol]],
  ["account data of a room", { kind: "account_data", room: "!a", user: bob, type: "a", body: "{}" }, [bob]],
  ["a to-device message", { kind: "to_device", user: carol, device: "D", type: "a", body: "{}" }, [carol]],
  ["the end of a session", { kind: "session", user: bob, type: "ended", body: "{}" }, [bob]],
  ["another device", { kind: "device_list", user: alice, type: "changed", body: "{}" }, [alice, bob]],
  [
    "an invitation",
    { kind: "event", room: "!a", user: alice, type: "m.room.member", state_key: carol, body: "{}" },
    [alice, bob, carol],
  ],
];

for (const [what, entry, expected] of cases) {
  test(`${what} wakes those whom it concerns, and nobody else`, async () => {
    const { tell, waiters } = open();
    assert.deepEqual(await tell(entry), expected);
    assert.equal(waiters.count(), 3 - expected.length);
  });

  test(`${what} wakes them also where nothing is known of the room`, async () => {
    const woken = await open({ isCached: false }).tell(entry);
    assert.deepEqual(
      expected.filter((userId) => !woken.includes(userId)),
      [],
    );
  });
}

test("typing wakes the room, presence those who share one", async () => {
  const typing = open();
  typing.ephemeral.setTyping({ roomId: "!a", userId: alice, timeout_ms: 1_000 });
  await typing.ephemeral.written();
  await settled();
  assert.deepEqual(typing.woken, [`${alice} news`, `${bob} news`]);
  const presence = open();
  presence.ephemeral.setPresence(carol, { state: "online", active: true });
  await presence.ephemeral.written();
  await settled();
  assert.deepEqual(presence.woken, [`${carol} news`]);
});

test("a wait ends at its timeout, when the other end goes away, and for all at the stop", async () => {
  const timeout = open();
  await timeout.world.advance(10_000);
  assert.deepEqual([timeout.woken.length, timeout.waiters.count()], [3, 0]);
  const { gone, stopping, woken, waiters, world } = open();
  gone.get(bob)?.abort(new Error("gone"));
  await settled();
  assert.deepEqual([woken, waiters.count()], [[`${bob} over`], 2]);
  stopping.abort(new Error("stop"));
  await settled();
  assert.deepEqual([woken.length, waiters.count(), world.timers()], [3, 0, 0]);
  assert.equal(await waiters.wait(alice, { timeout_ms: 10_000, signal: new AbortController().signal }), "over");
});
