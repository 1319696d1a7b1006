/** What operators ask about the installation itself: who runs, on which schema, with which settings, and when it was backed up. */
import { z } from "zod";
import { schemaStatus } from "../cli/release-status.ts";
import { withOwner } from "../cli/database.ts";
import { operation, type Operation } from "../console/operation.ts";
import { time } from "../console/users/shapes.ts";
import type { Context } from "../context.ts";
import { readAppliedSoFar, readKnown } from "../db/schema.ts";
import { version } from "../version.ts";
import { inProcess } from "./doctor.ts";
import { readLicences } from "./licences.ts";
import { operations as doctor } from "./operations-doctor.ts";
import { operations as maintenance } from "./operations-maintenance.ts";
import { operations as queues } from "./operations-queues.ts";
import { listProcesses } from "./processes.ts";
import { lastRun, listRuns, type Run } from "./runs.ts";

const all = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item) });

const processes = operation({
  id: "system.processes",
  method: "GET",
  path: "/system/processes",
  summary: "Lists the processes that run",
  role: "auditor",
  answer: all(
    z.object({
      process: z.int(),
      host: z.string(),
      version: z.string(),
      is_behind: z.boolean().meta({ description: "Whether another process has a newer version." }),
      roles: z.array(z.string()),
      bus: z.string(),
      started_ts: time,
      seen_ts: time,
      position: z.int().nullable().meta({ description: "Up to where it has the log." }),
      behind_entries: z.int().nullable(),
      clock_ahead_ms: z.number().nullable(),
      connections: z.int().nullable().meta({ description: "To the database, at the most." }),
    }),
  ),
  command: { name: "system processes", columns: ["process", "host", "version", "behind_entries", "seen_ts"] },
  async handle(_request, ctx) {
    const rows = await listProcesses(ctx);
    const newest = rows.map((each) => each.version).reduce(newer, "");
    return {
      items: rows.map((row) => ({
        process: row.number,
        host: row.host,
        version: row.version,
        is_behind: row.version !== newest,
        roles: row.roles.split(","),
        bus: row.bus,
        started_ts: row.startedAt.getTime(),
        seen_ts: row.seenAt.getTime(),
        position: row.position,
        behind_entries: row.behind_entries === null ? null : Math.max(0, row.behind_entries),
        clock_ahead_ms: row.clockAhead_ms,
        connections: row.connections,
      })),
    };
  },
});

/** Of two versions such as 1.10.0 the newer. */
export function newer(one: string, other: string): string {
  return one.localeCompare(other, "en", { numeric: true }) >= 0 ? one : other;
}

const migrations = operation({
  id: "system.migrations",
  method: "GET",
  path: "/system/migrations",
  summary: "Shows the schemas of the database and what this version needs",
  role: "auditor",
  answer: z.object({
    version: z.string(),
    items: z.array(
      z.object({
        schema: z.string(),
        has: z.int().meta({ description: "The number of the last migration in the database." }),
        needs: z.int(),
        compatible_since: z.int().meta({ description: "The least that a version must know to run on it." }),
        missing: z.array(z.string()),
      }),
    ),
  }),
  command: { name: "system migrations" },
  async handle(_request, ctx) {
    const known = await readKnown();
    const rows = schemaStatus(known, await withOwner(inProcess(ctx), (client) => readAppliedSoFar(client)));
    return {
      version,
      items: rows.map(({ compatibleSince, ...row }) => ({ ...row, compatible_since: compatibleSince })),
    };
  },
});

const configuration = operation({
  id: "system.configuration",
  method: "GET",
  path: "/system/configuration",
  summary: "Shows the settings of the process that answers, without secrets, and where each comes from",
  description: "Other processes may have others: what must be the same is compared by the doctor.",
  role: "auditor",
  answer: all(
    z.object({
      name: z.string(),
      value: z.string().nullable().meta({ description: "Null: nothing is set, or it is a secret." }),
      is_secret: z.boolean(),
      from: z.enum(["environment", "alias", "default"]),
      doc: z.string(),
    }),
  ),
  command: { name: "system configuration", columns: ["name", "value", "from"] },
  handle: (_request, { config }) =>
    Promise.resolve({ items: config.sources.map(({ isSecret, ...each }) => ({ ...each, is_secret: isSecret })) }),
});

const run = z.object({
  run_id: z.int(),
  started_ts: time,
  ended_ts: time.nullable(),
  ok: z.boolean().nullable(),
  detail: z.record(z.string(), z.unknown()),
});

const shownRun = ({ id, started_ms, ended_ms, ok, detail }: Run): z.output<typeof run> => ({
  run_id: id,
  started_ts: started_ms,
  ended_ts: ended_ms,
  ok,
  detail,
});

const orNull = (found: Run | undefined) => (found ? shownRun(found) : null);

const backups = operation({
  id: "system.backups",
  method: "GET",
  path: "/system/backups",
  summary: "Shows when a backup was taken and a restore was tried",
  description:
    "What `parley backup`, `parley restore verify` and `parley restore drill` have noted in the database. Backups that PostgreSQL takes itself are not known here.",
  role: "auditor",
  answer: z.object({
    last_backup: run.nullable(),
    last_drill: run.nullable().meta({ description: "The last restore that was verified and was well." }),
    items: z.array(run.extend({ kind: z.string() })),
  }),
  command: { name: "system backups", columns: ["kind", "started_ts", "ok"] },
  async handle(_request, ctx) {
    const [backup, drill, verified] = [
      await lastRun(ctx, "backup", true),
      await lastRun(ctx, "restore_drill", true),
      await lastRun(ctx, "restore_verify", true),
    ];
    const drills = [drill, verified].filter((each) => each !== undefined);
    return {
      last_backup: orNull(backup),
      last_drill: orNull(drills.toSorted((a, b) => b.id - a.id)[0]),
      items: await listKinds(ctx),
    };
  },
});

async function listKinds(ctx: Context) {
  const rows = [];
  for (const kind of ["backup", "restore_drill", "restore_verify"] as const) rows.push(...(await listRuns(ctx, kind)));
  return rows.toSorted((a, b) => b.id - a.id).map((each) => ({ kind: each.kind, ...shownRun(each) }));
}

const licences = operation({
  id: "system.licences",
  method: "GET",
  path: "/system/licences",
  summary: "Lists the packages that are installed, with their licences",
  role: "auditor",
  answer: all(z.object({ name: z.string(), version: z.string(), licence: z.string() })),
  command: { name: "system licences" },
  handle: async () => ({ items: await readLicences() }),
});

export const operations: readonly Operation[] = [
  processes,
  migrations,
  configuration,
  backups,
  licences,
  ...doctor,
  ...maintenance,
  ...queues,
];
