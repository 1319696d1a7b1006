import assert from "node:assert/strict";
import { test } from "node:test";
import type { Person } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { createRoom, type TestRoom } from "../../../testkit/src/room.ts";
import { limits } from "../limits.ts";

const { server, alice, bob } = await startNeighbours(["alice", "bob"], { config: { roles: ["auth", "messages"] } });

const MINUTE_MS = 60_000;

/** A room whose message n was sent at minute n, among messages of another room. */
async function timedRoom(count: number, options: object = {}): Promise<{ room: TestRoom; ids: string[] }> {
  const [room, other] = [await createRoom(alice, options), await createRoom(alice)];
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    ids.push(await room.say(alice, String(i)));
    await other.say(alice, "elsewhere");
  }
  await setTimes(ids, (i) => i * MINUTE_MS);
  return { room, ids };
}

async function setTimes(ids: readonly string[], timeOf: (i: number) => number): Promise<void> {
  for (const [i, id] of ids.entries())
    await server.ctx.db.log.change("update log.entries set ts = $2 where event_id = $1", [id, timeOf(i)]);
  // The room was made at the beginning of time.
  await server.ctx.db.log.change(
    "update log.entries set ts = 0 where state_key is not null and room_id = (select room_id from log.entries where event_id = $1)",
    [ids[0]],
  );
}

async function at(room: TestRoom, [ts, dir]: [number, "f" | "b"], who: Person = alice): Promise<string | undefined> {
  const { status, body } = await room.ask(who, "timestamp_to_event", { ts, dir });
  if (status === 200) return body.event_id;
  assert.deepEqual([status, body.errcode], [404, "M_NOT_FOUND"]);
  return undefined;
}

test("the event next to a moment is found, on the side that is asked for", async () => {
  const { room, ids } = await timedRoom(40);
  for (const i of [1, 2, 17, 38, 39]) {
    assert.equal(await at(room, [i * MINUTE_MS, "f"]), ids[i]);
    assert.equal(await at(room, [i * MINUTE_MS, "b"]), ids[i]);
    assert.equal(await at(room, [i * MINUTE_MS - 1, "f"]), ids[i]);
    assert.equal(await at(room, [i * MINUTE_MS + 1, "b"]), ids[i]);
  }
  assert.equal(await at(room, [40 * MINUTE_MS, "f"]), undefined);
  assert.equal(await at(room, [1e15, "b"]), ids[39]);
});

test("it is found also where the clocks of those who took the events were apart", async () => {
  const { room, ids } = await timedRoom(20);
  const skew = (i: number) => i * 3_000 + (i % 2 === 0 ? 0 : limits.clockSkew_ms - 4_000);
  await setTimes(ids, skew);
  const byTime = ids.map((id, i) => ({ id, ts: skew(i) })).toSorted((a, b) => a.ts - b.ts);
  for (const { id, ts } of byTime.slice(1)) {
    assert.equal(await at(room, [ts, "f"]), id);
    assert.equal(await at(room, [ts, "b"]), id);
  }
});

test("only what may be seen is found, however much is hidden before it", async () => {
  const history = { type: "m.room.history_visibility", content: { history_visibility: "joined" } };
  const { room, ids } = await timedRoom(30, { initial_state: [history] });
  await room.change(bob, "join");
  const own = await room.say(alice, "for bob");
  await server.ctx.db.log.change("update log.entries set ts = $2 where event_id = $1", [own, 100 * MINUTE_MS]);
  assert.equal(await at(room, [100 * MINUTE_MS, "f"], bob), own);
  for (const i of [5, 29]) {
    const found = await at(room, [i * MINUTE_MS, "f"], bob);
    assert.ok(found !== undefined && !ids.includes(found));
  }
});

test("a moment or a direction that is none is refused", async () => {
  const { room } = await timedRoom(1);
  for (const query of [
    { ts: "now", dir: "f" },
    { ts: -1, dir: "f" },
    { ts: 1, dir: "x" },
  ]) {
    const { status, body } = await room.ask(alice, "timestamp_to_event", query);
    assert.deepEqual([status, body.errcode], [400, "M_INVALID_PARAM"]);
  }
});
