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
  /** Roles of the domains that are not there, and that the user may not make. */
  absent: string[];
  /** Those that are there, made by somebody else: the user may not act as them, or not let the serving user. */
  foreign: string[];
}

/**
 * The rights of the user whose connection it is, who lets $2 serve where that is not null. From PostgreSQL 16 on, who may create roles
 * has no say about those that others have made: such as another Parley's on the same server, whose domains have the same names.
 */
const RIGHTS = `select u.rolname as name, pg_has_role(u.oid, d.datdba, 'member') as "isOwner",
    has_database_privilege(u.oid, d.oid, 'create') as "mayCreate",
    array(select r from unnest($1::text[]) as r
          where not (u.rolcreaterole or u.rolsuper) and not exists (select from pg_roles where rolname = r)) as absent,
    array(select p.rolname::text from pg_roles p where p.rolname = any($1)
          and not pg_has_role(u.oid, p.oid, 'member with admin option')
          and not (u.rolcreaterole and current_setting('server_version_num')::int < 160000)
          and (not pg_has_role(u.oid, p.oid, 'member')
               or exists (select from pg_roles s where s.rolname = $2 and not pg_has_role(s.oid, p.oid, 'member')))
          order by p.rolname) as foreign
  from pg_roles u, pg_database d where d.datname = current_database() and u.rolname = current_user`;

export const rights: Check = {
  name: "rights",
  async look({ owner, config }) {
    const check = "rights";
    const roles = schemas.map(roleOf);
    const serving = config.databaseOwnerUrl && config.databaseUrl ? userIn(config.databaseUrl) : undefined;
    const { rows } = await owner.query<Rights>(RIGHTS, [roles, serving ?? null]);
    const own = rows[0] as Rights;
    const missing = [...own.absent, ...own.foreign];
    const found = await owner.query("select from pg_roles where rolname = $1", [serving ?? null]);
    const grants = missing.map(
      (role) =>
        `${own.absent.includes(role) ? `create role ${role} nologin; ` : ""}grant ${role} to ${own.name} with admin option;`,
    );
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
        missing.length === 0
          ? undefined
          : failure(
              check,
              `The user "${own.name}" may not make these database roles, or not say who acts as them: ${missing.join(", ")}.`,
              `As an administrator: ${grants.join(" ")}`,
            ),
        serving !== undefined && found.rowCount === 0
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
