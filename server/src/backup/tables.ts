/** Which tables belong to a backup, and in which order they can be filled. */
import type { Connection } from "../db/database.ts";
import { schemas } from "../db/roles.ts";

export interface Table {
  /** Quoted where need be: log.entries. */
  name: string;
  columns: string[];
  /** Tables that its rows point to. */
  needs: string[];
}

/** What runs is not part of the past. */
const LEFT_OUT = ["log.processes"];

/**
 * The tables of all domains, those first that others point to. Unlogged ones are left out: they hold what is true for a moment, and
 * a crash empties them too.
 */
export async function readTables(client: Connection): Promise<Table[]> {
  const { rows } = await client.query<Table>(
    `select format('%I.%I', n.nspname, c.relname) as name,
       array(select format('%I', a.attname) from pg_attribute a
             where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum) as columns,
       array(select distinct format('%I.%I', fn.nspname, f.relname)
             from pg_constraint k join pg_class f on f.oid = k.confrelid join pg_namespace fn on fn.oid = f.relnamespace
             where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid) as needs
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = any($1) and c.relkind = 'r' and c.relpersistence = 'p' order by name`,
    [schemas],
  );
  return ordered(rows.filter(({ name }) => !LEFT_OUT.includes(name)));
}

/** Each behind those that it needs. Throws where they need each other in a circle. */
export function ordered(tables: readonly Table[]): Table[] {
  const done: Table[] = [];
  let left = [...tables];
  while (left.length > 0) {
    const isFree = ({ needs }: Table) => needs.every((name) => !left.some((other) => other.name === name));
    const free = left.filter(isFree);
    if (free.length === 0) throw new Error(`tables point to each other: ${left.map(({ name }) => name).join(", ")}`);
    done.push(...free);
    left = left.filter((table) => !free.includes(table));
  }
  return done;
}

/** Numbers that the database gives out go on behind those that are there. */
export async function advanceSequences(client: Connection): Promise<void> {
  const { rows } = await client.query<{ sql: string }>(
    `select format('select setval(%L, coalesce(max(%I), 1), max(%I) is not null) from %I.%I',
       pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname), a.attname, a.attname, n.nspname, c.relname) as sql
     from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = any($1) and c.relkind = 'r' and c.relpersistence = 'p' and a.attnum > 0 and not a.attisdropped
       and pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname) is not null`,
    [schemas],
  );
  for (const { sql } of rows) await client.query(sql);
}
