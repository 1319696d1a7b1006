/** Where saved connections are kept: CREDENTIAL_STORAGE_TYPE. */
import type { Config } from "../../config.ts";
import type { Database } from "../../db/database.ts";
import type { Seams } from "../../seams.ts";
import { credentialsPath } from "../config.ts";
import { inJsonFile } from "./json-file.ts";
import { inPostgresql } from "./postgresql.ts";
import type { CredentialStore } from "./store.ts";

export interface Place {
  config: Pick<Config, "explorer">;
  db: Pick<Database, "console">;
  dataDir: string;
  seams: Seams;
}

export function openCredentials({ config, db, dataDir, seams }: Place): CredentialStore {
  const { credentials } = config.explorer;
  if (credentials.type === "postgresql") return inPostgresql(db.console);
  return inJsonFile(credentialsPath(credentials.path, dataDir), seams);
}
