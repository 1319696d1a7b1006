/**
 * A new master key for the passwords of saved connections and the secrets of second factors, while any number of processes use them. The file that MASTER_ENCRYPTION_KEY names
 * is a ring, of which the first key wraps and all of them unwrap:
 *
 * 1. Publish: the new key is the second line. Every process knows it then.
 * 2. Change: it is the first line. What is saved from now on is wrapped with it, and everything else is wrapped anew.
 * 3. Retire: it is the only line.
 *
 * Cut short anywhere, every key that something is wrapped with is still in the file; the next rotation finishes that one first. Where the
 * keys are not in a file that can be written (a provider of secrets), people add and remove lines there, and this wraps everything anew.
 */
import { chmodSync, existsSync, readFileSync, renameSync, statSync, chownSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Config } from "../config.ts";
import { rewrapSecrets } from "../auth/factors/sealing.ts";
import { type Db, openDatabase } from "../db/database.ts";
import { StartError } from "../errors.ts";
import { credentialsPath } from "../explorer/config.ts";
import { inJsonFile } from "../explorer/credentials/json-file.ts";
import { inPostgresql } from "../explorer/credentials/postgresql.ts";
import type { CredentialStore } from "../explorer/credentials/store.ts";
import { EMBEDDED_KEYS, openExplorerKeys } from "../explorer/master-keys.ts";
import { rewrapAll } from "../explorer/rewrap.ts";
import { limits } from "../limits.ts";
import type { Logger } from "../logger.ts";
import { isInFile } from "../secrets/address.ts";
import { type MasterKeys, masterKeysOf, nameOfFirst, parseMasterKeys } from "../secrets/master-keys.ts";
import { pause, type Seams } from "../seams.ts";
import type { Command } from "./command.ts";
import { milliseconds } from "./command.ts";
import { dataDirOf, withOwnerUrl } from "./database.ts";

export interface RotateMasterKey {
  /** The ring: a key on each line. */
  file: string;
  store: CredentialStore;
  /** Where the secrets of second factors are. */
  secrets: Pick<Db, "query" | "change">;
  /** How long the file may take to be the new one everywhere: none where all processes read the same file. */
  wait_ms: number;
  /** How long somebody who wrapped with the old key at the last moment may take to save it. */
  settle_ms?: number;
  seams: Seams;
  /** Told of each step; never of a key. */
  say(text: string): void;
}

/** Throws M_BAD_STATE where a saved key is wrapped with a master key that the file does not have: nothing is retired then. */
export async function rotateMasterKey(rotation: RotateMasterKey): Promise<void> {
  const { file, wait_ms, seams, say } = rotation;
  const [first = "", ...others] = linesIn(file);
  if (others.length > 0) {
    say("a rotation was cut short: it is finished first");
    await finish(rotation, first);
  }
  const made = Buffer.from(seams.randomBytes(32)).toString("base64");
  replaceFile(file, [first, made]);
  say(`published: ${file} has a new key as its second line`);
  await pause(seams, wait_ms);
  replaceFile(file, [made, first]);
  say("changed: the new key is the first");
  await pause(seams, wait_ms);
  await finish(rotation, made);
}

/** Everything is wrapped with the first key, and then there is no other. */
async function finish(rotation: RotateMasterKey, first: string): Promise<void> {
  const { file, store, secrets, seams, settle_ms = limits.rewrapSettle_ms, say } = rotation;
  const keys = parseMasterKeys(linesIn(file).join("\n"), "MASTER_ENCRYPTION_KEY");
  const masterKeys = masterKeysOf(() => keys, seams);
  const rewrapping = { store, secrets, masterKeys };
  const before = await rewrapEverything(rewrapping);
  await pause(seams, settle_ms);
  const after = await rewrapEverything(rewrapping);
  say(wrappedAnew({ saved: before.saved + after.saved, factors: before.factors + after.factors }));
  replaceFile(file, [first]);
  say(`retired: ${file} has the new key only; keep the old one as long as backups of before`);
}

interface Rewrapping {
  store: CredentialStore;
  secrets: RotateMasterKey["secrets"];
  masterKeys: Pick<MasterKeys, "wrap" | "unwrap">;
}

/** How many there were of each. */
interface Rewrapped {
  saved: number;
  factors: number;
}

async function rewrapEverything({ store, secrets, masterKeys }: Rewrapping): Promise<Rewrapped> {
  const saved = await rewrapAll({ store, masterKeys, first: nameOfFirst(masterKeys) });
  return { saved, factors: await rewrapSecrets(secrets, masterKeys) };
}

function wrappedAnew({ saved, factors }: Rewrapped): string {
  return `wrapped anew: ${saved} saved connections, ${factors} second factors`;
}

function linesIn(file: string): string[] {
  const lines = readFileSync(file, "utf8")
    .split(/\s+/)
    .filter((line) => line !== "");
  parseMasterKeys(lines.join("\n"), "MASTER_ENCRYPTION_KEY");
  return lines;
}

/** By renaming, with the rights of the file before: a reader sees the old ring or the new one. */
function replaceFile(file: string, lines: readonly string[]): void {
  const { mode, uid, gid } = statSync(file);
  const beside = `${file}.next`;
  writeFileSync(beside, `${lines.join("\n")}\n`, { mode: 0o600 });
  chmodSync(beside, mode & 0o777);
  chownSync(beside, uid, gid);
  renameSync(beside, file);
}

export const rotateMasterKeyCommand: Command = {
  name: "rotate master-key",
  summary: "Makes a new master key for the passwords of saved connections and for second factors, while they are used.",
  help: `Where MASTER_ENCRYPTION_KEY names a file (file:///…), or there is the embedded database, the new key is published in the file, everything
is wrapped with it, and the old key is retired. Where the keys are with a provider of secrets, put the new one first there and keep the old one
as the second line; this wraps everything anew and says which keys nothing needs any more. Cut short, the next rotation goes on from there. See
docs/operations/explorer.md.`,
  options: {
    "wait-s": {
      kind: "seconds",
      doc: "How long the file may take to reach every process. 0 by default: all read the same file.",
    },
  },
  run: (call) =>
    withStores(call, async ({ store, secrets, config }) => {
      const steps: string[] = [];
      const say = (text: string) => (call.say(text), void steps.push(text));
      const file = fileOf(config);
      const { seams } = call;
      const wait_ms = milliseconds(call, "wait-s", 0);
      if (file !== undefined) await rotateMasterKey({ file, store, secrets, wait_ms, seams, say });
      else await rewrapWithProvider({ config, store, secrets, seams, say });
      return { ok: true, data: { steps } };
    }),
};

/** Undefined where the keys are no file of ours. Throws StartError where there is nothing to rotate. */
function fileOf(config: Config): string | undefined {
  const { masterKey } = config.explorer;
  if (masterKey !== undefined) return isInFile(masterKey) ? fileURLToPath(masterKey) : undefined;
  if (config.secrets.masterKeys) return undefined;
  const file = join(dataDirOf(config), EMBEDDED_KEYS);
  if (config.databaseUrl === undefined && existsSync(file)) return file;
  throw new StartError("There is no master key yet: nothing is protected with one, and nothing is to be rotated.");
}

interface Rewrap extends Stores {
  seams: Seams;
  say(text: string): void;
}

async function rewrapWithProvider({ config, store, secrets, seams, say }: Rewrap): Promise<void> {
  const warn = ({ reason }: { reason: string }) => say(reason);
  const logger = { warn } as Pick<Logger, "warn">;
  const masterKeys = await openExplorerKeys({ config, dataDir: dataDirOf(config), seams, logger });
  try {
    say(wrappedAnew(await rewrapEverything({ store, secrets, masterKeys })));
    say(
      `every one is wrapped with the key ${nameOfFirst(masterKeys)}: the other lines may go, once no backup needs them`,
    );
  } finally {
    masterKeys.close();
  }
}

interface Stores {
  config: Config;
  store: CredentialStore;
  secrets: RotateMasterKey["secrets"];
}

async function withStores<T>(call: Parameters<Command["run"]>[0], use: (stores: Stores) => Promise<T>): Promise<T> {
  const config = call.config();
  const { credentials } = config.explorer;
  return withOwnerUrl(call, async (url) => {
    const db = openDatabase({ url, connections: 1, onError: () => {}, seams: call.seams });
    const store =
      credentials.type === "json_file"
        ? inJsonFile(credentialsPath(credentials.path, dataDirOf(config)), call.seams)
        : inPostgresql(db.console);
    try {
      return await use({ config, store, secrets: db.auth });
    } finally {
      await db.close();
    }
  });
}
