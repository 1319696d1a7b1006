/** `parley release status`: what the database has, what this version needs, and who is running. */
import { listAlive, type ProcessRow } from "../bus/processes.ts";
import { type Applied, type Migration, pending } from "../db/compatibility.ts";
import type { Connection } from "../db/database.ts";
import { schemas } from "../db/roles.ts";
import { readAppliedSoFar, readKnown } from "../db/schema.ts";
import { asError } from "../errors.ts";
import { version } from "../version.ts";
import { type Command, type Outcome, table } from "./command.ts";
import { withOwner } from "./database.ts";

export interface SchemaStatus {
  schema: string;
  /** The number of its last migration in the database; 0 where it has none. */
  has: number;
  /** That of this version. */
  needs: number;
  /** The least that a version must know to run on what the database has. */
  compatibleSince: number;
  /** Of this version's migrations, those that the database has not. */
  missing: string[];
}

export const releaseStatus: Command = {
  name: "release status",
  summary: "Says which schema the database has, what this version needs, and which processes run.",
  help: `For each schema: the last migration that the database has, the one that this version needs, and since which number a
version may run on it. Ends with 1 where this version could not serve on the database as it is.`,
  run: (call) => withOwner(call, status),
};

async function status(client: Connection): Promise<Outcome> {
  const known = await readKnown();
  const applied = await readAppliedSoFar(client);
  const rows = schemaStatus(known, applied);
  const refusal = refusalOf(known, applied);
  const processes = applied.length > 0 ? await runningProcesses(client) : [];
  const missing = rows.reduce((sum, each) => sum + each.missing.length, 0);
  const summary = refusal ?? (missing > 0 ? `Run "parley release db": ${missing} migrations are missing.` : "");
  return {
    ok: summary === "",
    data: { version, schemas: rows, refusal: refusal ?? null, processes: processes.map(ofProcess) },
    text: [
      `This is version ${version}.`,
      schemaTable(rows),
      processTable(processes),
      summary || "This version can serve on this database.",
    ].join("\n\n"),
  };
}

export function schemaStatus(known: readonly Migration[], applied: readonly Applied[]): SchemaStatus[] {
  return schemas.map((schema) => {
    const own = known.filter((each) => each.schema === schema);
    const there = applied.filter((each) => each.schema === schema);
    const numbers = there.map(({ number }) => number);
    return {
      schema,
      has: Math.max(0, ...numbers),
      needs: Math.max(0, ...own.map(({ number }) => number)),
      compatibleSince: leastVersion(there),
      missing: own.filter(({ number }) => !numbers.includes(number)).map(({ name }) => name),
    };
  });
}

/** The least number that code must know for each migration beyond it to be one that it may run beside. */
function leastVersion(applied: readonly Applied[]): number {
  const suits = (version: number) =>
    applied.every(({ number, compatibleSince }) => number <= version || (compatibleSince ?? number) <= version);
  return [0, ...applied.map(({ number }) => number)].toSorted((a, b) => a - b).find(suits) ?? 0;
}

/** Why this version may not run on the database; undefined where it may. */
export function refusalOf(known: readonly Migration[], applied: readonly Applied[]): string | undefined {
  try {
    pending(known, applied);
    return undefined;
  } catch (thrown) {
    return asError(thrown).message;
  }
}

/** None where the log has no such table yet. */
async function runningProcesses(client: Connection): Promise<ProcessRow[]> {
  const { rows } = await client.query("select to_regclass('log.processes') is not null as there");
  if (!(rows[0] as { there: boolean }).there) return [];
  return listAlive({ query: async (sql, params = []) => (await client.query(sql, params as unknown[])).rows });
}

function ofProcess({ startedAt, seenAt, ...process }: ProcessRow) {
  return { ...process, startedAt: startedAt.toISOString(), seenAt: seenAt.toISOString() };
}

function schemaTable(rows: readonly SchemaStatus[]): string {
  const line = ({ schema, has, needs, compatibleSince, missing }: SchemaStatus) => [
    schema,
    `${has}`,
    `${needs}`,
    `${compatibleSince}`,
    missing.join(", ") || "-",
  ];
  return table([["schema", "has", "needs", "compatible since", "missing"], ...rows.map(line)]);
}

function processTable(processes: readonly ProcessRow[]): string {
  if (processes.length === 0) return "No process of Parley runs on this database.";
  const line = ({ number, version, roles, bus, startedAt }: ProcessRow) => [
    `${number}`,
    version,
    roles,
    bus,
    startedAt.toISOString(),
  ];
  return table([["process", "version", "roles", "bus", "started"], ...processes.map(line)]);
}
