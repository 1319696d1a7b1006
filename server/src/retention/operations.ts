/** The retention's policy, what it would do, its runs, and the legal holds. */
import { z } from "zod";
import { cursorOf, readCursor } from "../console/cursor.ts";
import { operation, type Operation, pageOf, pageQuery, reasonSchema } from "../console/operation.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { roomFor } from "../rooms/operations.ts";
import { createJob } from "../worker/jobs.ts";
import {
  dropOverride,
  lifetimeOf,
  listOverrides,
  readOverride,
  readServerPolicy,
  type ServerPolicy,
  type StoredPolicy,
  wishOf,
  writePolicy,
} from "./policy.ts";
import { simulate } from "./simulate.ts";

const HOUR_MS = 3_600_000;
/** From an hour to a thousand years: a policy of some seconds is a slip of the hand. */
const lifetime = z
  .int()
  .min(HOUR_MS)
  .max(1_000 * 366 * 24 * HOUR_MS)
  .nullable();

const policyFields = {
  max_lifetime_ms: lifetime.default(null).meta({ description: "How long messages are kept; null is for ever." }),
  room_least_ms: lifetime
    .default(null)
    .meta({ description: "A room that asks for less in m.room.retention gets this." }),
  room_most_ms: lifetime.default(null).meta({ description: "A room that asks for more gets this." }),
  media_lifetime_ms: lifetime.default(null).meta({
    description:
      "How long a file is kept that nothing points to. What points to the files of encrypted rooms the server can not see: they go by their age.",
  }),
};
const policyBody = z.object(policyFields);

function policyOf(body: z.output<typeof policyBody>): ServerPolicy {
  if (body.room_least_ms !== null && body.room_most_ms !== null && body.room_least_ms > body.room_most_ms)
    throw matrixError("M_INVALID_PARAM", `"room_least_ms" is above "room_most_ms".`);
  return {
    maxLifetime_ms: body.max_lifetime_ms,
    roomLeast_ms: body.room_least_ms,
    roomMost_ms: body.room_most_ms,
    mediaLifetime_ms: body.media_lifetime_ms,
  };
}

const numbers = z.number().nullable();
const storedPolicy = z.object({
  enabled: z.boolean().meta({ description: "False until a policy is set: then nothing is ever deleted." }),
  max_lifetime_ms: numbers,
  room_least_ms: numbers,
  room_most_ms: numbers,
  media_lifetime_ms: numbers,
  changed_ts: z.int().nullable(),
  changed_by: z.string().nullable(),
});

function told(policy: StoredPolicy | undefined): z.output<typeof storedPolicy> {
  return {
    enabled: policy !== undefined,
    max_lifetime_ms: policy?.maxLifetime_ms ?? null,
    room_least_ms: policy?.roomLeast_ms ?? null,
    room_most_ms: policy?.roomMost_ms ?? null,
    media_lifetime_ms: policy?.mediaLifetime_ms ?? null,
    changed_ts: policy?.changed_ts ?? null,
    changed_by: policy?.changedBy ?? null,
  };
}

const read = operation({
  id: "retention.read",
  method: "GET",
  path: "/retention",
  summary: "Shows how long messages and files are kept",
  role: "auditor",
  answer: storedPolicy,
  command: { name: "retention show" },
  handle: async (_request, ctx) => told(await readServerPolicy(ctx)),
});

const write = operation({
  id: "retention.set",
  method: "PUT",
  path: "/retention",
  summary: "Sets how long messages and files are kept",
  description:
    "The next daily run deletes what is over its time; retention.simulate says what that would be. Never state events, never what a legal hold keeps.",
  role: "operator",
  isOneTransaction: true,
  body: policyBody.extend({ reason: reasonSchema }),
  answer: storedPolicy,
  command: { name: "retention set" },
  async handle({ body, actor, audit, transact }, ctx) {
    const policy = policyOf(body);
    const before = told(await readServerPolicy(ctx));
    await transact(async (db) => {
      await writePolicy(db, { roomId: "", by: actor.userId, ...policy });
      const { reason: _, ...after } = body;
      audit({ before, after });
    });
    return told(await readServerPolicy(ctx));
  },
});

const disable = operation({
  id: "retention.disable",
  method: "POST",
  path: "/retention/disable",
  summary: "Deletes nothing by age any more",
  role: "operator",
  isOneTransaction: true,
  body: z.object({ reason: reasonSchema }),
  answer: storedPolicy,
  command: { name: "retention disable" },
  async handle({ audit, transact }, ctx) {
    const before = told(await readServerPolicy(ctx));
    await transact(async (db) => {
      await db.change("delete from console.retention_policies where room_id = ''");
      audit({ before, after: told(undefined) });
    });
    return told(undefined);
  },
});

const simulated = z.object({
  messages: z.int(),
  rooms: z.int(),
  oldest_ts: z.int().nullable(),
  files: z.int().meta({
    description: "Files over their time; those that something points to are kept, which only a run finds out.",
  }),
  bytes: z.int(),
  largest: z.array(
    z.object({
      room_id: z.string(),
      messages: z.int(),
      oldest_ts: z.int(),
      lifetime_ms: z.number(),
      source: z.enum(["operator", "room", "server"]),
    }),
  ),
});

const simulatePolicy = operation({
  id: "retention.simulate",
  method: "POST",
  path: "/retention/simulate",
  summary: "Counts what a policy would delete if it were in force now",
  description: "With what rooms and operators say of single rooms as it is, and the legal holds.",
  role: "auditor",
  isWrite: false,
  body: policyBody,
  answer: simulated,
  command: { name: "retention simulate" },
  async handle({ body, signal }, ctx) {
    const { largest, ...found } = await simulate(ctx, policyOf(body), signal);
    const rows = largest.map(({ roomId, source, ...each }) => ({
      room_id: roomId,
      source: source as "operator" | "room" | "server",
      ...each,
    }));
    return { ...found, largest: rows };
  },
});

const run = operation({
  id: "retention.run",
  method: "POST",
  path: "/retention/run",
  summary: "Deletes now what is over its time",
  description: "A job; there is one a day by itself. The runs there were: jobs.list with kind=retention.run.",
  role: "operator",
  body: z.object({ reason: reasonSchema }),
  answer: z.object({ job_id: z.int() }),
  command: { name: "retention run" },
  async handle({ actor, audit }, ctx) {
    if (!(await readServerPolicy(ctx)))
      throw matrixError("M_INVALID_PARAM", "No policy is set: there is nothing to go by.", { status: 409 });
    const job_id = await createJob(ctx, {
      kind: "retention.run",
      parameters: {},
      createdBy: actor.userId,
      uniqueKey: "retention",
    });
    audit({ target: "retention", after: { job_id } });
    return { job_id };
  },
});

const roomPolicy = z.object({
  room_id: z.string(),
  max_lifetime_ms: numbers,
  changed_ts: z.int(),
  changed_by: z.string(),
});

const listRooms = operation({
  id: "retention.rooms",
  method: "GET",
  path: "/retention/rooms",
  summary: "Lists rooms that have a policy of their own from an operator",
  role: "auditor",
  query: z.object({ limit: pageQuery.limit, from: pageQuery.from }),
  answer: pageOf(roomPolicy),
  command: { name: "retention rooms" },
  async handle({ query: { limit, from } }, ctx) {
    const after = from === undefined ? "" : readCursor(from, z.tuple([z.string()]))[0];
    const rows = await listOverrides(ctx, { after, limit: limit + 1 });
    const items = rows.slice(0, limit).map(({ roomId, maxLifetime_ms, changed_ts, changedBy }) => ({
      room_id: roomId,
      max_lifetime_ms: maxLifetime_ms,
      changed_ts,
      changed_by: changedBy,
    }));
    const last = rows.length > limit ? items.at(-1) : undefined;
    return { items, ...(last ? { next: cursorOf([last.room_id]) } : {}) };
  },
});

const effective = z.object({
  lifetime_ms: numbers.meta({ description: "How long this room's messages are kept; null is for ever." }),
  source: z.enum(["operator", "room", "server", "none"]),
});

async function effectiveOf(ctx: Context, roomId: string): Promise<z.output<typeof effective>> {
  const room = await roomFor(ctx, roomId);
  const server = await readServerPolicy(ctx);
  if (!server) return { lifetime_ms: null, source: "none" };
  const own = room.get("m.room.retention");
  return lifetimeOf(server, { override: await readOverride(ctx, roomId), wish: own && wishOf(own.entry.body) });
}

const readRoom = operation({
  id: "retention.room",
  method: "GET",
  path: "/retention/rooms/:roomId",
  summary: "Shows how long a room's messages are kept, and who says so",
  role: "auditor",
  answer: effective,
  command: { name: "retention room", arguments: ["roomId"] },
  handle: ({ params: { roomId } }, ctx) => effectiveOf(ctx, roomId),
});

const writeRoom = operation({
  id: "retention.set_room",
  method: "PUT",
  path: "/retention/rooms/:roomId",
  summary: "Sets how long one room's messages are kept, whatever the room says",
  role: "operator",
  isOneTransaction: true,
  body: z.object({ max_lifetime_ms: lifetime, reason: reasonSchema }),
  answer: effective,
  command: { name: "retention set-room", arguments: ["roomId"] },
  async handle({ params: { roomId }, body, actor, audit, transact }, ctx) {
    const before = await effectiveOf(ctx, roomId);
    await transact(async (db) => {
      await writePolicy(db, { roomId, maxLifetime_ms: body.max_lifetime_ms, by: actor.userId });
      audit({ before, after: { lifetime_ms: body.max_lifetime_ms, source: "operator" } });
    });
    return effectiveOf(ctx, roomId);
  },
});

const dropRoom = operation({
  id: "retention.drop_room",
  method: "DELETE",
  path: "/retention/rooms/:roomId",
  summary: "Lets what the room and the server say count for a room again",
  description: "The next daily run deletes what is then over its time.",
  role: "operator",
  isOneTransaction: true,
  query: z.object({ reason: reasonSchema }),
  answer: effective,
  command: { name: "retention drop-room", arguments: ["roomId"] },
  async handle({ params: { roomId }, audit, transact }, ctx) {
    const before = await effectiveOf(ctx, roomId);
    await transact(async (db) => {
      await dropOverride(db, roomId);
      audit({ before });
    });
    return effectiveOf(ctx, roomId);
  },
});

export const retentionOperations: readonly Operation[] = [
  read,
  write,
  disable,
  simulatePolicy,
  run,
  listRooms,
  readRoom,
  writeRoom,
  dropRoom,
];
