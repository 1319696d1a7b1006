/** The database besides what is durable: its schema, whose it is, its clock, its connections. */
import { readAppliedSoFar, readKnown } from "../../db/schema.ts";
import { limits } from "../../limits.ts";
import { otherName } from "../../log/server-name.ts";
import { refusalOf, schemaStatus } from "../release-status.ts";
import { type Check, counted, type Finding } from "./finding.ts";
import { type ProcessRow, processesOf } from "./processes.ts";

export const schema: Check = {
  name: "schema",
  async look({ owner, config }) {
    const known = await readKnown();
    const applied = await readAppliedSoFar(owner);
    const refusal = refusalOf(known, applied);
    if (refusal) return [{ check: "schema", state: "failure", says: refusal, fix: "Run the newer version." }];
    const missing = schemaStatus(known, applied).flatMap((each) =>
      each.missing.map((name) => `${each.schema}/${name}`),
    );
    if (missing.length > 0)
      return [
        {
          check: "schema",
          state: "failure",
          says: `The schema is behind this version: it lacks ${missing.slice(0, 3).join(", ")}${missing.length > 3 ? ` and ${missing.length - 3} more` : ""}.`,
          fix: 'Run "parley release db".',
        },
      ];
    const open = await owner.query("select from parley.migrations where granted_at is null");
    if (open.rowCount)
      return [
        {
          check: "schema",
          state: "failure",
          says: "The rights of the last migration are not set: it was cut short.",
          fix: 'Run "parley release db".',
        },
      ];
    const { rows } = await owner.query<{ name: string | null }>("select server_name as name from log.installation");
    const kept = rows[0]?.name ?? null;
    if (kept !== null && kept !== config.serverName)
      return [
        {
          check: "schema",
          state: "failure",
          says: otherName(kept, config.serverName),
          fix: `Set PARLEY_SERVER_NAME=${kept}.`,
        },
      ];
    return [{ check: "schema", state: "ok", says: "The schema is the one of this version." }];
  },
};

/** Beyond this the time of a message is visibly wrong. */
const SKEW_MS = 2_000;

export const clocks: Check = {
  name: "clocks",
  async look(patient) {
    const { owner, seams } = patient;
    const begun_ms = seams.now_ms();
    const { rows } = await owner.query<{ now_ms: number }>(
      "select extract(epoch from clock_timestamp())::double precision * 1000 as now_ms",
    );
    // The answer is as old as half of the way there and back, at least.
    const ownAhead_ms = (begun_ms + seams.now_ms()) / 2 - (rows[0]?.now_ms ?? 0);
    const processes = await processesOf(patient);
    const all = [
      { who: "This machine", ahead_ms: ownAhead_ms },
      ...processes.map((each) => ({
        who: `Process ${each.number} on ${each.host}`,
        ahead_ms: each.clockAhead_ms ?? 0,
      })),
    ];
    const wrong = all.filter(({ ahead_ms }) => Math.abs(ahead_ms) > SKEW_MS);
    if (wrong.length === 0)
      return [{ check: "clocks", state: "ok", says: "All clocks agree with the database's within 2 s." }];
    return wrong.map(({ who, ahead_ms }) => ({
      check: "clocks",
      state: Math.abs(ahead_ms) > limits.clockSkew_ms ? "failure" : "warning",
      says: `${who} is ${(Math.abs(ahead_ms) / 1_000).toFixed(1)} s ${ahead_ms > 0 ? "ahead of" : "behind"} the database.`,
      fix: "Let a time service (chrony, systemd-timesyncd) run on that machine and on the database's.",
    }));
  },
};

/** For people with psql, backups, this command. */
const SPARE_CONNECTIONS = 5;

export const connections: Check = {
  name: "connections",
  async look(patient) {
    const { rows } = await patient.owner.query<{ most: number; used: number }>(
      `select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as most,
         (select count(*) from pg_stat_activity where backend_type = 'client backend') as used`,
    );
    const { most = 0, used = 0 } = rows[0] ?? {};
    const processes = await processesOf(patient);
    const wanted = processes.reduce((sum: number, each: ProcessRow) => sum + (each.connections ?? 0), 0);
    const fix = `Raise max_connections to ${wanted + SPARE_CONNECTIONS * 2} or more and restart PostgreSQL, or lower PARLEY_DATABASE_CONNECTIONS.`;
    const says = `${used} of ${most} connections are in use; ${counted(processes.length, "process", "processes")} may open ${wanted}.`;
    const finding = (state: Finding["state"]): Finding[] => [
      { check: "connections", state, says, ...(state === "ok" ? {} : { fix }) },
    ];
    if (used >= most * 0.9) return finding("failure");
    return finding(wanted + SPARE_CONNECTIONS > most ? "warning" : "ok");
  },
};
