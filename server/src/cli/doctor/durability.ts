/** G1: whether what is acknowledged is on disk, and on the standby. */
import { type Check, type Finding, orWell, type Patient, settingsOf } from "./finding.ts";

const RISKS: Readonly<Record<string, string>> = {
  fsync: "a crash of the machine can destroy the whole database",
  full_page_writes: "a crash of the machine can destroy pages of the database",
};

export const durability: Check = {
  name: "durability",
  async look({ owner, db }) {
    const settings = await settingsOf(owner, ["fsync", "full_page_writes", "synchronous_commit"]);
    const risky = Object.entries(RISKS).map(([name, risk]): Finding | undefined =>
      settings[name] === "on"
        ? undefined
        : {
            check: "durability",
            state: "failure",
            says: `PostgreSQL has ${name} = ${settings[name]}: ${risk}.`,
            fix: `Set ${name} = on in postgresql.conf and reload; Parley does not start without it.`,
          },
    );
    const effective = await db.log.one<{ value: string }>("select current_setting('synchronous_commit') as value");
    return orWell(
      "durability",
      [...risky, commits(effective?.value ?? "", settings["synchronous_commit"] ?? "")],
      "Commits wait for the disk.",
    );
  },
};

/** Parley sets it on each of its connections; what stands between may take that away. */
function commits(ours: string, byDefault: string): Finding | undefined {
  if (ours !== "on")
    return {
      check: "durability",
      state: "failure",
      says: `Parley's connections have synchronous_commit = ${ours}: a crash loses messages that people were told are sent.`,
      fix: "Connect without a pooler that drops the options of a connection, or set synchronous_commit = on.",
    };
  if (byDefault === "on") return undefined;
  return {
    check: "durability",
    state: "warning",
    says: `PostgreSQL has synchronous_commit = ${byDefault}. Parley's connections set it on for themselves; others do not.`,
    fix: "alter system set synchronous_commit = on; select pg_reload_conf();",
  };
}

export const standby: Check = {
  name: "standby",
  async look(patient) {
    const names = (await settingsOf(patient.owner, ["synchronous_standby_names"]))["synchronous_standby_names"] ?? "";
    const replicas = await replicasOf(patient);
    if (replicas.length === 0) return [{ check: "standby", state: "ok", says: "No standby is connected." }];
    const list = replicas.map(({ name, state }) => `${name} (${state ?? "state not shown to this user"})`).join(", ");
    if (names === "")
      return [
        {
          check: "standby",
          state: "failure",
          says: `No standby is synchronous: ${list}. A fail-over to one loses messages that people were told are sent.`,
          fix: "alter system set synchronous_standby_names = 'ANY 1 (*)'; select pg_reload_conf(); with CloudNativePG: synchronous with dataDurability: required. For replicas that are only read from: --accept standby.",
        },
      ];
    const isSafe = replicas.some(({ state }) => state === null || state === "sync" || state === "quorum");
    return [
      isSafe
        ? { check: "standby", state: "ok", says: `Commits wait for a standby: ${list}.` }
        : {
            check: "standby",
            state: "failure",
            says: `synchronous_standby_names = ${names} names no standby that is connected (${list}): commits wait for ever.`,
            fix: "Start the standby that is named, or set synchronous_standby_names to those that there are.",
          },
    ];
  },
};

/** Who is not of the monitoring roles sees that a standby is there, and not its state. */
async function replicasOf({ owner }: Patient): Promise<{ name: string; state: string | null }[]> {
  const { rows } = await owner.query<{ name: string; state: string | null }>(
    `select coalesce(nullif(application_name, ''), pid::text) as name, sync_state as state from pg_stat_replication
     where application_name is null or application_name not in ('pg_basebackup', 'pg_receivewal') order by pid`,
  );
  return rows;
}
