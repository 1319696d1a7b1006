/**
 * What operators set while Parley runs: who may register, how long sessions live, whether writes are refused. The rows are in
 * log.settings; every process reads them every `limits.controlsPoll_ms`, so that a change takes effect everywhere within 5 s
 * without a restart. What the settings of the process say counts where no row does; where an environment variable is set, it is also the limit: a
 * row may be stricter, and never laxer. While the database is away, what was read last stays.
 */
import { z } from "zod";
import type { Config } from "../config.ts";
import type { Db } from "../db/database.ts";
import { limits } from "../limits.ts";
import type { Logger } from "../logger.ts";
import { startRounds } from "../rounds.ts";
import type { Seams } from "../seams.ts";

/** From the strictest to the laxest. */
export const registrations = ["off", "token", "open"] as const;
export type Registration = (typeof registrations)[number];

const DAYS = { least: 1, most: 3_650 } as const;
const days = z.int().min(DAYS.least).max(DAYS.most).nullable();

/** What a row may hold, by its name. */
export const controlSchemas = {
  registration: z.enum(registrations),
  password_least_characters: z.int().min(limits.passwordLeast_characters).max(limits.passwordLeastMost_characters),
  access_token_lifetime_s: z.int().min(limits.accessTokenLeast_s).max(limits.accessTokenMost_s),
  /** A session that was not seen for so long ends; null: it does not. Tokens of bots are not meant. */
  session_idle_days: days,
  /** A session that began so long ago ends; null: it does not. */
  session_days: days,
  maintenance: z.object({ message: z.string(), since_ms: z.number(), retry_after_s: z.int().min(1) }).nullable(),
};

export type ControlName = keyof typeof controlSchemas;
/** What operators have set. */
export type Stored = { [Name in ControlName]?: z.output<(typeof controlSchemas)[Name]> };
/** What counts. */
export type Effective = Required<Stored>;

export interface Controls {
  /** What counts now, in this process. */
  now(): Effective;
  /** What operators have set, as it was read last. */
  stored(): Stored;
  /** Reads the rows now: for whoever has just changed them. */
  reload(): Promise<void>;
  /** Calls `listener` after each reading; gives what ends that. */
  listen(listener: () => void): () => void;
  close(): void;
}

type Ground = Pick<Config, "registration" | "passwordCost" | "accessTokenLifetime_ms" | "sources">;

/** Opens them with what the rows say now. */
export async function openControls({ db, config, seams, logger }: ControlsOptions): Promise<Controls> {
  let stored = await readStored(db, logger);
  let effective = effectiveOf(stored, config);
  const listeners = new Set<() => void>();

  async function reload(): Promise<void> {
    stored = await readStored(db, logger);
    effective = effectiveOf(stored, config);
    for (const listener of listeners) listener();
  }

  function listen(listener: () => void): () => void {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  const failed = "what operators have set could not be read";
  const end = startRounds({ seams, logger }, { wait_ms: () => limits.controlsPoll_ms, act: reload, failed });
  return { now: () => effective, stored: () => stored, reload, listen, close: () => void end() };
}

export interface ControlsOptions {
  db: Db;
  config: Ground;
  seams: Seams;
  logger: Logger;
}

/** A row that this version does not know, or does not understand, is passed over: another version may have written it. */
async function readStored(db: Db, logger: Logger): Promise<Stored> {
  const rows = await db.query<{ name: string; value: unknown }>("select name, value from log.settings");
  const found: Record<string, unknown> = {};
  for (const { name, value } of rows) {
    if (!isControl(name)) continue;
    const read = controlSchemas[name].safeParse(value);
    if (read.success) found[name] = read.data;
    else logger.warn({ name }, "a value in log.settings is not understood");
  }
  return found;
}

function isControl(name: string): name is ControlName {
  return Object.hasOwn(controlSchemas, name);
}

/** What the settings of the process allow at the most; undefined where they set no limit. */
export function limitsOf({ sources, registration, accessTokenLifetime_ms }: Ground): {
  registration: Registration | undefined;
  access_token_lifetime_s: number | undefined;
} {
  const isSet = (name: string) => sources.some((each) => each.name === name && each.from !== "default");
  return {
    registration: isSet("PARLEY_REGISTRATION") ? registration : undefined,
    access_token_lifetime_s: isSet("PARLEY_ACCESS_TOKEN_LIFETIME_S") ? accessTokenLifetime_ms / 1_000 : undefined,
  };
}

/** Pure: what counts, of what operators have set and what the process was started with. */
export function effectiveOf(stored: Stored, config: Ground): Effective {
  const most = limitsOf(config);
  const wanted = stored.registration ?? config.registration;
  // Test suites for Matrix servers use passwords such as "test".
  const least = config.passwordCost === "low" ? 1 : limits.passwordLeast_characters;
  return {
    registration: most.registration === undefined ? wanted : stricter(wanted, most.registration),
    password_least_characters: stored.password_least_characters ?? least,
    access_token_lifetime_s: Math.min(
      stored.access_token_lifetime_s ?? config.accessTokenLifetime_ms / 1_000,
      most.access_token_lifetime_s ?? Number.POSITIVE_INFINITY,
    ),
    session_idle_days: stored.session_idle_days ?? null,
    session_days: stored.session_days ?? null,
    maintenance: stored.maintenance ?? null,
  };
}

export function stricter(one: Registration, other: Registration): Registration {
  return registrations.indexOf(one) < registrations.indexOf(other) ? one : other;
}

/** Sets these, or takes back those that are undefined here, in one transaction; this process knows at once, the others within 5 s. */
export async function changeControls(
  { db, controls }: { db: { log: Db }; controls: Controls },
  changes: { [Name in ControlName]?: Stored[Name] | undefined },
  by: string,
): Promise<void> {
  const names = Object.keys(changes) as ControlName[];
  const gone = names.filter((name) => changes[name] === undefined);
  const set = names.filter((name) => changes[name] !== undefined);
  await db.log.change(
    `with gone as (delete from log.settings where name = any ($1))
     insert into log.settings as s (name, value, changed_by)
     select name, value::jsonb, $4 from unnest($2::text[], $3::text[]) as n(name, value)
     on conflict (name) do update set value = excluded.value, changed_at = now(), changed_by = excluded.changed_by`,
    [gone, set, set.map((name) => JSON.stringify(changes[name])), by],
  );
  await controls.reload();
}

export interface ControlRow {
  name: string;
  changed_ms: number;
  changed_by: string;
}

/** Who set what, and when. */
export function whoSet(db: { log: Db }): Promise<ControlRow[]> {
  return db.log.query<ControlRow>(
    `select name, floor(extract(epoch from changed_at) * 1000)::bigint as changed_ms, changed_by
     from log.settings order by name`,
  );
}
