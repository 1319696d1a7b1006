/**
 * The master keys of saved connections: those of MASTER_ENCRYPTION_KEY; else those that wrap the other keys of this installation
 * (AUTH_KEY_STORAGE_BACKEND); else, with the embedded database, one that is made once and kept beside it in the data directory, so
 * that a copy of the database alone opens nothing.
 */
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config.ts";
import { matrixError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { randomToken, type Seams } from "../seams.ts";
import { valueOf } from "../secrets/address.ts";
import { type MasterKeys, masterKeysOf, openMasterKeys, parseMasterKeys } from "../secrets/master-keys.ts";

/** In the data directory. */
export const EMBEDDED_KEYS = "explorer-master-keys";

export interface ExplorerKeysOptions {
  config: Pick<Config, "secrets" | "explorer" | "databaseUrl">;
  dataDir: string;
  seams: Seams;
  logger: Pick<Logger, "warn">;
}

/** Whether something says where the keys are; nothing is opened for it, and none is made. */
export function hasMasterKeys({ secrets, explorer, databaseUrl }: ExplorerKeysOptions["config"]): boolean {
  return explorer.masterKey !== undefined || secrets.masterKeys !== undefined || databaseUrl === undefined;
}

/** Throws StartError where the keys can not be had, and M_BAD_STATE where nothing says where they are. */
export async function openExplorerKeys({ config, dataDir, seams, logger }: ExplorerKeysOptions): Promise<MasterKeys> {
  const { masterKey } = config.explorer;
  if (masterKey !== undefined) return fromText(() => valueOf(masterKey), seams);
  const shared = await openMasterKeys({ config: config.secrets, seams, logger });
  if (shared) return shared;
  if (!hasMasterKeys(config))
    throw matrixError(
      "M_BAD_STATE",
      "There is no master key to keep passwords with: whoever runs this server sets MASTER_ENCRYPTION_KEY to one (openssl rand -base64 32), the same for every process.",
    );
  const path = join(dataDir, EMBEDDED_KEYS);
  makeOnce(path, seams);
  return fromText(() => readFileSync(path, "utf8"), seams);
}

/** The text is looked at for each use: a file may have another key by then. It is taken apart again where it changed. */
function fromText(read: () => string, seams: Seams): MasterKeys {
  let text = "";
  let keys: ReturnType<typeof parseMasterKeys> = [];
  const current = () => {
    const latest = read();
    if (latest !== text) {
      keys = parseMasterKeys(latest, "MASTER_ENCRYPTION_KEY");
      text = latest;
    }
    return keys;
  };
  current();
  return { ...masterKeysOf(current, seams), close: () => {} };
}

/** Of two processes that come here at once one makes it: a link is made only where there is none. */
function makeOnce(path: string, seams: Seams): void {
  if (existsSync(path)) return;
  mkdirSync(join(path, ".."), { recursive: true });
  const beside = `${path}.${randomToken(seams, 6)}`;
  writeFileSync(beside, `${Buffer.from(seams.randomBytes(32)).toString("base64")}\n`, { mode: 0o600 });
  chmodSync(beside, 0o600);
  try {
    linkSync(beside, path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "EEXIST") throw thrown;
  } finally {
    rmSync(beside, { force: true });
  }
}
