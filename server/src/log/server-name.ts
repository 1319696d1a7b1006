/** The server name is for good: it is part of every id. The database keeps it from the first start on. */
import type { Db } from "../db/database.ts";
import { StartError } from "../errors.ts";

/** Throws StartError where the database belongs to another name. */
export async function claimServerName(db: Pick<Db, "one">, serverName: string): Promise<void> {
  const row = await db.one<{ server_name: string }>(
    `update log.installation set server_name = coalesce(server_name, $1) returning server_name`,
    [serverName],
  );
  if (row && row.server_name !== serverName) throw new StartError(otherName(row.server_name, serverName));
}

export function otherName(kept: string, set: string): string {
  return `The database belongs to the server "${kept}", and PARLEY_SERVER_NAME is "${set}": the name is part of every user id and can not change. Set PARLEY_SERVER_NAME=${kept}, or use another database.`;
}
