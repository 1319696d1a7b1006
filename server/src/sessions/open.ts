/** The store of SESSION_STORAGE_TYPE. */
import type { Db } from "../db/database.ts";
import type { Seams } from "../seams.ts";
import { openMemorySessions } from "./memory.ts";
import { openPostgresqlSessions } from "./postgresql.ts";
import type { SessionStore } from "./sessions.ts";

export interface OpenSessions {
  storage: SessionStore["name"];
  db: Db;
  seams: Seams;
}

export function openSessionStore({ storage, db, seams }: OpenSessions): SessionStore {
  return storage === "memory" ? openMemorySessions(seams) : openPostgresqlSessions(db);
}
