/** A received file as what is sent to a store: whole or in parts, with a bound on what is in memory for all uploads together. */
import { createHash } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import { limits } from "../limits.ts";
import type { Content } from "./object-store.ts";
import type { Received } from "./spool.ts";

/** Room in memory, shared by all uploads of the process. */
export interface Room {
  /** Runs `use` once there is room for the bytes. One that is larger than all of it runs alone. */
  with<T>(bytes: number, use: () => Promise<T>): Promise<T>;
}

export function openRoom(total_bytes: number): Room {
  let free_bytes = total_bytes;
  const waiting: { bytes: number; go(): void }[] = [];
  const letIn = () => {
    while (waiting[0] && waiting[0].bytes <= free_bytes) {
      const next = waiting.shift() as (typeof waiting)[number];
      free_bytes -= next.bytes;
      next.go();
    }
  };
  return {
    async with(wanted_bytes, use) {
      const bytes = Math.min(wanted_bytes, total_bytes);
      await new Promise<void>((go) => {
        waiting.push({ bytes, go });
        letIn();
      });
      try {
        return await use();
      } finally {
        free_bytes += bytes;
        letIn();
      }
    },
  };
}

/** A few bytes in memory as content, in one part. */
export function contentOf(bytes: Buffer): Content {
  return {
    size_bytes: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    md5: createHash("md5").update(bytes).digest("base64"),
    withBytes: (start, length, use) => use(bytes.subarray(start, start + length)),
    inParts: async (_part_bytes, send) => [await send({ index: 0, bytes })],
  };
}

/** Hands the file to `use` as content, and closes it. */
export async function withContent<T>(
  received: Received,
  room: Room,
  use: (content: Content) => Promise<T>,
): Promise<T> {
  const { path, size_bytes, sha256, md5 } = received;
  await using file = await open(path, "r");
  const withBytes = <R>(start: number, most: number, send: (bytes: Buffer) => Promise<R>) => {
    const length = Math.min(most, size_bytes - start);
    return room.with(length, async () => send(await readSlice(file, start, length)));
  };
  return await use({
    size_bytes,
    sha256,
    md5,
    withBytes,
    inParts: (part_bytes, send) =>
      inParts(Math.ceil(size_bytes / part_bytes), (index) =>
        withBytes(index * part_bytes, part_bytes, (bytes) => send({ index, bytes })),
      ),
  });
}

/** As many at once as one upload may have on the way. The first that fails ends it; nothing is on its way any more then. */
async function inParts<T>(count: number, send: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  let failed = false;
  const work = async () => {
    while (next < count && !failed) {
      const index = next++;
      try {
        results[index] = await send(index);
      } catch (thrown) {
        failed = true;
        throw thrown;
      }
    }
  };
  const workers = Array.from({ length: Math.min(count, limits.blobPartsAtOnce) }, work);
  const ended = await Promise.allSettled(workers);
  const broken = ended.find((each) => each.status === "rejected");
  if (broken) throw broken.reason;
  return results;
}

async function readSlice(file: FileHandle, start: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, start + done);
    if (bytesRead === 0) throw new Error("a received file became shorter");
    done += bytesRead;
  }
  return bytes;
}
