import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { startAge, missingAge } from "../../../testkit/src/age.ts";
import { readConfig } from "../../../server/src/config.ts";
import type { Context } from "../../../server/src/context.ts";
import { connectOwner } from "../../../server/src/db/database.ts";
import { answer } from "../../../server/src/graph/open.ts";
import { startOver } from "../../../server/src/graph/project.ts";
import { administratorsPaths } from "../../../server/src/graph/questions/administrators.ts";
import { withCopies, withFetched, withTakers, withTakings } from "../../../server/src/graph/questions/also-taken.ts";
import { exposed } from "../../../server/src/graph/questions/exposed.ts";
import { orphans } from "../../../server/src/graph/questions/orphans.ts";
import { reach } from "../../../server/src/graph/questions/reach.ts";
import { effectOfRemoval } from "../../../server/src/graph/questions/removal.ts";
import { staleDevices } from "../../../server/src/graph/questions/stale.ts";
import { taken } from "../../../server/src/graph/questions/taken.ts";
import { whoCanRead } from "../../../server/src/graph/questions/who.ts";
import { why } from "../../../server/src/graph/questions/why.ts";
import type { Graph } from "../../../server/src/graph/port.ts";
import { startGraph, turn } from "../../../server/src/graph/worker.ts";
import { limits } from "../../../server/src/limits.ts";
import { startServer } from "../../../server/src/server.ts";
import { type Bench, measureWindow, type Outcome, perSecond, type Scenario } from "../bench.ts";
import { startFleet } from "../fleet.ts";
import { fillWorld, MEMBERSHIPS, PEOPLE, person, room, ROOMS } from "../graph-world.ts";
import { createMeter, type Meter } from "../meter.ts";
import { createProbe } from "../probe.ts";

const SIZE = `${PEOPLE.toLocaleString("en")} people, ${ROOMS.toLocaleString("en")} rooms and ${MEMBERSHIPS.toLocaleString("en")} memberships`;
const base = { needs: { pair: 0, crowd: 0 }, needsOwnServers: true, onlyByName: true } as const;

export const accessGraph: readonly Scenario[] = [
  {
    ...base,
    name: "graph-build",
    title: `The access graph from an empty one, ${SIZE}`,
    unit: "s",
    goals: [{ of: "value", below: 60 }],
    run: (bench) => inWorld(bench, async ({ ctx, own }) => ({ runs: [await measureBuild(own, ctx)], notes: [] })),
  },
  {
    ...base,
    name: "graph-questions",
    title: `The slowest of the access graph's questions, ${SIZE}`,
    unit: "ms",
    goals: [{ of: "value", below: 300 }],
    run: (bench) => inWorld(bench, (inside) => measureQuestions(inside)),
  },
  {
    ...base,
    name: "graph-questions-age",
    title: `The slowest of the access graph's questions in Apache AGE, ${SIZE}`,
    unit: "ms",
    goals: [{ of: "value", below: 300 }],
    missing: () => missingAge() || undefined,
    run: inAge,
  },
  {
    ...base,
    name: "graph-sends",
    title: "Sends while the access graph is kept, and while it is built anew, to sends without it",
    unit: "×",
    goals: [{ of: "value", atLeast: 0.95 }],
    run: (bench) => inWorld(bench, measureSends),
  },
];

interface Inside {
  ctx: Context;
  own: Bench;
}

/** A server of this process, without a worker: it is known when the graph is worked on. */
async function inWorld(
  bench: Bench,
  run: (inside: Inside) => Promise<Outcome>,
  database: { DATABASE_URL?: string } = {},
): Promise<Outcome> {
  await using fleet = await startFleet(0);
  const dataDir = await mkdtemp(join(tmpdir(), "parley-bench-"));
  const settings = {
    ...fleet.settings,
    ...database,
    PARLEY_PORT: "0",
    PARLEY_DATA_DIR: dataDir,
    PARLEY_METRICS_PORT: "off",
    ROLES: "auth,messages",
  };
  const server = await startServer(readConfig({ ...settings, PARLEY_LOG_LEVEL: "silent" }));
  try {
    bench.progress("filling the log");
    await fillWorld(server.ctx);
    const probe = createProbe({ serverPids: [process.pid], postgresPids: fleet.watched.postgresPids });
    return await run({ ctx: server.ctx, own: { ...bench, probe } });
  } finally {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** What docs/operations/access-graph.md tells an operator to run. */
const GRANTS = `grant usage on schema ag_catalog to parley_graph;
  grant select on ag_catalog.ag_graph, ag_catalog.ag_label to parley_graph;
  grant create on database postgres to parley_graph`;

/** The same questions, asked in openCypher. */
async function inAge(bench: Bench): Promise<Outcome> {
  const age = await startAge({ preload: false });
  if ("missing" in age) throw new Error(age.missing);
  try {
    const run = async (inside: Inside) => {
      const client = await connectOwner(age.url);
      await client.query(GRANTS);
      await client.end();
      return measureQuestions(inside, "age");
    };
    return await inWorld(bench, run, { DATABASE_URL: age.url });
  } finally {
    await age.stop();
  }
}

/** As the worker does it, with its breaths. */
async function build(ctx: Context): Promise<void> {
  const { signal } = new AbortController();
  while (await turn(ctx, "bench", signal)) await new Promise((resolve) => setTimeout(resolve, limits.graphBreath_ms));
}

function measureBuild(own: Bench, ctx: Context) {
  own.progress("building the graph");
  return measureWindow(own, { meter: createMeter(), value: (_cut, seconds) => seconds, until: () => build(ctx) });
}

const ROUNDS = 15;
const now_ms = Date.now();

const QUESTIONS: Readonly<Record<string, (i: number) => (graph: Graph) => Promise<object>>> = {
  why: (i) => async (graph) => {
    const asked = { userId: person(i * 331), roomId: room(i * 17), now_ms };
    return withCopies(graph, await why(graph, asked), asked);
  },
  "who can read": (i) => (graph) => readers(graph, room(i * 10)),
  "who can read, by a public space": (i) => (graph) => readers(graph, room(i * 100 + 1)),
  reach: (i) => async (graph) => {
    const asked = { userId: person(i % 2 === 0 ? i : i * 331), now_ms };
    return withTakings(graph, await reach(graph, asked), asked);
  },
  exposed: (i) => async (graph) => {
    const asked = { userId: person(i % 2 === 0 ? i : i * 331), deviceId: "LAPTOP", now_ms };
    return withFetched(graph, await exposed(graph, asked), asked);
  },
  taken: () => (graph) => taken(graph, { now_ms }),
  "taken, of a person": (i) => (graph) => taken(graph, { userId: person(i * 50), now_ms }),
  "without a person": (i) => (graph) => effectOfRemoval(graph, { kind: "person", userId: person(i * 5) }),
  "without a space": (i) => (graph) => effectOfRemoval(graph, { kind: "space", roomId: room(i * 10) }),
  orphans: () => orphans,
  administrators: () => (graph) => administratorsPaths(graph, {}),
  "administrators of a room": (i) => (graph) => administratorsPaths(graph, { roomId: room(i * 7) }),
  stale: () => (graph) => staleDevices(graph, { days: 90, unverified: false, now_ms }),
};

async function readers(graph: Graph, roomId: string) {
  const asked = { roomId, now_ms };
  return withTakers(graph, await whoCanRead(graph, asked), asked);
}

async function measureQuestions({ ctx, own }: Inside, backEnd: Graph["kind"] = "tables"): Promise<Outcome> {
  own.progress("building the graph");
  await build(ctx);
  const notes: string[] = [];
  let slowest_ms = 0;
  const run = await measureWindow(own, {
    meter: createMeter(),
    value: () => slowest_ms,
    async until() {
      for (const [name, question] of Object.entries(QUESTIONS)) {
        const took: { wall_ms: number; cpu_ms: number }[] = [];
        own.progress(name);
        const ask = async (i: number) => {
          const { back_end } = await answer(ctx, question(i) as never);
          if (back_end !== backEnd) throw new Error(`the answer came from ${back_end}`);
        };
        for (let i = 0; i < ROUNDS; i++) took.push(await timed(() => ask(i)));
        const [wall, cpu] = [median(took.map(({ wall_ms }) => wall_ms)), median(took.map(({ cpu_ms }) => cpu_ms))];
        notes.push(`${name}: ${wall.toFixed(0)} ms, of it ${cpu.toFixed(0)} ms of this process's processor time`);
        slowest_ms = Math.max(slowest_ms, wall);
      }
    },
  });
  return { runs: [run], notes };
}

async function timed(act: () => Promise<unknown>): Promise<{ wall_ms: number; cpu_ms: number }> {
  const [from_ms, cpu] = [performance.now(), process.cpuUsage()];
  await act();
  const { user, system } = process.cpuUsage(cpu);
  return { wall_ms: performance.now() - from_ms, cpu_ms: (user + system) / 1_000 };
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const SENDERS = 16;
const WINDOW_MS = 4_000;
const PAIRS = 3;

/** By turns without the graph, with it kept, and with it built anew, so that what else the machine does falls on all of them. */
async function measureSends({ ctx, own }: Inside): Promise<Outcome> {
  await build(ctx);
  const rates: Record<"without" | "kept" | "built", number[]> = { without: [], kept: [], built: [] };
  const window = async (kind: keyof typeof rates, meter: Meter) => {
    if (kind === "built") await startOver(ctx);
    const end = kind === "without" ? undefined : await startGraph(ctx);
    const run = await measureWindow(own, { meter, value: perSecond, until: () => send(ctx, meter) });
    await end?.();
    rates[kind].push(run.value);
    return run;
  };
  const runs = [];
  for (let pair = 0; pair < PAIRS; pair++)
    for (const kind of ["without", "kept", "built"] as const) {
      own.progress(`sends, ${kind} ${pair + 1}/${PAIRS}`);
      runs.push(await window(kind, createMeter()));
      if (kind === "built") await build(ctx);
    }
  const [without, kept, built] = [median(rates.without), median(rates.kept), median(rates.built)];
  const [last] = runs.slice(-1);
  if (!last) throw new Error("nothing was measured");
  return {
    runs: [{ ...last, value: kept / without }],
    notes: [
      `without ${without.toFixed(0)}/s, kept ${kept.toFixed(0)}/s, while it is built anew ${built.toFixed(0)}/s: ${(built / without).toFixed(2)}×`,
    ],
  };
}

let sent = 0;

/** Messages, and one change of a membership in twenty of them. */
async function send(ctx: Context, meter: Meter): Promise<void> {
  const until_ms = performance.now() + WINDOW_MS;
  const sender = async (which: number) => {
    while (performance.now() < until_ms) {
      const from_ms = performance.now();
      const i = ++sent;
      const isState = i % 20 === 0;
      const [user, event_id] = [person(i * 7), `$sent${process.pid}x${i}`];
      const kind = isState
        ? { type: "m.room.member", state_key: user, membership: i % 40 === 0 ? "join" : "leave" }
        : { type: "m.room.message" };
      const content = isState
        ? { membership: kind.membership }
        : { body: "a message of the usual length", msgtype: "m.text" };
      const body = JSON.stringify({
        content,
        event_id,
        origin_server_ts: Date.now(),
        sender: user,
        type: kind.type,
        ...(isState ? { state_key: user } : {}),
      });
      await ctx.log.append({
        lane: room(which),
        entries: [{ kind: "event", room: room(which), user, event_id, ts: Date.now(), body, ...kind }],
      });
      meter.hit(performance.now() - from_ms);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, (_, i) => sender(i * 3)));
}
