/** What would run, and who may go on running beside it. */
import { type Applied, type Migration, pending } from "../../db/compatibility.ts";
import { readAppliedSoFar, readKnown } from "../../db/schema.ts";
import { otherName } from "../../log/server-name.ts";
import { type Check, counted, type Finding, orWell, type Patient } from "../doctor/finding.ts";
import { processesOf } from "../doctor/processes.ts";
import { refusalOf } from "../release-status.ts";

/** `folder`: other migrations than those of this version, for tests. */
export function migrations(folder?: URL): Check {
  return {
    name: "migrations",
    async look(patient) {
      const known = await readKnown(folder);
      const applied = await readAppliedSoFar(patient.owner);
      const refusal = refusalOf(known, applied);
      if (refusal) return [{ check: "migrations", state: "failure", says: refusal, fix: "Install the newer version." }];
      const missing = pending(known, applied);
      const names = missing.map(({ schema, name }) => `${schema}/${name}`).join(", ");
      return [
        ...(await nameFindings(patient, applied)),
        ...(await extensionFindings(patient, missing)),
        ...orWell(
          "migrations",
          [await company(patient, { missing, applied })],
          missing.length === 0 ? "No migration is to be run." : `${missing.length} migrations would run: ${names}.`,
        ),
      ];
    },
  };
}

/** Processes that run now know what the database has, and maybe no more. */
async function company(
  patient: Patient,
  { missing, applied }: { missing: readonly Migration[]; applied: readonly Applied[] },
): Promise<Finding | undefined> {
  const has = (schema: string) =>
    Math.max(0, ...applied.filter((each) => each.schema === schema).map(({ number }) => number));
  const breaking = missing.filter(({ schema, compatibleSince }) => compatibleSince > has(schema));
  if (breaking.length === 0 || applied.length === 0) return undefined;
  const running = await processesOf(patient).catch(() => []);
  const names = breaking.map(({ schema, name }) => `${schema}/${name}`).join(", ");
  const fix = "Upgrade to the version before this one first, or stop all processes for the time of the migration.";
  return running.length === 0
    ? {
        check: "migrations",
        state: "warning",
        says: `No older version can run beside ${names}; none runs now.`,
        fix: "The way back is a backup: make one first.",
      }
    : {
        check: "migrations",
        state: "failure",
        says: `${counted(running.length, "process runs", "processes run")} that can not run beside ${names}.`,
        fix,
      };
}

async function nameFindings({ owner, config }: Patient, applied: readonly Applied[]): Promise<Finding[]> {
  if (!applied.some(({ schema, number }) => schema === "log" && number === 6)) return [];
  const { rows } = await owner.query<{ name: string | null }>("select server_name as name from log.installation");
  const kept = rows[0]?.name ?? config.serverName;
  return kept === config.serverName
    ? [{ check: "server name", state: "ok", says: `The server name stays ${kept}.` }]
    : [
        {
          check: "server name",
          state: "failure",
          says: otherName(kept, config.serverName),
          fix: `Set PARLEY_SERVER_NAME=${kept}.`,
        },
      ];
}

/** What migrations ask for must be installed beside PostgreSQL. */
async function extensionFindings({ owner }: Patient, missing: readonly Migration[]): Promise<Finding[]> {
  const asked = missing.flatMap(({ sql }) =>
    [...sql.matchAll(/^\s*create extension (?:if not exists )?"?(\w+)/gim)].map(([, name = ""]) => name),
  );
  const { rows } = await owner.query<{ name: string }>(
    "select n as name from unnest($1::text[]) as n where not exists (select from pg_available_extensions a where a.name = n)",
    [asked],
  );
  return orWell(
    "extensions",
    rows.map(({ name }) => ({
      check: "extensions",
      state: "failure" as const,
      says: `PostgreSQL does not have the extension ${name}, which a migration needs.`,
      fix: `Install it on the database's machine, or use an image that has it.`,
    })),
    asked.length === 0 ? "No extension is needed." : `The extensions that are needed are there: ${asked.join(", ")}.`,
  );
}
