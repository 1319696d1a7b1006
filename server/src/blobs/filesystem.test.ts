import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
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
