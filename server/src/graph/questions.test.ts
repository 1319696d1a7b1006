/** The questions, over random histories, against a model that knows nothing of the graph: on plain tables and on Apache AGE. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Age, missingAge, startAge } from "../../../testkit/src/age.ts";
import { startTestServer, type TestServer, type TestServerOptions } from "../../../testkit/src/server.ts";
import { connectOwner } from "../db/database.ts";
import { migrate } from "../db/migrate.ts";
import { Brute } from "./model-check/brute.ts";
import { type History, type SimulatedExport, tellHistory } from "./model-check/history.ts";
import { openGraph } from "./open.ts";
import type { Found } from "./answer.ts";
import type { About, Graph } from "./port.ts";
import { readProgress, startOver } from "./project.ts";
import { administratorsPaths } from "./questions/administrators.ts";
import { exposed, exposuresOf } from "./questions/exposed.ts";
import { orphans } from "./questions/orphans.ts";
import { reach } from "./questions/reach.ts";
import { effectOfRemoval } from "./questions/removal.ts";
import { staleDevices } from "./questions/stale.ts";
import { withFetched, withHeld, withTakers, withTakings } from "./questions/also-taken.ts";
import { taken } from "./questions/taken.ts";
import { whoCanRead } from "./questions/who.ts";
import { why } from "./questions/why.ts";
import { spansOf } from "./sight.ts";
import { readersOf } from "./ways.ts";
import { turn } from "./worker.ts";

const SEEDS = (process.env["PARLEY_GRAPH_SEEDS"] ?? "11,12,13").split(",").map(Number);
const sorted = (items: Iterable<string>) => [...items].toSorted();

/** What the worker does until nothing is left. */
async function keepUp({ ctx }: TestServer): Promise<void> {
  const { signal } = new AbortController();
  while (await turn(ctx, "test", signal));
}

/** A device that is signed out before the graph first looks is known nowhere. */
async function lookAtAccounts(server: TestServer): Promise<void> {
  await server.ctx.db.graph.query("update graph.progress set accounts_at = null");
  await keepUp(server);
}

interface Scene {
  server: TestServer;
  histories: History[];
  graph: Graph;
}

function suite(kind: "tables" | "age", open: () => Promise<TestServer>): void {
  let scene: Scene;
  before(async () => {
    const server = await open();
    const histories: History[] = [];
    // What happens while the projection is kept, and what it finds when it begins.
    for (const seed of SEEDS) {
      histories.push(await tellHistory(server.ctx, seed, () => lookAtAccounts(server)));
      if (seed !== SEEDS[0]) await keepUp(server);
    }
    await lookAtAccounts(server);
    const { mirrored } = await readProgress(server.ctx);
    scene = { server, histories, graph: await openGraph(server.ctx, mirrored) };
  });
  after(() => scene?.server.stop());

  const each = (check: (graph: Graph, brute: Brute) => Promise<void>) => async () => {
    assert.equal(scene.graph.kind, kind);
    for (const history of scene.histories) await check(scene.graph, new Brute(history));
  };

  const chosen = process.env["PARLEY_GRAPH_SEEDS"] !== undefined && "the seeds were chosen by hand";
  test("the histories have something of all that is asked about", { skip: chosen }, () => {
    const seen = new Set(scene.histories.flatMap((history) => [...happened(new Brute(history))]));
    assert.deepEqual(sorted(seen), sorted(EVERYTHING));
  });
  test("what somebody reaches is what they are in, can get into, or may read", each(checkReach));
  test("who can read a room is who reaches it", each(checkReaders));
  test("why somebody can read a room is a way that is there", each(checkWhy));
  test("somebody sees of a room what they were shown and no more", each(checkSight));
  test("a room is orphaned where nobody in it may change who has power", each(checkOrphans));
  test("a device exposed what its owner was in while it was signed in", each(checkExposed));
  test("a device is stale when it is signed in and was not seen for long", each(checkStale));
  test("what was exported, and may be, is told of each person and room that it has something of", each(checkTaken));
  test("who has a copy, or may take one, stands beside who reads and what is reached", each(checkTakers));
  test("whoever has a role of an operator administers", each(checkOperators));
  test(
    "what would change without a person, their power or a space is so, and asking changes nothing",
    each(checkRemoval),
  );
  test("built anew from the beginning, the graph answers the same", async () => {
    const { server, histories } = scene;
    const rooms = histories.flatMap((history) => history.rooms);
    const ask = async (graph: Graph) =>
      JSON.stringify(
        await Promise.all(
          rooms.map((roomId) =>
            whoCanRead(graph, { roomId }).then(({ items }) => items.map((item) => JSON.stringify(item)).toSorted()),
          ),
        ),
      );
    const first = await ask(scene.graph);
    await startOver(server.ctx);
    await keepUp(server);
    await keepUp(server);
    const { mirrored } = await readProgress(server.ctx);
    const again = await openGraph(server.ctx, mirrored);
    assert.equal(again.kind, kind);
    assert.equal(await ask(again), first);
  });
}

const EVERYTHING = [
  "a member",
  "a stranger",
  "a way in through another room",
  "a message that somebody sees",
  "a message that somebody does not see",
  "an orphan",
  "a room with a manager",
  "a room with one member",
  "a device that is signed in",
  "a device that was ended",
  "a fetched export",
  "an export that nobody fetched",
  "legal access in force",
  "legal access that is over",
];

/** What of it there is in a history. */
function* happened(brute: Brute): Iterable<string> {
  const { people, rooms, events, devices } = brute.history;
  for (const { ended } of devices) yield ended ? "a device that was ended" : "a device that is signed in";
  for (const { fetches } of brute.history.exports)
    yield fetches.length > 0 ? "a fetched export" : "an export that nobody fetched";
  for (const { ends } of brute.history.accesses)
    yield ends > NOW_MS ? "legal access in force" : "legal access that is over";
  for (const room of rooms) {
    yield brute.managers(room).length === 0 ? "an orphan" : "a room with a manager";
    if (brute.joined(room).length === 1) yield "a room with one member";
    const isMessage = (event: History["events"][number]) => event.room === room && event.stateKey === undefined;
    for (const user of people) {
      yield brute.membership(user, room) === "join" ? "a member" : "a stranger";
      if (brute.allowed(room).some((via) => brute.enterable(user).has(via))) yield "a way in through another room";
      for (const { position } of events.filter(isMessage))
        yield brute.sees(user, room, position)
          ? "a message that somebody sees"
          : "a message that somebody does not see";
    }
  }
}

const ofHistory = (brute: Brute, ids: Iterable<string>) =>
  sorted([...ids].filter((id) => brute.history.rooms.includes(id) || brute.history.people.includes(id)));

async function checkReach(graph: Graph, brute: Brute): Promise<void> {
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

async function checkReaders(graph: Graph, brute: Brute): Promise<void> {
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

async function checkWhy(graph: Graph, brute: Brute): Promise<void> {
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

async function checkSight(graph: Graph, brute: Brute): Promise<void> {
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

async function checkOrphans(graph: Graph, brute: Brute): Promise<void> {
  const { items } = await orphans(graph);
  const expected = brute.history.rooms.filter((room) => brute.managers(room).length === 0);
  assert.deepEqual(
    ofHistory(
      brute,
      items.map((item) => item["room_id"] as string),
    ),
    sorted(expected),
  );
  for (const item of items)
    if (brute.history.rooms.includes(item["room_id"] as string))
      assert.equal(item["members"], brute.joined(item["room_id"] as string).length);
  for (const roomId of brute.history.rooms) {
    const paths = await administratorsPaths(graph, { roomId });
    assert.deepEqual(sorted(paths.items.map((item) => item["user_id"] as string)), sorted(brute.managers(roomId)));
  }
}

async function checkExposed(graph: Graph, brute: Brute): Promise<void> {
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

async function checkStale(graph: Graph, brute: Brute): Promise<void> {
  const now_ms = 1_700_000_160_000 + 86_400_000;
  const { items } = await staleDevices(graph, { days: 1, unverified: false, now_ms });
  const expected = brute.history.devices.filter(
    ({ ended, lastSeen_ms }) => !ended && lastSeen_ms < now_ms - 86_400_000,
  );
  const found = items.filter((item) => brute.history.people.includes(item["user_id"] as string));
  assert.deepEqual(
    sorted(found.map((item) => `${item["user_id"]} ${item["device_id"]}`)),
    sorted(expected.map(({ userId, deviceId }) => `${userId} ${deviceId}`)),
  );
}

const numbers = (rows: readonly { id: number }[]) => sorted(rows.map(({ id }) => String(id)));

async function checkTaken(graph: Graph, brute: Brute): Promise<void> {
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

/** In the middle of what happens: some access is over then, and some is not. */
const NOW_MS = 1_700_000_350_000;

async function checkTakers(graph: Graph, brute: Brute): Promise<void> {
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

async function checkOperators(graph: Graph, { history }: Brute): Promise<void> {
  const { items } = await administratorsPaths(graph, {});
  const roles = new Map(items.map((item) => [item["user_id"] as string, item["role"]]));
  for (const userId of history.people) {
    const expected = history.admins.includes(userId)
      ? "owner"
      : history.auditors.includes(userId)
        ? "auditor"
        : undefined;
    assert.equal(roles.get(userId), expected, userId);
  }
}

async function checkRemoval(graph: Graph, brute: Brute): Promise<void> {
  for (const userId of brute.history.people.slice(0, 4)) {
    const { items } = await effectOfRemoval(graph, { kind: "person", userId });
    for (const item of items) {
      const room = item["room_id"] as string;
      const [members, managers] = [brute.joined(room), brute.managers(room)];
      const expected =
        members.length === 1
          ? "nobody is left"
          : !managers.includes(userId)
            ? "loses a member"
            : managers.length === 1
              ? "nobody can manage it"
              : "loses a manager";
      assert.equal(item["effect"], expected, `${userId} ${room}`);
    }
    const isIn = brute.history.rooms.filter((room) => brute.membership(userId, room) === "join");
    assert.deepEqual(sorted(items.map((item) => item["room_id"] as string)), sorted(isIn));
  }
  for (const spaceId of brute.history.rooms) {
    const { items } = await effectOfRemoval(graph, { kind: "space", roomId: spaceId });
    for (const roomId of brute.history.rooms.filter((room) => room !== spaceId)) {
      const isLost = (user: string) =>
        brute.readable(user).has(roomId) &&
        !brute.enterable(user, spaceId).has(roomId) &&
        brute.visibility(roomId) !== "world_readable";
      const lost = brute.history.people.filter(isLost);
      const item = items.find((each) => each["room_id"] === roomId);
      const isClosedToAll = item?.["effect"] === "closed to everybody else";
      assert.equal(isClosedToAll, isLost("@stranger:localhost"), `${spaceId} ${roomId}`);
      if (isClosedToAll) continue;
      assert.equal(item?.["people"] ?? 0, lost.length, `${spaceId} ${roomId}`);
    }
  }
}

// The worker is the test's own, so that it is known when everything is in.
const WITHOUT_WORKER: TestServerOptions = { config: { roles: ["auth", "messages"] } };

describe("in plain tables", () => {
  suite("tables", () => startTestServer(WITHOUT_WORKER));
});

/** What docs/operations/access-graph.md tells an operator to run. */
const GRANTS = `grant usage on schema ag_catalog to parley_graph;
  grant select on ag_catalog.ag_graph, ag_catalog.ag_label to parley_graph;
  grant create on database postgres to parley_graph`;

describe("in Apache AGE, which the server may use and owns nothing of", { skip: missingAge() }, () => {
  let age: Age;
  before(async () => {
    const started = await startAge({ preload: false });
    assert.ok("url" in started);
    age = started;
    await migrate(age.url);
    const client = await connectOwner(age.url);
    await client.query(GRANTS);
    await client.end();
  });
  suite("age", () => startTestServer({ ...WITHOUT_WORKER, databaseUrl: age.url }));
  test("a graph that a version without exports has made gets what is new, and keeps what there was", async (t) => {
    const client = await connectOwner(age.url);
    for (const label of ["FETCHED", "HAS_DATA_OF", "OPENS", "HOLDS", "Export", "LegalAccess"])
      await client.query("select ag_catalog.drop_label('parley_access', $1)", [label]);
    await client.query("update graph.progress set mirrored = false");
    await client.end();
    const server = await startTestServer({ ...WITHOUT_WORKER, databaseUrl: age.url });
    t.after(() => server.stop());
    await keepUp(server);
    const { mirrored } = await readProgress(server.ctx);
    assert.equal(mirrored, true);
    const [graph, tables] = [await openGraph(server.ctx, true), await openGraph(server.ctx, false)];
    const known = (found: Awaited<ReturnType<Graph["exports"]>>) =>
      sorted(found.map(({ exportId }) => String(exportId)));
    assert.deepEqual(known(await graph.exports({ of: "all" })), known(await tables.exports({ of: "all" })));
    assert.ok((await graph.openRooms()).length > 0);
  });
  after(() => age?.stop());
});
