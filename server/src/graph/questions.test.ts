/** The questions, over random histories, against a model that knows nothing of the graph: on plain tables and on Apache AGE. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Age, graphGrants, missingAge, startAge } from "../../../testkit/src/age.ts";
import { startTestServer, type TestServer, type TestServerOptions } from "../../../testkit/src/server.ts";
import { connectOwner } from "../db/database.ts";
import { migrate } from "../db/migrate.ts";
import { Brute } from "./model-check/brute.ts";
import { checkDevices, checkNesting, checkPowers, checkRooms, checkVouched } from "./model-check/check-facts.ts";
import { checkOperators, checkOrphans, checkRemoval, checkStale } from "./model-check/check-powers.ts";
import { checkTaken, checkTakers, NOW_MS } from "./model-check/check-taken.ts";
import { checkExposed, checkReach, checkReaders, checkSight, checkWhy, sorted } from "./model-check/check-ways.ts";
import { type History, tellHistory } from "./model-check/history.ts";
import { openGraph } from "./open.ts";
import type { Graph } from "./port.ts";
import { readProgress, startOver } from "./project.ts";
import { whoCanRead } from "./questions/who.ts";
import { turn } from "./worker.ts";

const SEEDS = (process.env["PARLEY_GRAPH_SEEDS"] ?? "11,12,13").split(",").map(Number);

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
  test("a space has in it what it says, and what says so itself", each(checkNesting));
  test("power by name is what somebody gave, once", each(checkPowers));
  test("a room is what its events say", each(checkRooms));
  test("who vouched for a member is told", each(checkVouched));
  test("a device is verified where its owner signed its keys", each(checkDevices));
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
  "a room in a space by the space's word",
  "a room in a space by its own word",
  "a room that was replaced",
  "a room that was made after another",
  "something that was redacted",
  "a member for whom somebody vouched",
  "a device with keys",
  "a verified device",
];

/** What of it there is in a history. */
function* happened(brute: Brute): Iterable<string> {
  const { people, rooms, events, devices } = brute.history;
  for (const { ended, keys } of devices) {
    yield ended ? "a device that was ended" : "a device that is signed in";
    if (!ended && keys !== "none") yield keys === "signed" ? "a verified device" : "a device with keys";
  }
  if (events.some(({ redacts }) => redacts !== undefined)) yield "something that was redacted";
  for (const { fetches } of brute.history.exports)
    yield fetches.length > 0 ? "a fetched export" : "an export that nobody fetched";
  for (const { ends } of brute.history.accesses)
    yield ends > NOW_MS ? "legal access in force" : "legal access that is over";
  for (const room of rooms) {
    yield brute.managers(room).length === 0 ? "an orphan" : "a room with a manager";
    if (brute.joined(room).length === 1) yield "a room with one member";
    yield* happenedTo(brute, room);
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

function* happenedTo(brute: Brute, room: string): Iterable<string> {
  for (const told of brute.spaces(room))
    yield `a room in a space by ${told.includes(" child ") ? "the space's" : "its own"} word`;
  const { predecessor, replacement } = brute.room(room);
  if (replacement !== null) yield "a room that was replaced";
  if (predecessor !== null) yield "a room that was made after another";
  if (brute.joined(room).some((user) => brute.vouchedBy(user, room) !== null))
    yield "a member for whom somebody vouched";
}

// The worker is the test's own, so that it is known when everything is in.
const WITHOUT_WORKER: TestServerOptions = { config: { roles: ["auth", "messages"] } };

describe("in plain tables", () => {
  suite("tables", () => startTestServer(WITHOUT_WORKER));
});

describe("in Apache AGE, which the server may use and owns nothing of", { skip: missingAge() }, () => {
  let age: Age;
  before(async () => {
    const started = await startAge({ preload: false });
    assert.ok("url" in started);
    age = started;
    await migrate(age.url);
    const client = await connectOwner(age.url);
    await client.query(graphGrants);
    await client.end();
  });
  suite("age", () => startTestServer({ ...WITHOUT_WORKER, databaseUrl: age.url }));
  after(() => age?.stop());
});
