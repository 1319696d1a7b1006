/**
 * Which processes run on the database. Each holds a connection with two advisory locks, which end with it: one for its row in
 * log.processes, which is alive as long as the lock is, and one for the rule that a process which nobody can hear is alone:
 * it takes that lock for itself, the others share it. Why locks and no heartbeat: docs/decisions/0020-hints-by-a-bus.md.
 */
import { type Connection, sqlState } from "../db/database.ts";
import { type Dedicated, openDedicated } from "../db/dedicated.ts";
import { asError, StartError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Logger } from "../logger.ts";
import type { Seams } from "../seams.ts";
import { fingerprints } from "../shared-settings.ts";
import { keepLinked, type Relinked, within } from "./relink.ts";

/** Any constants do, so long as every version of Parley uses the same. */
const COMPANY_LOCK = 7_201_184_407;
const PROCESS_LOCK_CLASS = 720_118;
const LOCK_NOT_AVAILABLE = "55P03";

export interface ProcessesOptions {
  url: string;
  version: string;
  roles: readonly string[];
  /** PARLEY_BUS. */
  bus: string;
  /** The setting that makes this process one that others do not hear, as it is written; undefined where there is none. */
  alone: string | undefined;
  /** What the row says of this process beside that. */
  about?: About;
  seams: Seams;
  logger: Logger;
}

/** For whoever looks for trouble: `parley doctor`. */
export interface About {
  host: string;
  /** The most database connections that the process opens. */
  connections: number;
  /** What all processes should have the same, by name, as it is now. The row gets an HMAC of each. */
  shared(): Readonly<Record<string, string>>;
  /** Up to where the process has the log; undefined before it has any. */
  position(): number | undefined;
}

const NOTHING_KNOWN: About = { host: "", connections: 0, shared: () => ({}), position: () => undefined };

export interface ProcessRow {
  number: number;
  startedAt: Date;
  seenAt: Date;
  version: string;
  roles: string;
  bus: string;
  host: string;
  /** Up to where it has the log, and how many entries it lacks. As of seenAt; null before it is known. */
  position: number | null;
  behind_entries: number | null;
  clockAhead_ms: number | null;
  connections: number | null;
  /** JSON: an HMAC by the name of each setting. */
  fingerprints: string;
}

export interface Processes {
  /** All that run now, this one included, the oldest first. */
  list(): Promise<ProcessRow[]>;
  /** Whether another one that has been running for a while has the same setting, of those that all should have the same. */
  isShared(setting: string): Promise<boolean>;
  leave(): Promise<void>;
}

/** Takes this process's place among the others. Throws StartError where it may not run beside one that does. */
export async function joinProcesses(options: ProcessesOptions): Promise<Processes> {
  const { seams, logger } = options;
  let hasJoined = false;
  const line: Relinked<Place> = await keepLinked({
    seams,
    connect: (lose) =>
      takePlace(options, lose).catch((thrown: unknown) => {
        // At the start it is refused. After the database was away it goes on, and the operator hears of it.
        if (hasJoined && sqlState(asError(thrown).cause) === LOCK_NOT_AVAILABLE)
          logger.warn({ reason: asError(thrown).message }, "this process has no place among the replicas");
        throw thrown;
      }),
    onLinked: () => (hasJoined = true),
    onLost: (reason) =>
      logger.warn({ reason: reason.message }, "the connection that shows the others this process is lost"),
  });
  const list = async () => (await line.current()?.list()) ?? [];
  return {
    list,
    async isShared(setting) {
      const rows = await list();
      const markOf = ({ fingerprints: marks }: ProcessRow) => (JSON.parse(marks) as Record<string, string>)[setting];
      const own = rows.find(({ number }) => number === line.current()?.number);
      // A position is in the row of whoever has got beyond its own start.
      return rows.some((each) => own && each !== own && each.position !== null && markOf(each) === markOf(own));
    },
    leave: line.close,
  };
}

interface Place {
  number: number;
  list(): Promise<ProcessRow[]>;
  close(): Promise<void>;
}

async function takePlace(options: ProcessesOptions, lose: (reason: Error) => void): Promise<Place> {
  const { url, seams, about = NOTHING_KNOWN } = options;
  const connection = await openDedicated({ url, name: "parley process", role: "log", onLost: lose });
  try {
    await takeCompanyLock(connection, options);
    const marks = await readMarks(connection, about);
    const number = await enlist(connection, options, marks());
    await warnOfOtherBus(connection, options);
    const beat = seams.every(limits.replicaBeat_ms, () => {
      const seen = connection.query(SEEN, [number, seams.now_ms(), about.position() ?? null, marks()]);
      within(seams, limits.replicaBeat_ms, seen).catch((thrown: unknown) => lose(asError(thrown)));
    });
    const close = async () => {
      beat.cancel();
      const gone = connection.query("delete from log.processes where number = $1", [number]);
      await within(seams, limits.busClose_ms, gone).catch(() => {});
      await connection.close();
    };
    return { number, list: () => listAlive(connection), close };
  } catch (thrown) {
    await connection.close();
    throw thrown;
  }
}

/** Waits a moment for the lock: the process before this one may be about to end. */
async function takeCompanyLock(connection: Dedicated, { alone, bus }: ProcessesOptions): Promise<void> {
  try {
    await connection.query(`set lock_timeout = ${limits.replicaWait_ms}`);
    await connection.query(`select pg_advisory_lock${alone ? "" : "_shared"}($1)`, [COMPANY_LOCK]);
  } catch (thrown) {
    if (sqlState(thrown) !== LOCK_NOT_AVAILABLE) throw thrown;
    const others = (await listAlive(connection)).map(describe).join("; ");
    throw new StartError(
      alone
        ? `Another replica runs on this database (${others}), and with ${alone} it would not hear this one: stop it, or set what is shared by all replicas, such as PARLEY_BUS=postgresql.`
        : `A replica that others can not hear runs on this database (${others}), and this one has PARLEY_BUS=${bus}: stop it, or set the same for it.`,
      { cause: thrown },
    );
  }
}

function describe({ startedAt, version, roles, bus }: ProcessRow): string {
  return `version ${version}, roles ${roles}, bus ${bus}, started ${startedAt.toISOString()}`;
}

const SEEN = `update log.processes set seen_at = now(), position = $3, behind_entries = (select position from log.head) - $3,
    clock_ahead_ms = $2::double precision - extract(epoch from clock_timestamp()) * 1000, fingerprints = $4
  where number = $1`;

/** Gives the marks of what is shared as JSON, each time as it is then: what is in files and with a provider changes. */
async function readMarks(connection: Dedicated, { shared }: About): Promise<() => string> {
  const [own] = await connection.query<{ salt: Buffer }>("select salt from log.installation");
  return () => JSON.stringify(own ? fingerprints(shared(), own.salt) : {});
}

/** The row and its lock are one transaction: nobody sees the row without the lock. Rows of the dead go. */
async function enlist(connection: Dedicated, options: ProcessesOptions, marks: string): Promise<number> {
  const { version, roles, bus, about = NOTHING_KNOWN, seams } = options;
  const rows = await connection.query<{ number: number }>(
    `with mine as (
       insert into log.processes (version, roles, bus, host, connections, fingerprints) values ($1, $2, $3, $4, $5, $6) returning number)
     select number, pg_advisory_lock(${PROCESS_LOCK_CLASS}, number) from mine`,
    [version, roles.join(","), bus, about.host, about.connections, marks],
  );
  const number = rows[0]?.number as number;
  await connection.query(SEEN, [number, seams.now_ms(), about.position() ?? null, marks]);
  await connection.query(`delete from log.processes p where not ${IS_ALIVE}`);
  return number;
}

/** Locks of other databases of the same server have other numbers in "database". */
const PROCESS_LOCKS = `pg_locks l join pg_database d on d.oid = l.database
  where d.datname = current_database() and l.locktype = 'advisory' and l.granted
    and l.classid = ${PROCESS_LOCK_CLASS} and l.objsubid = 2`;
const IS_ALIVE = `exists (select from ${PROCESS_LOCKS} and l.objid = p.number)`;

/** How many run now, also on a database that has no table of them yet. */
export async function countAlive(connection: Connection): Promise<number> {
  const { rows } = await connection.query<{ count: number }>(`select count(*)::int as count from ${PROCESS_LOCKS}`);
  return rows[0]?.count ?? 0;
}

/** All that run now, the oldest first. */
export function listAlive(connection: Pick<Dedicated, "query">): Promise<ProcessRow[]> {
  return connection.query<ProcessRow>(
    `select number, started_at as "startedAt", seen_at as "seenAt", version, roles, bus,
       host, position, behind_entries, clock_ahead_ms as "clockAhead_ms", connections, fingerprints
     from log.processes p where ${IS_ALIVE} order by number`,
  );
}

/** During a change from one bus to another that is so for a while; it makes messages late, and loses none. */
async function warnOfOtherBus(connection: Dedicated, { bus, logger }: ProcessesOptions): Promise<void> {
  const others = (await listAlive(connection)).filter((each) => each.bus !== bus);
  if (others.length > 0)
    logger.warn(
      { bus, others: others.map(describe) },
      "other replicas have another bus: they hear of changes a second late",
    );
}
