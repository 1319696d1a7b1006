/** What PostgreSQL must be and allow before Parley's schema can be in it. */
import { userIn } from "../../db/hosts.ts";
import { roleOf, schemas } from "../../db/roles.ts";
import { type Check, type Finding, orWell, settingsOf } from "../doctor/finding.ts";

/** PostgreSQL 15: security of functions and grants are as Parley's migrations expect. */
const LEAST_VERSION = 150_000;
/** What one process with everything in it opens by default: a pool for each schema, its place among the others, and what listens. */
const PROCESS_CONNECTIONS = schemas.length * 4 + 2;
/** Such a process, and people beside it. */
const LEAST_CONNECTIONS = PROCESS_CONNECTIONS + 10;

const failure = (check: string, says: string, fix: string): Finding => ({ check, state: "failure", says, fix });

export const foundation: Check = {
  name: "postgresql",
  async look({ owner }) {
    const names = [
      "server_version_num",
      "server_version",
      "server_encoding",
      "fsync",
      "full_page_writes",
      "max_connections",
    ];
    return judgeFoundation(await settingsOf(owner, names));
  },
};

export function judgeFoundation(settings: Readonly<Record<string, string>>): Finding[] {
  const check = "postgresql";
  const { server_version: version = "", server_encoding: encoding = "" } = settings;
  return orWell(
    check,
    [
      Number(settings["server_version_num"]) < LEAST_VERSION
        ? failure(check, `PostgreSQL is of version ${version}.`, "Use version 15 or newer.")
        : undefined,
      encoding === "UTF8"
        ? undefined
        : failure(
            check,
            `The database has the encoding ${encoding}: most languages can not be stored in it.`,
            "Create it with encoding UTF8: create database parley encoding 'UTF8' template template0.",
          ),
      ...["fsync", "full_page_writes"].map((name) =>
        settings[name] === "on"
          ? undefined
          : failure(
              check,
              `PostgreSQL has ${name} = ${settings[name]}.`,
              `Set ${name} = on; Parley does not start without it.`,
            ),
      ),
      Number(settings["max_connections"]) < LEAST_CONNECTIONS
        ? {
            check,
            state: "warning" as const,
            says: `PostgreSQL takes ${settings["max_connections"]} connections; a process opens up to ${PROCESS_CONNECTIONS} by default.`,
            fix: `Set max_connections = 100 or more, or lower PARLEY_DATABASE_CONNECTIONS.`,
          }
        : undefined,
    ],
    `PostgreSQL ${version} is as it should be.`,
  );
}

interface Rights {
  name: string;
  isOwner: boolean;
  mayCreate: boolean;
  mayMakeRoles: boolean;
  missing: string[];
}

const RIGHTS = `select u.rolname as name, pg_has_role(u.oid, d.datdba, 'member') as "isOwner",
    has_database_privilege(u.oid, d.oid, 'create') as "mayCreate", u.rolcreaterole or u.rolsuper as "mayMakeRoles",
    array(select r from unnest($2::text[]) as r
          where not exists (select from pg_roles p where p.rolname = r and pg_has_role(u.oid, p.oid, 'member'))) as missing
  from pg_roles u, pg_database d where d.datname = current_database() and u.rolname = coalesce($1, current_user)`;

export const rights: Check = {
  name: "rights",
  async look({ owner, config }) {
    const check = "rights";
    const roles = schemas.map(roleOf);
    const { rows } = await owner.query<Rights>(RIGHTS, [null, roles]);
    const own = rows[0] as Rights;
    const serving = config.databaseOwnerUrl && config.databaseUrl ? userIn(config.databaseUrl) : undefined;
    const found = serving === undefined ? [] : (await owner.query<Rights>(RIGHTS, [serving, roles])).rows;
    return orWell(
      check,
      [
        own.mayCreate
          ? undefined
          : failure(
              check,
              `The user "${own.name}", who migrates, may not create schemas in this database.`,
              `As an administrator: alter database … owner to ${own.name};`,
            ),
        own.mayMakeRoles || own.missing.length === 0
          ? undefined
          : failure(
              check,
              `The user "${own.name}" may not make database roles, and is no member of ${own.missing.join(", ")}.`,
              `As an administrator: ${own.missing.map((role) => `create role ${role} nologin; grant ${role} to ${own.name} with admin option;`).join(" ")}`,
            ),
        serving !== undefined && found.length === 0
          ? failure(
              check,
              `There is no database user "${serving}", whom DATABASE_URL names.`,
              `As an administrator: create role ${serving} login password '…';`,
            )
          : undefined,
      ],
      `"${own.name}" may migrate${serving === undefined ? "" : `, and "${serving}" will serve`}.`,
    );
  },
};

/** A migration that waits for one of these lets others pass, and tries again for half a minute. */
const LONG_S = 20;

export const transactions: Check = {
  name: "transactions",
  async look({ owner }) {
    const { rows } = await owner.query<{ pid: number; name: string; age_s: number }>(
      `select pid, coalesce(nullif(application_name, ''), 'unnamed') as name, extract(epoch from now() - xact_start)::int as age_s
       from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and xact_start < now() - make_interval(secs => $1) order by xact_start`,
      [LONG_S],
    );
    return orWell(
      "transactions",
      rows.map(({ pid, name, age_s }) => ({
        check: "transactions",
        state: "warning" as const,
        says: `A transaction of ${name} (process ${pid} of PostgreSQL) has been open for ${age_s} s: a migration may wait for it in vain.`,
        fix: `Let it end, or end it: select pg_terminate_backend(${pid});`,
      })),
      "No transaction has been open for long.",
    );
  },
};
