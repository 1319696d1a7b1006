/** The questions of the access graph, and what keeps it, as operations. */
import { z } from "zod";
import { operation } from "../console/operation.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { answerSchema } from "./answer.ts";
import { ageOf, answer } from "./open.ts";
import { readProgress, startOver } from "./project.ts";
import { administratorsPaths } from "./questions/administrators.ts";
import { exposed } from "./questions/exposed.ts";
import { orphans } from "./questions/orphans.ts";
import { reach } from "./questions/reach.ts";
import { effectOfRemoval, type Removal } from "./questions/removal.ts";
import { staleDevices } from "./questions/stale.ts";
import { withCopies, withFetched, withHeld, withTakers, withTakings } from "./questions/also-taken.ts";
import { taken } from "./questions/taken.ts";
import { withServices } from "./questions/services.ts";
import { whoCanRead } from "./questions/who.ts";
import { why } from "./questions/why.ts";
import { countAll, findByName, tablesGraph } from "./tables.ts";

const id = z.string().min(1).max(limits.identifier_bytes);
const userId = id.regex(/^@/, "A user id begins with @.");
const roomId = id.regex(/^!/, "A room id begins with !.");
const reading = { method: "GET", role: "auditor", answer: answerSchema } as const;

/** The picture is for those who see one. */
const shown = { shows: ["sentence", "details", "items", "as_of_ts", "behind_ms", "back_end"] };

const graphWhy = operation({
  ...reading,
  id: "graph.why",
  path: "/graph/why",
  summary: "Why a person can read a room, step by step, and what of it",
  query: z.object({ user_id: userId, room_id: roomId }),
  command: { ...shown, name: "graph why", columns: ["from", "step", "to", "since_ts", "by"] },
  handle: ({ query }, ctx) =>
    answer(ctx, async (graph) => {
      const asked = { userId: query.user_id, roomId: query.room_id, now_ms: ctx.seams.now_ms() };
      return withCopies(graph, await why(graph, asked), asked);
    }),
});

const graphWho = operation({
  ...reading,
  id: "graph.who-can-read",
  path: "/graph/who-can-read",
  summary: "Who can read a room, and by which way",
  query: z.object({ room_id: roomId }),
  command: { ...shown, name: "graph who", columns: ["user_id", "name", "how", "via", "since_ts", "by"] },
  description: "Application services that are sent what happens in the room stand beside whoever can read it.",
  handle: ({ query }, ctx) =>
    answer(ctx, async (graph) => {
      const asked = { roomId: query.room_id, now_ms: ctx.seams.now_ms() };
      const found = await withTakers(graph, await whoCanRead(graph, asked), asked);
      return withServices(found, ctx, query.room_id);
    }),
});

const graphReach = operation({
  ...reading,
  id: "graph.reach",
  path: "/graph/reach",
  summary: "What a person or bot reaches",
  query: z.object({ user_id: userId }),
  command: { ...shown, name: "graph reach", columns: ["room_id", "name", "how", "via", "manages", "encrypted"] },
  description: "With what they fetched of others as exports, and what they may export under legal access.",
  handle: ({ query }, ctx) =>
    answer(ctx, async (graph) => {
      const asked = { userId: query.user_id, now_ms: ctx.seams.now_ms() };
      return withTakings(graph, await reach(graph, asked), asked);
    }),
});

const graphExposed = operation({
  ...reading,
  id: "graph.exposed",
  path: "/graph/exposed",
  summary: "What a device exposed, and since when",
  description: "Also of a device that was signed out. `lost_ts` is when it was lost (ms since 1970).",
  query: z.object({ user_id: userId, device_id: id, lost_ts: z.coerce.number().int().min(0).optional() }),
  command: {
    ...shown,
    name: "graph exposed",
    columns: ["room_id", "name", "from_ts", "since_ts", "until_ts", "readable"],
  },
  handle: ({ query }, ctx) =>
    answer(ctx, async (graph) => {
      const asked = { userId: query.user_id, deviceId: query.device_id, now_ms: ctx.seams.now_ms() };
      return withFetched(graph, await exposed(graph, { ...asked, lost_ms: query.lost_ts }), asked);
    }),
});

const removalQuery = z.object({
  kind: z.enum(["person", "role", "device", "space"]),
  user_id: userId.optional(),
  room_id: roomId.optional(),
  device_id: id.optional(),
});

const graphRemoval = operation({
  ...reading,
  id: "graph.effect-of-removal",
  path: "/graph/effect-of-removal",
  summary: "What would change without a person, a role, a device or a space. Nothing changes by asking",
  description:
    "person: `user_id`. role: `user_id` and `room_id` for power in a room, `user_id` alone for the administration of the server. device: `user_id` and `device_id`. space: `room_id`.",
  query: removalQuery,
  command: { ...shown, name: "graph remove", columns: ["room_id", "name", "type", "effect"] },
  handle: ({ query }, ctx) =>
    answer(ctx, async (graph) => {
      const removal = removalOf(query);
      const found = await effectOfRemoval(graph, removal);
      const endsActs = removal.kind === "person" || (removal.kind === "role" && removal.roomId === undefined);
      return endsActs ? withHeld(graph, found, { userId: removal.userId, now_ms: ctx.seams.now_ms() }) : found;
    }),
});

function removalOf({ kind, user_id, room_id, device_id }: z.output<typeof removalQuery>): Removal {
  const needed = (value: string | undefined, name: string): string => {
    if (value === undefined) throw matrixError("M_MISSING_PARAM", `"${name}" is missing: what is removed has one.`);
    return value;
  };
  if (kind === "space") return { kind, roomId: needed(room_id, "room_id") };
  const who = needed(user_id, "user_id");
  if (kind === "device") return { kind, userId: who, deviceId: needed(device_id, "device_id") };
  return kind === "role" ? { kind, userId: who, roomId: room_id } : { kind, userId: who };
}

const graphOrphans = operation({
  ...reading,
  id: "graph.orphans",
  path: "/graph/orphans",
  summary: "Rooms that nobody can manage, and rooms that nobody is in",
  command: { ...shown, name: "graph orphans", columns: ["room_id", "name", "type", "members", "state"] },
  handle: (_request, ctx) => answer(ctx, orphans),
});

const graphPaths = operation({
  ...reading,
  id: "graph.administrators-paths",
  path: "/graph/administrators-paths",
  summary: "Who administers the server, or manages one room, and who gave them that",
  query: z.object({ room_id: roomId.optional() }),
  command: { ...shown, name: "graph paths" },
  handle: ({ query }, ctx) => answer(ctx, (graph) => administratorsPaths(graph, { roomId: query.room_id })),
});

const graphStale = operation({
  ...reading,
  id: "graph.stale-devices",
  path: "/graph/stale-devices",
  summary: "Devices that are signed in and that nobody has used for long",
  query: z.object({
    days: z.coerce.number().int().min(0).max(limits.graphStaleMost_days).default(limits.graphStale_days),
    unverified: z.stringbool().default(false).meta({ description: "Only those that are not verified." }),
  }),
  command: {
    ...shown,
    name: "graph stale",
    columns: ["user_id", "device_id", "device_name", "last_seen_ts", "verified", "rooms"],
  },
  handle: ({ query }, ctx) => answer(ctx, (graph) => staleDevices(graph, { ...query, now_ms: ctx.seams.now_ms() })),
});

const graphTaken = operation({
  ...reading,
  id: "graph.taken",
  path: "/graph/taken",
  summary: "What has left the server as exports, and who may take more under legal access",
  description:
    "Of a person, of a room, or of all. What was fetched stays in the answer when it is no longer kept here.",
  query: z.object({ user_id: userId.optional(), room_id: roomId.optional() }),
  command: { ...shown, name: "graph taken" },
  handle: ({ query: { user_id, room_id } }, ctx) =>
    answer(ctx, (graph) => taken(graph, { userId: user_id, roomId: room_id, now_ms: ctx.seams.now_ms() })),
});

const graphFind = operation({
  id: "graph.find",
  method: "GET",
  path: "/graph/find",
  summary: "People, rooms and devices by the beginning of their name, for who asks a question",
  role: "auditor",
  query: z.object({
    kind: z.enum(["person", "room", "device"]),
    q: z.string().trim().max(limits.identifier_bytes).default(""),
    user_id: userId.optional().meta({ description: "device: whose." }),
  }),
  answer: z.object({
    items: z.array(z.object({ id: z.string(), name: z.string().nullable(), detail: z.string().optional() })),
  }),
  command: { name: "graph find", arguments: ["kind", "q"] },
  async handle({ query: { kind, q, user_id } }, ctx) {
    if (kind !== "device")
      return { items: await findByName(ctx.db.graph, { text: q, kind, limit: limits.graphFound }) };
    const devices = user_id === undefined ? [] : await tablesGraph(ctx.db.graph).devicesOf(user_id);
    const found = devices.filter(({ deviceId, name }) =>
      `${name ?? ""} ${deviceId}`.toLowerCase().includes(q.toLowerCase()),
    );
    return {
      items: found.slice(0, limits.graphFound).map(({ deviceId, name, ended_ms, isVerified }) => ({
        id: deviceId,
        name,
        detail: ended_ms === null ? (isVerified ? "verified" : "not verified") : "signed out",
      })),
    };
  },
});

const graphStatus = operation({
  id: "graph.status",
  method: "GET",
  path: "/graph/status",
  summary: "How far the access graph is, where it is kept, and how much is in it",
  role: "auditor",
  answer: z.object({
    position: z.int(),
    as_of_ts: z.int().nullable(),
    behind_ms: z.int().nullable(),
    is_stale: z.boolean().meta({ description: "Whether it is more than a minute behind, or not built yet." }),
    is_kept: z.boolean().meta({ description: "Whether a worker keeps it at this moment." }),
    rebuilding: z.boolean(),
    rebuilt_ts: z.int().nullable(),
    rebuild_ms: z.int().nullable(),
    back_end: z.enum(["tables", "age"]),
    age: z.string().meta({ description: "What there is of Apache AGE, and what is missing." }),
    counts: z.record(z.string(), z.int()),
  }),
  command: { name: "graph status" },
  async handle(_request, ctx) {
    const [progress, { mirrored, ...age }] = await Promise.all([readProgress(ctx), ageOf(ctx)]);
    const { ageStatus } = await import("./age/status.ts");
    return {
      position: progress.position,
      ...age,
      is_stale: age.behind_ms === null || age.behind_ms > limits.graphBehind_ms,
      is_kept: progress.isHeld,
      rebuilding: progress.rebuilding,
      rebuilt_ts: progress.rebuilt_ms,
      rebuild_ms: progress.rebuildTook_ms,
      back_end: mirrored ? ("age" as const) : ("tables" as const),
      age: await ageStatus(ctx, mirrored),
      counts: await countAll(ctx.db.graph),
    };
  },
});

const graphRebuild = operation({
  id: "graph.rebuild",
  method: "POST",
  path: "/graph/rebuild",
  summary: "Empties the access graph and has it built anew from the log",
  description:
    "Answers at once; `graph.status` tells when it is done. Until then answers are of what was read again so far.",
  role: "operator",
  answer: z.object({ rebuilding: z.literal(true) }),
  command: { name: "graph rebuild" },
  async handle(_request, ctx) {
    await startOver(ctx);
    return { rebuilding: true as const };
  },
});

export const graphOperations = [
  graphWhy,
  graphWho,
  graphReach,
  graphExposed,
  graphRemoval,
  graphOrphans,
  graphPaths,
  graphStale,
  graphTaken,
  graphFind,
  graphStatus,
  graphRebuild,
];
