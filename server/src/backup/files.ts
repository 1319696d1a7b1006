/** Files of a backup: hashed while they are written and while they are read, and on disk before a manifest speaks of them. */
import { createHash, type Hash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { Transform, type Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { asError, StartError } from "../errors.ts";

export interface Written {
  size_bytes: number;
  sha256: string;
}

/** Lets everything through, and counts and hashes it. */
function meter(): { through: Transform; hash: Hash; size_bytes(): number } {
  const hash = createHash("sha256");
  let size_bytes = 0;
  const through = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      size_bytes += chunk.length;
      hash.update(chunk);
      callback(null, chunk);
    },
  });
  return { through, hash, size_bytes: () => size_bytes };
}

/** Writes what the stages give into a new file, which only this account may read, and waits for the disk. */
export async function writeFile(path: string, stages: readonly (Readable | Transform)[]): Promise<Written> {
  const { through, hash, size_bytes } = meter();
  await pipeline([...stages, through, createWriteStream(path, { flags: "wx", mode: 0o600, flush: true })]);
  return { size_bytes: size_bytes(), sha256: hash.digest("hex") };
}

/** Reads a file through the stages. Throws StartError, when all has gone through, where it is not the one that was written. */
export async function readFile(path: string, known: Written, stages: readonly (Transform | Writable)[]): Promise<void> {
  const { through, hash, size_bytes } = meter();
  try {
    await pipeline([createReadStream(path), through, ...stages]);
  } catch (thrown) {
    // A stage that did not understand what came says nothing of why: that is seen in the whole of the file.
    await checkFile(path, known);
    throw thrown;
  }
  if (!isSame({ size_bytes: size_bytes(), sha256: hash.digest("hex") }, known)) throw damaged(path);
}

/** Throws StartError where the file is not there, or not the one that was written. */
export async function checkFile(path: string, known: Written): Promise<void> {
  const found = await hashOf(createReadStream(path)).catch((thrown: unknown) => {
    throw new StartError(`The backup lacks a file (${asError(thrown).message}). Use another backup.`, {
      cause: thrown,
    });
  });
  if (!isSame(found, known)) throw damaged(path);
}

function isSame(one: Written, other: Written): boolean {
  return one.size_bytes === other.size_bytes && one.sha256 === other.sha256;
}

function damaged(path: string): StartError {
  return new StartError(
    `${path} is not the file that the backup wrote: it was damaged or replaced. Use another backup.`,
  );
}

/** The SHA-256 of all that the stream gives. */
export async function hashOf(content: Readable): Promise<Written> {
  const hash = createHash("sha256");
  let size_bytes = 0;
  for await (const chunk of content as AsyncIterable<Buffer>) {
    size_bytes += chunk.length;
    hash.update(chunk);
  }
  return { size_bytes, sha256: hash.digest("hex") };
}
