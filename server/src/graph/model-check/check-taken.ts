/** Exports and legal access: the graph's answers against the model's. */
import assert from "node:assert/strict";
import type { Found } from "../answer.ts";
import type { About, Graph } from "../port.ts";
import { withFetched, withHeld, withTakers, withTakings } from "../questions/also-taken.ts";
import { exposed } from "../questions/exposed.ts";
import { reach } from "../questions/reach.ts";
import { taken } from "../questions/taken.ts";
import { whoCanRead } from "../questions/who.ts";
import type { Brute } from "./brute.ts";
import { sorted } from "./check-ways.ts";
import type { SimulatedExport } from "./history.ts";

const numbers = (rows: readonly { id: number }[]) => sorted(rows.map(({ id }) => String(id)));

/** In the middle of what happens: some access is over then, and some is not. */
export const NOW_MS = 1_700_000_350_000;

export async function checkTaken(graph: Graph, brute: Brute): Promise<void> {
  const { people, rooms, exports, accesses } = brute.history;
  const check = async (about: About, expected: { exports: { id: number }[]; accesses: { id: number }[] }) => {
    const found = await graph.exports(about);
    assert.deepEqual(
      sorted(found.map(({ exportId }) => String(exportId))),
      numbers(expected.exports),
      JSON.stringify(about),
    );
    const access = await graph.legalAccess(about);
    assert.deepEqual(
      sorted(access.map(({ accessId }) => String(accessId))),
      numbers(expected.accesses),
      JSON.stringify(about),
    );
  };
  for (const userId of people) {
    const who = { user: userId, room: null };
    await check({ of: "person", userId }, { exports: brute.exportsWith(who), accesses: brute.accessesTo(who) });
    const by = exports.filter((each) => each.by === userId || each.fetches.some(({ user }) => user === userId));
    await check({ of: "by", userId }, { exports: by, accesses: accesses.filter(({ holder }) => holder === userId) });
  }
  for (const roomId of rooms) {
    const room = { user: null, room: roomId };
    await check({ of: "room", roomId }, { exports: brute.exportsWith(room), accesses: brute.accessesTo(room) });
  }
  const all = await taken(graph, { now_ms: NOW_MS });
  for (const { id, fetches } of exports) {
    const rows = all.items.filter((item) => item["what"] === "export" && item["number"] === id);
    const by = rows.flatMap((row) => (row["taken_by"] === null ? [] : [row["taken_by"] as string]));
    assert.deepEqual(sorted(by), sorted(fetches.map(({ user }) => user)), `export ${id}`);
  }
}

export async function checkTakers(graph: Graph, brute: Brute): Promise<void> {
  const how = (items: Found["items"], name: string, what: (item: Found["items"][number]) => unknown) =>
    sorted(items.filter((item) => item["how"] === name).map((item) => String(what(item))));
  const copies = (exports: readonly SimulatedExport[]) =>
    exports.flatMap(({ user, fetches }) => fetches.filter((fetch) => fetch.user !== user));
  for (const roomId of brute.history.rooms) {
    const room = { user: null, room: roomId };
    const { items } = await withTakers(graph, await whoCanRead(graph, { roomId }), { roomId, now_ms: NOW_MS });
    const fetched = copies(brute.exportsWith(room)).map(({ user }) => user);
    assert.deepEqual(
      how(items, "fetched export", (item) => item["user_id"]),
      sorted(fetched),
      roomId,
    );
    const held = brute.accessesTo(room).filter(({ ends }) => ends > NOW_MS);
    assert.deepEqual(
      how(items, "legal access", (item) => item["user_id"]),
      sorted(held.map(({ holder }) => holder)),
      roomId,
    );
  }
  for (const userId of brute.history.people) {
    const asked = { userId, now_ms: NOW_MS };
    const { items } = await withTakings(graph, await reach(graph, asked), asked);
    const fetched = copies(brute.history.exports).filter(({ user }) => user === userId);
    assert.equal(how(items, "fetched export", () => "").length, fetched.length, userId);
    const held = brute.history.accesses.filter(({ holder, ends }) => holder === userId && ends > NOW_MS);
    assert.equal(how(items, "legal access", () => "").length, held.length, userId);
    const { details } = await withHeld(graph, { sentence: "", items: [], nodes: [], edges: [], roots: [] }, asked);
    assert.equal(details?.length, held.length, userId);
  }
  for (const { userId, deviceId } of brute.history.devices) {
    const asked = { userId, deviceId, now_ms: NOW_MS };
    const { details = [] } = await withFetched(graph, await exposed(graph, asked), asked);
    const with_ = brute.history.exports.flatMap(({ fetches }) =>
      fetches.filter(({ user, device }) => user === userId && device === deviceId),
    );
    assert.equal(details.filter((each) => each.startsWith("Export ")).length, with_.length, `${userId} ${deviceId}`);
  }
}
