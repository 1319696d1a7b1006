/** Writes down in the database that a backup was taken or a restore was tried, for operators: console.runs. */
import type { Connection } from "../db/database.ts";
import { asError } from "../errors.ts";

export interface Recorded {
  kind: "backup" | "restore_verify" | "restore_drill";
  /** On the wall clock, in milliseconds since 1970. */
  started_ms: number;
  ok: boolean;
  /** What was made or found; no content. */
  detail: object;
}

/** Of each kind so many are kept. */
const KEPT = 100;

/** Does nothing on a database that has no such table yet. What it can not write it says: the work itself is done. */
export async function record(client: Connection, run: Recorded, say: (text: string) => void): Promise<void> {
  const { kind, started_ms, ok, detail } = run;
  try {
    const { rows } = await client.query<{ there: boolean }>("select to_regclass('console.runs') is not null as there");
    if (!rows[0]?.there) return;
    await client.query(
      `with old as (
         delete from console.runs where kind = $1 and id not in (select id from console.runs where kind = $1 order by id desc limit $5)
       )
       insert into console.runs (kind, started_at, ended_at, ok, detail)
       values ($1, to_timestamp($2::float8 / 1000), now(), $3, $4)`,
      [kind, started_ms, ok, JSON.stringify(detail), KEPT],
    );
  } catch (thrown) {
    say(`It could not be noted for the console that this was done: ${asError(thrown).message}`);
  }
}
