/**
 * A backup of a database that is in use. All tables are read in one snapshot, so it is the database of one moment, and no writer waits
 * for it. The blobs are copied afterwards: a blob is never changed, so what the snapshot speaks of is still there.
 */
import { mkdir, open, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import type { Blobs } from "../blobs/blobs.ts";
import { copyOut } from "../db/copy.ts";
import { type Connection, connectOwner } from "../db/database.ts";
import { readApplied } from "../db/schema.ts";
import { StartError } from "../errors.ts";
import type { Seams } from "../seams.ts";
import { version } from "../version.ts";
import { BLOBS_SQL, readDigest } from "./digest.ts";
import { writeFile } from "./files.ts";
import { type BackedUpTable, BLOBS, type ListedBlob, type Manifest, MANIFEST } from "./manifest.ts";
import { readTables, type Table } from "./tables.ts";

export interface TakeBackup {
  /** Of whoever may read every table. */
  url: string;
  /** Must be missing or empty. */
  folder: string;
  /** Where blobs are copied from; they are only listed without. */
  blobs: Pick<Blobs, "get"> | undefined;
  seams: Seams;
  say(text: string): void;
}

/** Throws StartError where it can not be made; what is in the folder then is no backup. */
export async function takeBackup({ url, folder, blobs, seams, say }: TakeBackup): Promise<Manifest> {
  await makeFolder(folder);
  const taken_at = new Date(seams.now_ms()).toISOString();
  const client = await connectOwner(url, "parley backup");
  let manifest: Omit<Manifest, "blobs">;
  let listed: ListedBlob[];
  try {
    await client.query("begin isolation level repeatable read read only");
    const about = await readAbout(client);
    const tables: BackedUpTable[] = [];
    for (const table of await readTables(client)) tables.push(await backUpTable(client, folder, table));
    listed = (await client.query<ListedBlob>(BLOBS_SQL)).rows;
    manifest = { format: 1, version, taken_at, ...about, tables };
    say(`database: ${tables.length} tables, the log up to position ${about.log.position}`);
  } finally {
    await client.end();
  }
  const lines = listed.map(({ sha256, size_bytes }) => `${sha256} ${size_bytes}\n`);
  const list = await writeFile(join(folder, BLOBS), [Readable.from(lines, { objectMode: false })]);
  if (blobs) await copyBlobs(blobs, folder, listed);
  const total_bytes = listed.reduce((sum, each) => sum + each.size_bytes, 0);
  say(`files: ${listed.length} ${blobs ? "copied" : "listed and not copied"}, ${total_bytes} bytes`);
  const whole: Manifest = {
    ...manifest,
    blobs: { file: BLOBS, ...list, count: listed.length, total_bytes, are_copied: blobs !== undefined },
  };
  await writeFile(join(folder, MANIFEST), [Readable.from([Buffer.from(`${JSON.stringify(whole, null, 2)}\n`)])]);
  await syncFolder(folder);
  return whole;
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await readdir(folder)).length > 0)
    throw new StartError(`${folder} is not empty: name a folder for this backup alone, such as ${folder}/2026-11-21.`);
  await mkdir(join(folder, "tables"), { mode: 0o700 });
}

/** What the manifest says of the database, all of the same moment. */
async function readAbout(client: Connection) {
  const { rows } = await client.query<{ position: number; epoch: number; name: string | null; postgresql: string }>(
    `select h.position, h.epoch, to_json(i) ->> 'server_name' as name, current_setting('server_version') as postgresql
     from log.head h, log.installation i`,
  );
  const [row] = rows;
  if (!row) throw new StartError("The database has no log: it is not one of Parley.");
  const migrations = (await readApplied(client)).map(({ schema, number, name }) => ({ schema, number, name }));
  const { position, epoch } = row;
  return {
    postgresql: row.postgresql,
    server_name: row.name,
    log: { position, epoch, ...(await readDigest(client, position)) },
    migrations,
  };
}

async function backUpTable(client: Connection, folder: string, { name, columns }: Table): Promise<BackedUpTable> {
  const file = join("tables", `${name.replaceAll('"', "")}.gz`);
  const rows = copyOut(client, `copy ${name} (${columns.join(", ")}) to stdout`);
  const written = await writeFile(join(folder, file), [rows, createGzip({ level: 4 })]);
  const { rows: counted } = await client.query<{ count: number }>(`select count(*) as count from ${name}`);
  return { name, columns, rows: counted[0]?.count ?? 0, file, ...written };
}

/** Throws StartError where one is missing or is not what its name says. */
async function copyBlobs(blobs: Pick<Blobs, "get">, folder: string, listed: readonly ListedBlob[]): Promise<void> {
  for (const { sha256 } of listed) {
    const content = await blobs.get(sha256);
    if (!content)
      throw new StartError(`The file ${sha256} is in the database and not in the store: see "parley restore verify".`);
    const path = blobPath(folder, sha256);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const written = await writeFile(path, [content]);
    if (written.sha256 !== sha256)
      throw new StartError(`The file ${sha256} in the store is damaged: its SHA-256 is ${written.sha256}.`);
  }
}

/** Where a backup has a blob. */
export function blobPath(folder: string, sha256: string): string {
  return join(folder, "blobs", sha256.slice(0, 2), sha256);
}

/** The names of the files are on disk too. */
async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}
