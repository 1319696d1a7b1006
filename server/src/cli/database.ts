/**
 * The database as a command reaches it: that of DATABASE_URL, or the embedded one, which is asked where a Parley runs it, and
 * started for the time of the command where none does.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Config } from "../config.ts";
import { type Connection, connectOwner } from "../db/database.ts";
import { defaultDataDir, startEmbeddedPostgres } from "../db/embedded.ts";
import type { Call } from "./command.ts";

/** Where the embedded database and the media are. */
export function dataDirOf(config: Pick<Config, "dataDir">): string {
  return config.dataDir ?? defaultDataDir(fileURLToPath(new URL("../../../", import.meta.url)));
}

/** Runs `use` with the address for whoever owns the schema, and gives what it gives. Throws StartError where there is none. */
export async function withOwnerUrl<T>(
  call: Pick<Call, "config" | "say">,
  use: (url: string) => Promise<T>,
): Promise<T> {
  const config = call.config();
  const set = config.databaseOwnerUrl ?? config.databaseUrl;
  if (set !== undefined) return use(set);
  const directory = join(dataDirOf(config), "postgres");
  const running = await runningEmbedded(directory);
  if (running !== undefined) return use(running);
  await using postgres = await startEmbeddedPostgres({ dataDir: directory, onProgress: call.say });
  return await use(postgres.url);
}

/** The same, with a connection that is ended afterwards. */
export async function withOwner<T>(
  call: Pick<Call, "config" | "say">,
  use: (client: Connection, url: string) => Promise<T>,
): Promise<T> {
  return withOwnerUrl(call, async (url) => {
    const client = await connectOwner(url, "parley console");
    try {
      return await use(client, url);
    } finally {
      await client.end();
    }
  });
}

/** The address of an embedded database that runs: PostgreSQL writes the folder of its socket into its process file. */
export async function runningEmbedded(directory: string): Promise<string | undefined> {
  const file = join(directory, "pgdata", "postmaster.pid");
  if (!existsSync(file)) return undefined;
  const socket = readFileSync(file, "utf8").split("\n")[4];
  const url = `postgres://parley@${encodeURIComponent(socket ?? "")}:5432/postgres`;
  try {
    await (await connectOwner(url, "parley console")).end();
    return url;
  } catch {
    // It was left behind by a crash.
    return undefined;
  }
}
