/**
 * Backups in an object store. A backup is the same files there, below `backups/` and its name, its manifest written last; the
 * uploaded files, which never change, are kept once for all backups, so that a night sends what is new. `backups/newest` has the
 * name of the one that was sent last.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, rm, stat, writeFile as writeText } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ObjectStore } from "../blobs/object-store.ts";
import { contentOf, openRoom, withContent } from "../blobs/parts.ts";
import { StartError } from "../errors.ts";
import { limits } from "../limits.ts";
import { checkFile, type Written, writeFile } from "./files.ts";
import { type BackedUpTable, MANIFEST, readBlobList, readManifest } from "./manifest.ts";
import { blobPath } from "./take.ts";

const PREFIX = "backups";
const NEWEST = `${PREFIX}/newest`;

const nameOfBlob = (sha256: string) => `${PREFIX}/blobs/${sha256.slice(0, 2)}/${sha256}`;

export interface Sent {
  name: string;
  /** Uploaded files that the store did not have yet. */
  newBlobs: number;
}

/**
 * Sends a finished backup, whose name becomes that of its folder. Throws StartError where the folder is none, and where a file of it
 * is not what the backup wrote: a blob that is there once is never sent again, so a damaged one would be that of every later backup.
 */
export async function sendBackup(folder: string, store: ObjectStore): Promise<Sent> {
  const manifest = await readManifest(folder);
  const name = basename(folder);
  const send = openSending(store);
  let newBlobs = 0;
  for (const blob of manifest.blobs.are_copied ? await readBlobList(folder, manifest) : []) {
    const path = blobPath(folder, blob.sha256);
    if ((await store.size(nameOfBlob(blob.sha256))) === blob.size_bytes) continue;
    await checkFile(path, blob);
    await send(nameOfBlob(blob.sha256), path);
    newBlobs += 1;
  }
  for (const known of [...manifest.tables, manifest.blobs]) {
    const path = join(folder, known.file);
    await checkFile(path, known);
    await send(`${PREFIX}/${name}/${known.file}`, path);
  }
  await send(`${PREFIX}/${name}/${MANIFEST}`, join(folder, MANIFEST));
  await sendText(store, NEWEST, name);
  return { name, newBlobs };
}

/** Sends files, in parts where they are large. */
function openSending(store: ObjectStore): (object: string, path: string) => Promise<void> {
  const room = openRoom(limits.blobParts_bytes);
  return async (object, path) => {
    const [sha256, md5] = [createHash("sha256"), createHash("md5")];
    await pipeline(createReadStream(path), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) [sha256, md5].forEach((hash) => hash.update(chunk));
    });
    const { size: size_bytes } = await stat(path);
    const file = { path, size_bytes, sha256: sha256.digest("hex"), md5: md5.digest("base64"), discard: async () => {} };
    await withContent(file, room, (content) => store.write(object, content));
  };
}

async function sendText(store: ObjectStore, object: string, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  await store.write(object, contentOf(bytes));
}

/**
 * Brings a backup into a folder that is missing or empty, by its name or as `newest`, and looks at every file of it. Throws
 * StartError where it is not there, or is not what was sent.
 */
export async function fetchBackup(wanted: string, folder: string, store: ObjectStore): Promise<string> {
  await makeEmpty(folder);
  const name = wanted === "newest" ? await nameOfNewest(store) : wanted;
  const prefix = `${PREFIX}/${name}`;
  const manifestText = await readText(store, `${prefix}/${MANIFEST}`);
  await writeText(join(folder, MANIFEST), manifestText, { mode: 0o600 });
  try {
    const manifest = await readManifest(folder);
    const { tables, blobs } = manifest;
    const files: readonly (Written & Pick<BackedUpTable, "file">)[] = [...tables, blobs];
    for (const each of files)
      await fetchFile(store, `${prefix}/${each.file}`, { path: join(folder, each.file), ...each });
    for (const { sha256, size_bytes } of blobs.are_copied ? await readBlobList(folder, manifest) : [])
      await fetchFile(store, nameOfBlob(sha256), { path: blobPath(folder, sha256), sha256, size_bytes });
  } catch (thrown) {
    // Without its manifest it is no backup, and nobody takes it for one.
    await rm(join(folder, MANIFEST));
    throw thrown;
  }
  return name;
}

async function makeEmpty(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await readdir(folder)).length > 0)
    throw new StartError(`${folder} is not empty: name a folder for what is fetched alone.`);
}

async function nameOfNewest(store: ObjectStore): Promise<string> {
  return (await readText(store, NEWEST)).trim();
}

async function readText(store: ObjectStore, object: string): Promise<string> {
  return Buffer.concat(await (await opened(store, object)).toArray()).toString("utf8");
}

async function opened(store: ObjectStore, object: string): Promise<Readable> {
  const content = await store.read(object, undefined);
  if (!content)
    throw new StartError(
      `${store.name} has no ${object}: was a backup sent there ("parley backup send"), by this name?`,
    );
  return content;
}

async function fetchFile(store: ObjectStore, object: string, known: Written & { path: string }): Promise<void> {
  await mkdir(dirname(known.path), { recursive: true, mode: 0o700 });
  const { size_bytes, sha256 } = await writeFile(known.path, [await opened(store, object)]);
  if (size_bytes !== known.size_bytes || sha256 !== known.sha256)
    throw new StartError(
      `${object} in ${store.name} is not what was sent: it was damaged or replaced. Use another backup.`,
    );
}
