import assert from "node:assert/strict";
import { spawn, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("main.ts", import.meta.url));

function help(stdio: SpawnOptions["stdio"]) {
  return spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, "help"], { stdio });
}

test("an answer that can not be written is not told as success", { skip: process.platform !== "linux" }, async () => {
  await using full = await open("/dev/full", "w");
  const child = help(["ignore", full.fd, "pipe"]);
  const [said, [code]] = await Promise.all([text(child.stderr as NodeJS.ReadableStream), once(child, "close")]);
  assert.match(said, /^The answer could not be written: .*ENOSPC.*\n$/);
  assert.equal(code, 1);
});

test("who has read enough of an answer is told of nothing, and the command ends as it does", async () => {
  const child = help(["ignore", "pipe", "pipe"]);
  child.stdout?.destroy();
  const [said, [code]] = await Promise.all([text(child.stderr as NodeJS.ReadableStream), once(child, "close")]);
  assert.deepEqual([said, code], ["", 0]);
});
