/**
 * Whether the database still fits this code, while it serves. A start waits for the right schema; after it the database may be migrated past
 * what this version may run on, or a backup be restored that is older than what it needs.
 */
import { asError, StartError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Seams } from "../seams.ts";
import { type Applied, type Migration, pending } from "./compatibility.ts";
import type { Reader } from "./database.ts";
import { readKnown } from "./schema.ts";

export interface SchemaFit {
  /**
   * Why this version may not serve on the schema, as of the last look; undefined where it may. It never waits: where the last look
   * is `limits.schemaFit_ms` old it begins another. A look that fails says nothing of the schema, and changes nothing.
   */
  misfit(): string | undefined;
  /** Resolves when no look is under way. */
  settled(): Promise<void>;
}

export interface OpenSchemaFit {
  /** The log's: it may ask which migrations there are, and not read their table. See migrate.ts. */
  db: Reader;
  seams: Seams;
  /** Where not those of this version. */
  known?: () => Promise<Migration[]>;
}

export function openSchemaFit({ db, seams, known = () => readKnown() }: OpenSchemaFit): SchemaFit {
  let found: string | undefined;
  let last_ms = -Infinity;
  let looking: Promise<void> | undefined;
  let own: readonly Migration[] | undefined;
  const look = async () => {
    try {
      // Their texts are of no use here.
      own ??= (await known()).map((each) => ({ ...each, sql: "" }));
      found = misfitOf(own, await db.query<Applied>("select * from parley.applied()"));
    } catch {
      // The database is away, which readiness sees by itself; or another version has set its rights.
    } finally {
      looking = undefined;
    }
  };
  return {
    misfit() {
      if (!looking && seams.monotonic_ms() - last_ms >= limits.schemaFit_ms) {
        last_ms = seams.monotonic_ms();
        looking = look();
      }
      return found;
    },
    settled: async () => looking,
  };
}

function misfitOf(known: readonly Migration[], applied: readonly Applied[]): string | undefined {
  try {
    const missing = pending(known, applied).map(({ schema, name }) => `${schema}/${name}`);
    if (missing.length === 0) return undefined;
    return `The database is of an older Parley: it lacks the migration ${missing[0]}${missing.length > 1 ? ` and ${missing.length - 1} more` : ""}. Run "parley release db".`;
  } catch (thrown) {
    if (thrown instanceof StartError) return asError(thrown).message;
    throw thrown;
  }
}
