import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { withLock } from "./lock.mjs";

const scratch = mkdtempSync(join(tmpdir(), "parley-lock-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

test("of many processes one at a time has the lock", async () => {
  const log = join(scratch, "log");
  writeFileSync(log, "");
  const program = `
    import { appendFileSync } from "node:fs";
    import { setTimeout as wait } from "node:timers/promises";
    import { withLock } from ${JSON.stringify(import.meta.resolve("./lock.mjs"))};
    await withLock(${JSON.stringify(scratch)}, async () => {
      appendFileSync(${JSON.stringify(log)}, "in ");
      await wait(20);
      appendFileSync(${JSON.stringify(log)}, "out ");
    });`;
  const children = Array.from({ length: 5 }, () => spawn(process.execPath, ["--input-type=module", "-e", program]));
  const codes = await Promise.all(children.map(async (child) => (await once(child, "exit"))[0]));
  assert.deepEqual(codes, [0, 0, 0, 0, 0]);
  assert.equal(readFileSync(log, "utf8"), "in out ".repeat(5));
});

test("the lock of a process that died is no obstacle", async () => {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  writeFileSync(join(scratch, `setup-${child.pid}.lock`), "");
  assert.equal(await withLock(scratch, async () => "done"), "done");
  assert.deepEqual(
    readdirSync(scratch).filter((name) => name.endsWith(".lock")),
    [],
  );
});
