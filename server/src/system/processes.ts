/** Who runs: each process with its roles, its version, and how far it is behind the log. */
import { listAlive, type ProcessRow } from "../bus/processes.ts";
import type { Context } from "../context.ts";

export function listProcesses({ db }: Context): Promise<ProcessRow[]> {
  return listAlive({ query: (sql, params = []) => db.log.query(sql, params) });
}
