/**
 * One schema and one database role for each domain that keeps something. A role may do to its own tables what its code does,
 * and may call of another's schema only what stands here.
 */
export const schemas = ["log", "auth", "account", "keys", "rooms", "media", "queue", "ephemeral", "console", "graph", "billing"] as const;
export type Schema = (typeof schemas)[number];

/** The database role under which a domain's connections act. Roles belong to the whole database cluster, hence the prefix. */
export function roleOf(schema: Schema): string {
  return `parley_${schema}`;
}

/** Functions of the log that other domains call inside their own changes: change and entry stand or fall together. */
export const mayAppendOne: readonly Schema[] = ["auth", "keys", "account"];
