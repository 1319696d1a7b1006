/** Blobs as files: `<folder>/<ab>/<hash>`. A file is written under another name, synced, and renamed when its hash is known. */
import { createHash } from "node:crypto";
import { createReadStream, type Stats } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { randomToken, type Seams } from "../seams.ts";
import type { Blobs, StoredBlob } from "./blobs.ts";

/** What people uploaded is no business of the machine's other accounts. */
const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;

/** Opens the store. Uploads that a killed process left half done are thrown away; those of other processes go on. */
export async function openFilesystemBlobs(folder: string, seams: Seams): Promise<Blobs> {
  const incoming = join(folder, "incoming");
  await mkdir(incoming, { recursive: true, mode: PRIVATE_FOLDER });
  await dropAbandoned(incoming, seams);
  const pathOf = (sha256: string) => join(folder, sha256.slice(0, 2), sha256);
  return {
    async put(content, { max_bytes }) {
      const temporary = join(incoming, randomToken(seams, 12));
      try {
        const stored = await write(temporary, content, max_bytes);
        const path = pathOf(stored.sha256);
        const isNew = (await mkdir(dirname(path), { recursive: true, mode: PRIVATE_FOLDER })) !== undefined;
        if (isNew) await syncFolder(folder);
        await rename(temporary, path);
        await syncFolder(dirname(path));
        return stored;
      } catch (thrown) {
        await rm(temporary, { force: true });
        throw thrown;
      }
    },
    async get(sha256, range) {
      const path = pathOf(sha256);
      return (await statIfThere(path)) ? createReadStream(path, range) : undefined;
    },
  };
}

/** A file that is being written changes all the time; HTTP ends an upload that stands still long before this. */
async function dropAbandoned(incoming: string, seams: Seams): Promise<void> {
  for (const name of await readdir(incoming)) {
    const path = join(incoming, name);
    const file = await statIfThere(path);
    if (file && seams.now_ms() - file.mtimeMs > limits.uploadAbandoned_ms) await rm(path, { force: true });
  }
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  }
}

async function write(path: string, content: Readable | Buffer, max_bytes: number): Promise<StoredBlob> {
  const hash = createHash("sha256");
  let size_bytes = 0;
  await using file = await open(path, "wx", PRIVATE_FILE);
  for await (const chunk of Buffer.isBuffer(content) ? [content] : (content as AsyncIterable<Buffer>)) {
    size_bytes += chunk.length;
    if (size_bytes > max_bytes) throw matrixError("M_TOO_LARGE", `A file may have ${max_bytes} bytes at the most.`);
    hash.update(chunk);
    // Not write(), which may write a part of it and say so: on a full disk that would keep half a file under a whole hash.
    await file.appendFile(chunk);
  }
  await file.sync();
  return { sha256: hash.digest("hex"), size_bytes };
}

/** Without this the rename may be lost in a crash although the file's bytes are on disk. */
async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}
