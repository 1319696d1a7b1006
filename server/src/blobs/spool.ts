/**
 * Files of this machine in which uploads arrive. Only when all bytes are there is it known what they are: until then they are
 * here, under a name that means nothing. What a killed process leaves is found by its age.
 */
import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { asError, matrixError, StartError } from "../errors.ts";
import { limits } from "../limits.ts";
import { randomToken, type Seams } from "../seams.ts";
import type { StoredBlob } from "./blobs.ts";

/** What people uploaded is no business of the machine's other accounts. */
export const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;

export interface Spool {
  /** Writes the bytes into a file of their own. Where it rejects there is no file. */
  receive(content: Readable | Buffer, max_bytes: number): Promise<Received>;
  /** Takes away files that nobody has written to for `limits.uploadAbandoned_ms`. */
  dropAbandoned(): Promise<void>;
}

export interface Received extends StoredBlob {
  path: string;
  /** Base64; empty where a file becomes the blob. */
  md5: string;
  /** Removes the file, unless it was moved away. */
  discard(): Promise<void>;
}

export interface SpoolOptions {
  folder: string;
  seams: Seams;
  /** Whether a file itself becomes the blob: then it must be on the disk, and nobody asks for its MD5. */
  isFinal: boolean;
}

async function make(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER });
  } catch (thrown) {
    const why = `The folder ${folder}, in which uploads arrive, can not be made (${asError(thrown).message}).`;
    throw new StartError(`${why} Set PARLEY_DATA_DIR to a folder that this account may write in.`, { cause: thrown });
  }
}

/** Opens the folder, and makes it where it is not there. */
export async function openSpool({ folder, seams, isFinal }: SpoolOptions): Promise<Spool> {
  await make(folder);
  return {
    async receive(content, max_bytes) {
      const path = join(folder, randomToken(seams, 12));
      const discard = () => rm(path, { force: true });
      try {
        return { path, discard, ...(await write(path, content, { max_bytes, isFinal })) };
      } catch (thrown) {
        await discard();
        throw toldOf(thrown);
      }
    },
    async dropAbandoned() {
      for (const name of await readdir(folder)) {
        const path = join(folder, name);
        const file = await statIfThere(path);
        // A file that is being written changes all the time; HTTP ends an upload that stands still long before this.
        if (file && seams.now_ms() - file.mtimeMs > limits.uploadAbandoned_ms) await rm(path, { force: true });
      }
    },
  };
}

export async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  }
}

interface Writing {
  max_bytes: number;
  isFinal: boolean;
}

async function write(path: string, content: Readable | Buffer, { max_bytes, isFinal }: Writing) {
  const sha256 = createHash("sha256");
  const md5 = isFinal ? undefined : createHash("md5");
  let size_bytes = 0;
  await using file = await open(path, "wx", PRIVATE_FILE);
  for await (const chunk of Buffer.isBuffer(content) ? [content] : (content as AsyncIterable<Buffer>)) {
    size_bytes += chunk.length;
    if (size_bytes > max_bytes) throw matrixError("M_TOO_LARGE", `A file may have ${max_bytes} bytes at the most.`);
    sha256.update(chunk);
    md5?.update(chunk);
    // Not write(), which may write a part of it and say so: on a full disk that would keep half a file under a whole hash.
    await file.appendFile(chunk);
  }
  if (isFinal) await file.sync();
  return { sha256: sha256.digest("hex"), md5: md5?.digest("base64") ?? "", size_bytes };
}

/** A full disk is nobody's fault who uploads, and passes. */
function toldOf(thrown: unknown): unknown {
  const { code } = thrown as NodeJS.ErrnoException;
  if (code !== "ENOSPC" && code !== "EDQUOT") return thrown;
  return matrixError("IO_PARLEY_UNAVAILABLE", "The disk that takes uploads is full.", {
    cause: thrown,
    retryAfter_ms: limits.blobsAway_ms,
  });
}
