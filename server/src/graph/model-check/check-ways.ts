/** Who can read what, and what was exposed: the graph's answers against the model's. */
import assert from "node:assert/strict";
import type { Graph } from "../port.ts";
import { exposed, exposuresOf } from "../questions/exposed.ts";
import { reach } from "../questions/reach.ts";
import { why } from "../questions/why.ts";
import { spansOf } from "../sight.ts";
import { readersOf } from "../ways.ts";
import type { Brute } from "./brute.ts";

export const sorted = (items: Iterable<string>) => [...items].toSorted();

/** Those of the history: others may have been there before. */
export const ofHistory = (brute: Brute, ids: Iterable<string>) =>
  sorted([...ids].filter((id) => brute.history.rooms.includes(id) || brute.history.people.includes(id)));

export async function checkReach(graph: Graph, brute: Brute): Promise<void> {
  for (const userId of brute.history.people) {
    const { items } = await reach(graph, { userId });
    assert.deepEqual(
      ofHistory(
        brute,
        items.map((item) => item["room_id"] as string),
      ),
      sorted(brute.readable(userId)),
      userId,
    );
    const isIn = items.filter((item) => item["how"] === "member").map((item) => item["room_id"] as string);
    assert.deepEqual(
      ofHistory(brute, isIn),
      sorted(brute.history.rooms.filter((room) => brute.membership(userId, room) === "join")),
    );
    for (const { room_id, how, since_ts, by } of items) {
      if (how !== "member" || !brute.history.rooms.includes(room_id as string)) continue;
      assert.deepEqual({ ts: since_ts, invitedBy: by }, brute.since(userId, room_id as string), `${userId} ${room_id}`);
    }
  }
}

export async function checkReaders(graph: Graph, brute: Brute): Promise<void> {
  for (const roomId of brute.history.rooms) {
    const readers = await readersOf(graph, roomId);
    assert.ok(readers);
    const expected = brute.history.people.filter((userId) => brute.readable(userId).has(roomId));
    if (readers.everyone)
      assert.deepEqual(
        sorted(brute.history.people.filter((userId) => !readers.excluded.has(userId))),
        sorted(expected),
        roomId,
      );
    else assert.deepEqual(sorted(readers.ways.keys()), sorted(expected), roomId);
  }
}

export async function checkWhy(graph: Graph, brute: Brute): Promise<void> {
  for (const userId of brute.history.people.slice(0, 4))
    for (const roomId of brute.history.rooms) {
      const found = await why(graph, { userId, roomId });
      const isReadable = brute.readable(userId).has(roomId);
      assert.equal(found.items.length > 0, isReadable, `${userId} ${roomId}: ${found.sentence}`);
      if (!isReadable) continue;
      // Each step begins where the one before it ended, and lets in whoever is there.
      const steps = found.edges.filter(({ type }) => type === "lets_in");
      for (const { from, to } of steps)
        assert.ok(brute.allowed(to).includes(from) && brute.enterable(userId).has(from), found.sentence);
      assert.equal(found.edges[0]?.from, userId);
    }
}

export async function checkSight(graph: Graph, brute: Brute): Promise<void> {
  for (const userId of brute.history.people) {
    const [stays, memberships] = await Promise.all([graph.staysOf(userId), graph.membershipsOf(userId)]);
    for (const roomId of brute.history.rooms) {
      const visibilities = (await graph.visibilitiesOf([roomId])).toSorted((a, b) => a.position - b.position);
      const own = stays.filter((stay) => stay.roomId === roomId);
      const spans = spansOf({ visibilities, stays: own, membership: memberships.find((row) => row.roomId === roomId) });
      for (const { position } of brute.history.events.filter(
        (event) => event.room === roomId && event.stateKey === undefined,
      )) {
        const isSeen = spans.some(({ from, until }) => from <= position && (until === null || position < until));
        assert.equal(isSeen, brute.sees(userId, roomId, position), `${userId} ${roomId} ${position}`);
      }
    }
  }
}

export async function checkExposed(graph: Graph, brute: Brute): Promise<void> {
  for (const { userId, deviceId, created_ms, ended } of brute.history.devices) {
    const device = (await graph.devicesOf(userId)).find((each) => each.deviceId === deviceId);
    assert.ok(device, `${userId} ${deviceId}`);
    assert.equal(device.ended_ms !== null, ended);
    const found = await exposed(graph, { userId, deviceId });
    const expected = brute.exposed(userId, created_ms, device.ended_ms ?? Infinity);
    assert.deepEqual(sorted(found.items.map((item) => item["room_id"] as string)), sorted(expected));
    const still = (await exposuresOf(graph, device))
      .filter(({ until_ms }) => until_ms === null)
      .map(({ roomId }) => roomId);
    const isIn = brute.history.rooms.filter((room) => brute.membership(userId, room) === "join");
    assert.deepEqual(sorted(still), ended ? [] : sorted(isIn));
  }
}
