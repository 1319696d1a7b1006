/** What the doctor found: one sentence of what is so, and one of what to do. */
import type { Config } from "../../config.ts";
import type { Connection, Database } from "../../db/database.ts";
import { asError } from "../../errors.ts";
import type { Seams } from "../../seams.ts";

export interface Finding {
  /** What was looked at, as it is named for --accept. */
  check: string;
  /** A failure loses data or service, now or soon; a warning is worth knowing. */
  state: "ok" | "warning" | "failure";
  says: string;
  fix?: string;
}

/** What can be looked at. */
export interface Patient {
  config: Config;
  /** As the processes have it. */
  databaseUrl: string;
  /** As the owner, where there is another one. */
  owner: Connection;
  db: Database;
  seams: Seams;
  dataDir: string;
  /** Looks that take a minute are wanted. */
  isSlow: boolean;
  /** An access token for these. */
  token: string | undefined;
}

export interface Check {
  name: string;
  look(patient: Patient): Promise<Finding[]>;
}

/** What the check finds; that it could not look is a failure itself. */
export async function lookAt({ name, look }: Check, patient: Patient): Promise<Finding[]> {
  try {
    return await look(patient);
  } catch (thrown) {
    return [{ check: name, state: "failure", says: `It can not be looked at: ${asError(thrown).message}` }];
  }
}

/** The findings that there are, or one that all is well. */
export function orWell(check: string, findings: readonly (Finding | undefined)[], says: string): Finding[] {
  const found = findings.filter((each) => each !== undefined);
  return found.length > 0 ? found : [{ check, state: "ok", says }];
}

export async function settingsOf(client: Connection, names: readonly string[]): Promise<Record<string, string>> {
  const { rows } = await client.query<{ name: string; value: string }>(
    "select name, current_setting(name) as value from unnest($1::text[]) as name",
    [names],
  );
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
}

/** "1 process", "2 processes". */
export function counted(count: number, one: string, more: string): string {
  return `${count} ${count === 1 ? one : more}`;
}
