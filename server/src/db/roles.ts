/**
 * One schema and one database role for each domain that keeps something. A role may do to its own tables what its code does,
 * and may call of another's schema only what stands here.
 */
import { roleNames, type RoleName } from "../roles.ts";

export const schemas = [
  "log",
  "auth",
  "account",
  "keys",
  "rooms",
  "sync",
  "media",
  "queue",
  "ephemeral",
  "console",
  "graph",
  "billing",
  "push",
  "search",
  "appservice",
] as const;
export type Schema = (typeof schemas)[number];

/** The database role under which a domain's connections act. Roles belong to the whole database cluster, hence the prefix. */
export function roleOf(schema: Schema): string {
  return `parley_${schema}`;
}

/** Functions of the log that other domains call inside their own changes: change and entry stand or fall together. */
export const mayAppendOne: readonly Schema[] = ["auth", "keys", "account"];

/** Who takes events out of the log in the same step in which it notes that it did: retention, and the purge of a room. */
export const mayRemoveEvents: readonly Schema[] = ["console"];

/** Tables of a schema to which its role may add, and in which it may change and delete nothing. */
export const appendOnly: Partial<Record<Schema, readonly string[]>> = { console: ["console.audit"] };

/** Schemas that only some processes connect to. Of the others every process has a pool: sessions, rooms and limits are everybody's. */
const onlyFor: Partial<Record<Schema, readonly RoleName[]>> = {
  sync: ["gateway"],
  // Also where directories provision people: what they do is in the audit log, and operators are not theirs to change.
  console: ["auth", "web", "worker"],
  graph: ["web", "worker"],
  billing: ["web", "worker"],
  push: ["auth", "messages", "worker"],
  search: ["messages", "worker", "web"],
  appservice: ["messages", "worker", "web"],
};

/** The schemas that a process with these roles can have connections to: as many pools, each of PARLEY_DATABASE_CONNECTIONS at the most. */
export function schemasOf(roles: readonly RoleName[]): readonly Schema[] {
  return schemas.filter((schema) => (onlyFor[schema] ?? roleNames).some((role) => roles.includes(role)));
}
