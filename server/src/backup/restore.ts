/**
 * A backup becomes a database: the blobs, the schema as it was then, its rows, and a new history epoch, in one transaction; then the
 * migrations that have come since. A restore that fails leaves a database that is as good as empty.
 */
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { createGunzip } from "node:zlib";
import type { Blobs } from "../blobs/blobs.ts";
import { countAlive } from "../bus/processes.ts";
import { copyIn } from "../db/copy.ts";
import { type Connection, connectOwner } from "../db/database.ts";
import { migrate } from "../db/migrate.ts";
import { readKnown } from "../db/schema.ts";
import { StartError } from "../errors.ts";
import { pause, type Seams } from "../seams.ts";
import { checkFile, readFile } from "./files.ts";
import { type Manifest, readBlobList, readManifest } from "./manifest.ts";
import { advanceSequences } from "./tables.ts";
import { blobPath } from "./take.ts";

export interface Restore {
  /** Of the user that owns the new database. */
  url: string;
  folder: string;
  /** Where blobs are put, if the backup has any; undefined where they come another way. */
  blobs: Pick<Blobs, "put"> | undefined;
  /** As in `migrate`. */
  servingUser?: string | undefined;
  seams: Seams;
  say(text: string): void;
}

export interface Restored {
  manifest: Manifest;
  epoch: number;
  /** Put into the store. */
  blobs: number;
}

/** Throws StartError where the database is not empty or Parley runs on it, the backup is damaged or is of a newer Parley. */
export async function restore({ url, folder, blobs, servingUser, seams, say }: Restore): Promise<Restored> {
  const manifest = await readManifest(folder);
  await refuseNewer(manifest);
  await refuseFull(url, seams);
  // First, so that one that is missing or damaged leaves the database as it was. A file too many harms nobody.
  const put = blobs && manifest.blobs.are_copied ? await putBlobs(blobs, folder, manifest) : 0;
  say(`files: ${put} of ${manifest.blobs.count} put into the store`);
  const had = new Set(manifest.migrations.map(({ schema, number }) => `${schema}/${number}`));
  await migrate(url, { isWanted: ({ schema, number }) => had.has(`${schema}/${number}`) });
  say("schema: as the backup has it");
  const epoch = await fill(url, { manifest, folder, seams });
  say(`database: ${manifest.tables.length} tables, the log up to position ${manifest.log.position}, epoch ${epoch}`);
  const later = await migrate(url, { servingUser });
  if (later.length > 0) say(`schema: ${later.length} migrations that have come since`);
  return { manifest, epoch, blobs: put };
}

async function refuseNewer({ migrations, version }: Manifest): Promise<void> {
  const known = new Set((await readKnown()).map(({ schema, number }) => `${schema}/${number}`));
  const newer = migrations.find(({ schema, number }) => !known.has(`${schema}/${number}`));
  if (newer)
    throw new StartError(
      `The backup is of a newer Parley (${version}): it has the migration ${newer.schema}/${newer.name}. Restore it with that version.`,
    );
}

/** How long whoever has just been stopped may still be counted, and how often it is looked. */
const ENDING_MS = 3_000;
const LOOK_MS = 100;

/** How many processes run, also a moment later: PostgreSQL may still count those that have just been stopped. */
async function countStaying(client: Connection, seams: Seams): Promise<number> {
  const until_ms = seams.monotonic_ms() + ENDING_MS;
  for (;;) {
    const running = await countAlive(client);
    if (running === 0 || seams.monotonic_ms() >= until_ms) return running;
    await pause(seams, LOOK_MS);
  }
}

/** Nothing that somebody wrote, or is about to write, may be lost by a restore into the wrong place. */
async function refuseFull(url: string, seams: Seams): Promise<void> {
  const client = await connectOwner(url, "parley restore");
  try {
    const running = await countStaying(client, seams);
    if (running > 0)
      throw new StartError(
        `Parley runs on this database (processes: ${running}), and a restore goes into one that nobody uses: stop them, or name a new database in DATABASE_URL.`,
      );
    const { rows } = await client.query<{ log: boolean; auth: boolean }>(
      "select to_regclass('log.head') is not null as log, to_regclass('auth.accounts') is not null as auth",
    );
    // One that a restore left half migrated is as good as empty.
    if (!rows[0]?.log || !rows[0].auth) return;
    const used = await client.query(
      "(select from log.head where position > 0) union all (select from auth.accounts limit 1)",
    );
    if (used.rowCount)
      throw new StartError(
        "The database is not empty: a restore goes into a new one. Create one (createdb), and name it in DATABASE_URL.",
      );
  } finally {
    await client.end();
  }
}

async function fill(
  url: string,
  { manifest, folder, seams }: Pick<Restore, "folder" | "seams"> & { manifest: Manifest },
): Promise<number> {
  const client = await connectOwner(url, "parley restore");
  try {
    await client.query("begin");
    await client.query(`truncate ${manifest.tables.map(({ name }) => name).join(", ")}`);
    for (const { name, columns, file, rows, ...written } of manifest.tables) {
      const into = copyIn(client, `copy ${name} (${columns.join(", ")}) from stdin`);
      await readFile(join(folder, file), written, [createGunzip(), into]);
      const { rows: counted } = await client.query<{ count: number }>(`select count(*) as count from ${name}`);
      if (counted[0]?.count !== rows) throw new StartError(`${name} should have ${rows} rows, and has other ones.`);
    }
    await advanceSequences(client);
    const epoch = await raiseEpoch(client, seams);
    await client.query("commit");
    await client.query("analyze");
    return epoch;
  } finally {
    await client.end();
  }
}

/** Of the numbers that two restores of one backup could both take, at most one in so many is the same. */
const EPOCH_SPREAD = 10_000;

/**
 * Begins another history: every token of before is refused from here on, and its client starts over. The number is random within
 * bounds: somebody may restore the same backup twice, and clients of the first restore must notice the second.
 */
export async function raiseEpoch(client: Connection, seams: Seams): Promise<number> {
  const by = 1 + seams.randomInt(EPOCH_SPREAD);
  await client.query("update log.head set epoch = epoch + $1", [by]);
  const { rows } = await client.query<{ epoch: number }>("select epoch from log.head");
  return rows[0]?.epoch as number;
}

/** Whether PostgreSQL runs on another timeline than that of the last write: it was recovered, or has failed over, and nobody wrote since. */
export async function isJustRecovered(client: Connection): Promise<boolean> {
  const { rows } = await client.query<{ isNew: boolean }>(
    `select timeline is distinct from left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) as "isNew" from log.head`,
  );
  return rows[0]?.isNew === true;
}

async function putBlobs(blobs: Pick<Blobs, "put">, folder: string, manifest: Manifest): Promise<number> {
  let put = 0;
  for (const { sha256, size_bytes } of await readBlobList(folder, manifest)) {
    const path = blobPath(folder, sha256);
    await checkFile(path, { sha256, size_bytes });
    await blobs.put(createReadStream(path), { max_bytes: size_bytes });
    put++;
  }
  return put;
}
