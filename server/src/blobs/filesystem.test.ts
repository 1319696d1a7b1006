import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { MatrixError, StartError } from "../errors.ts";
import { limits } from "../limits.ts";
import { realSeams } from "../seams.ts";
import { openFilesystemBlobs } from "./filesystem.ts";

test("a sweep takes away what a dead process left half written, and leaves what another one is writing", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "parley-blobs-"));
  t.after(() => rm(folder, { recursive: true }));
  const incoming = join(folder, "incoming");
  await mkdir(incoming);
  for (const name of ["dead", "alive"]) await writeFile(join(incoming, name), "half");
  const longAgo_s = (Date.now() - limits.uploadAbandoned_ms - 1_000) / 1_000;
  await utimes(join(incoming, "dead"), longAgo_s, longAgo_s);
  await (await openFilesystemBlobs(folder, realSeams)).sweep();
  assert.deepEqual(await readdir(incoming), ["alive"]);
});

test("G15: while the disk is full an upload fails with a hint when to try again, leaves nothing, and works when there is room", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "parley-full-"));
  t.after(() => rm(folder, { recursive: true }));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]);
  if (mounted.status !== 0) return t.skip("a file system of 1 MiB can not be mounted here: it takes root");
  try {
    const blobs = await openFilesystemBlobs(folder, realSeams);
    const full = blobs.put(Buffer.alloc(2 * 1_048_576, 7), { max_bytes: 3 * 1_048_576 });
    await assert.rejects(
      full,
      (error) => error instanceof MatrixError && error.status === 503 && !!error.retryAfter_ms,
    );
    assert.deepEqual(await readdir(join(folder, "incoming")), []);
    assert.deepEqual(await readdir(folder), ["incoming"]);
    await blobs.put(Buffer.alloc(100_000, 7), { max_bytes: 100_000 });
  } finally {
    spawnSync("umount", [folder]);
  }
});

test("a folder that can not be made stops the start with the setting that names it", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "parley-blobs-"));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "media"), "a file");
  await assert.rejects(openFilesystemBlobs(join(folder, "media"), realSeams), (error) => {
    assert.ok(error instanceof StartError);
    return /media.*can not be made.*PARLEY_DATA_DIR/.test(error.message);
  });
});
