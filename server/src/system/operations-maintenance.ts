/** Maintenance mode: what it refuses stands in maintenance.ts. */
import { z } from "zod";
import { operation, type Operation, reasonSchema } from "../console/operation.ts";
import { time } from "../console/users/shapes.ts";
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { changeControls, whoSet } from "./controls.ts";

const state = z.object({
  on: z.boolean(),
  message: z.string().nullable(),
  since_ts: time.nullable(),
  retry_after_s: z.int().nullable(),
  set_by: z.string().nullable(),
});

async function readState(ctx: Context): Promise<z.output<typeof state>> {
  const { maintenance } = ctx.controls.now();
  const row = (await whoSet(ctx.db)).find(({ name }) => name === "maintenance");
  return {
    on: maintenance !== null,
    message: maintenance?.message ?? null,
    since_ts: maintenance?.since_ms ?? null,
    retry_after_s: maintenance?.retry_after_s ?? null,
    set_by: maintenance === null ? null : (row?.changed_by ?? null),
  };
}

const read = operation({
  id: "maintenance.read",
  method: "GET",
  path: "/system/maintenance",
  summary: "Shows whether writes are refused",
  role: "auditor",
  answer: state,
  command: { name: "maintenance show" },
  handle: (_request, ctx) => readState(ctx),
});

const begin = operation({
  id: "maintenance.begin",
  method: "POST",
  path: "/system/maintenance/begin",
  summary: "Refuses writes everywhere, with a sentence for people",
  description:
    "Within 5 s each replica answers whatever would write with 503, IO_PARLEY_MAINTENANCE and Retry-After; sync and reading go on. What was accepted before is still written. The console and the operator API go on.",
  role: "operator",
  body: z.object({
    message: z
      .string()
      .trim()
      .min(1)
      .max(limits.maintenanceMessage_characters)
      .meta({ description: "What people read." }),
    retry_after_s: z
      .int()
      .min(1)
      .max(limits.maintenanceRetry_s)
      .default(30)
      .meta({ description: "When clients ask again." }),
    reason: reasonSchema,
  }),
  answer: state,
  target: () => "maintenance",
  command: { name: "maintenance on", arguments: ["message"] },
  async handle({ body: { message, retry_after_s }, actor, audit }, ctx) {
    const before = ctx.controls.now().maintenance;
    const maintenance = { message, retry_after_s, since_ms: before?.since_ms ?? ctx.seams.now_ms() };
    await changeControls(ctx, { maintenance }, actor.userId);
    audit({ before, after: maintenance });
    return readState(ctx);
  },
});

const end = operation({
  id: "maintenance.end",
  method: "POST",
  path: "/system/maintenance/end",
  summary: "Lets people write again",
  role: "operator",
  body: z.object({ reason: reasonSchema.optional() }),
  answer: state,
  target: () => "maintenance",
  command: { name: "maintenance off" },
  async handle({ actor, audit }, ctx) {
    const before = ctx.controls.now().maintenance;
    await changeControls(ctx, { maintenance: undefined }, actor.userId);
    audit({ before, after: null });
    return readState(ctx);
  },
});

export const operations: readonly Operation[] = [read, begin, end];
