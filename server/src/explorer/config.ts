/** The explorer, as the settings say it. */
import { join } from "node:path";
import { type Allowed, readAllowed } from "../outward/guard.ts";
import { type Address, isInFile, isReference } from "../secrets/address.ts";
import { parseMasterKeys } from "../secrets/master-keys.ts";
import { type Env, oneOf, refuse, secret, text } from "../settings/read.ts";

export interface ExplorerConfig {
  /** What saved connections may reach. */
  hosts: Allowed;
  credentials:
    | { type: "postgresql" }
    | {
        type: "json_file";
        /** Undefined: in the data directory. */
        path: string | undefined;
        isShared: boolean;
      };
  /** MASTER_ENCRYPTION_KEY. */
  masterKey: Address | undefined;
}

/** Throws StartError on the first setting that is wrong. */
export function readExplorer(env: Env): ExplorerConfig {
  return { hosts: readHosts(env), credentials: readCredentials(env), masterKey: readMasterKey(env) };
}

function readHosts(env: Env): Allowed {
  const name = "PARLEY_EXPLORER_HOSTS";
  const value = text(env, name);
  try {
    return readAllowed(value);
  } catch {
    const fix = "hosts, addresses and networks with commas between: db.example.org, *.example.org, 10.1.0.0/16";
    return refuse(name, value, `set it to ${fix}; a port may follow, as in db.example.org:5433.`);
  }
}

function readCredentials(env: Env): ExplorerConfig["credentials"] {
  const type = oneOf(env, "CREDENTIAL_STORAGE_TYPE", ["postgresql", "json_file"]);
  const path = env["CREDENTIAL_STORAGE_PATH"] || undefined;
  const isShared = oneOf(env, "CREDENTIAL_STORAGE_SHARED", ["true", "false"]) === "true";
  if (type === "postgresql") return { type };
  if (isShared && path === undefined)
    refuse("CREDENTIAL_STORAGE_SHARED", "true", "set CREDENTIAL_STORAGE_PATH too, to the file that all replicas have.");
  return { type, path, isShared };
}

/** A value is looked at now, so that a start fails and not the first one who saves something. */
function readMasterKey(env: Env): Address | undefined {
  const name = "MASTER_ENCRYPTION_KEY";
  const value = secret(env, name);
  if (value === undefined || isInFile(value) || isReference(value)) return value;
  try {
    parseMasterKeys(value, name);
  } catch {
    refuse(name, value, "set it to one key in each line, 32 random bytes in base64: openssl rand -base64 32.");
  }
  return value;
}

/** The file of saved connections, where they are in one. */
export function credentialsPath(path: string | undefined, dataDir: string): string {
  return path ?? join(dataDir, "credentials.json");
}
