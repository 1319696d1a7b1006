/** Blobs as files: `<folder>/<ab>/<hash>`. A file is written under another name, synced, and renamed when its hash is known. */
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Seams } from "../seams.ts";
import { type Blobs, nameOf } from "./blobs.ts";
import { openSpool, PRIVATE_FOLDER, type Received, statIfThere } from "./spool.ts";

const PROBE = Buffer.from("parley");

/** Opens the store. `sweep` throws away uploads that a killed process left half done; those of other processes go on. */
export async function openFilesystemBlobs(folder: string, seams: Seams): Promise<Blobs> {
  const spool = await openSpool({ folder: join(folder, "incoming"), seams, isFinal: true });
  const pathOf = (sha256: string) => join(folder, nameOf(sha256));
  return {
    async put(content, { max_bytes }) {
      const received = await spool.receive(content, max_bytes);
      try {
        await publish(folder, received, pathOf(received.sha256));
      } catch (thrown) {
        await received.discard();
        throw thrown;
      }
      return { sha256: received.sha256, size_bytes: received.size_bytes };
    },
    async get(sha256, range) {
      const path = pathOf(sha256);
      return (await statIfThere(path)) ? createReadStream(path, range) : undefined;
    },
    async remove(sha256) {
      await rm(pathOf(sha256), { force: true });
    },
    async probe() {
      const received = await spool.receive(PROBE, PROBE.length);
      await received.discard();
    },
    sweep: () => spool.dropAbandoned(),
    close: async () => {},
  };
}

async function publish(folder: string, { path: temporary }: Received, path: string): Promise<void> {
  const isNew = (await mkdir(dirname(path), { recursive: true, mode: PRIVATE_FOLDER })) !== undefined;
  if (isNew) await syncFolder(folder);
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

/** Without this the rename may be lost in a crash although the file's bytes are on disk. */
async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}
