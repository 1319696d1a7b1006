/**
 * Which version of the code may run on which version of the schema. The version of a domain's schema is the number of its last
 * migration. Each migration says since which version the code may run on what it leaves behind, in its first line:
 *
 *     -- compatible since: 0003
 *
 * A migration that only adds (expands) says the number before it, or an earlier one: the replicas of the release before go on
 * serving beside the new ones, and may even start. In a schema that the release before has not at all that is 0000. Without the line no code runs on the schema that does not know the migration.
 * How a release is made of them: docs/operations/upgrading.md.
 */
import { StartError } from "../errors.ts";
import type { Schema } from "./roles.ts";

export interface Migration {
  schema: Schema;
  number: number;
  name: string;
  sql: string;
  /** The least number that code must know to run on the schema once this is applied. */
  compatibleSince: number;
}

/** What the database has of a migration. */
export interface Applied {
  schema: string;
  number: number;
  name: string;
  /** Null where an earlier Parley, which did not know of it, wrote the row. */
  compatibleSince: number | null;
}

const LINE = /^-- compatible since: (\d{4})$/;

/** A migration from its file. Throws where it says that it is compatible with what comes after it. */
export function readMigration(schema: Schema, fileName: string, sql: string): Migration {
  const number = Number.parseInt(fileName, 10);
  const said = LINE.exec(sql.split("\n", 1)[0] ?? "")?.[1];
  const compatibleSince = said === undefined ? number : Number(said);
  if (compatibleSince > number) throw new Error(`${schema}/${fileName} says that it is compatible since ${said}`);
  return { schema, number, name: fileName.replace(/\.sql$/, ""), sql, compatibleSince };
}

/**
 * The migrations that this code has and the database has not. Throws StartError where the database has one that this code
 * neither knows nor may run on.
 */
export function pending(known: readonly Migration[], applied: readonly Applied[]): Migration[] {
  for (const each of applied) if (!mayRunOn(each, known)) throw new StartError(refusal(each));
  const has = new Set(applied.map(({ schema, number }) => `${schema}/${number}`));
  return known.filter(({ schema, number }) => !has.has(`${schema}/${number}`));
}

function mayRunOn({ schema, number, compatibleSince }: Applied, known: readonly Migration[]): boolean {
  const own = known.filter((each) => each.schema === schema).map((each) => each.number);
  if (own.includes(number)) return true;
  const version = Math.max(0, ...own);
  return number > version && (compatibleSince ?? number) <= version;
}

function refusal({ schema, name }: Applied): string {
  return `The database is of a newer Parley: it has the migration ${schema}/${name}, which this version does not know and can not run beside. Start the newer version, or restore a backup made before it.`;
}
