import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReceiptType } from "matrix-js-sdk";
import { startTown } from "../src/people.ts";

const DELIVERED = "io.parley.delivered" as ReceiptType;

test("who writes learns that the other's device has the message, and nothing takes that for having read it", async () => {
  await using town = await startTown();
  const alice = await town.person("alice");
  const bob = await town.person("bob");
  const room = await alice.createRoom({ invite: [bob] });
  await bob.joins(room);
  await alice.sees(room, bob, "join");
  const event = await alice.says(room, "did it arrive?");
  await bob.hears(room, "did it arrive?");
  await alice.until(
    "a delivery at bob's",
    (client) => client.getRoom(room)?.getReadReceiptForUserId(bob.userId, true, DELIVERED)?.eventId === event,
  );
  const shown = alice.room(room).findEventById(event);
  assert.ok(shown);
  assert.deepEqual(alice.room(room).getUsersReadUpTo(shown), []);
  assert.equal(bob.room(room).getReadReceiptForUserId(bob.userId, true, DELIVERED), null);
  await bob.client.sendReadReceipt(bob.room(room).findEventById(event) ?? null);
  await alice.until("bob's reading", () => alice.room(room).getUsersReadUpTo(shown).includes(bob.userId));
});
