/** The log of a process in trouble: what it has said is written, and a log that can not be written does not end it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync } from "node:fs";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { lastWords } from "./last-words.ts";

/** A process that has a logger `log`, and says its last words. */
function run(code: string, standardError: "pipe" | number = "pipe") {
  const from = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
  const begin = `import { createLogger } from ${from("./logger.ts")}; import { sayLastWords } from ${from("./last-words.ts")};`;
  const args = ["--input-type=module", "-e", `${begin} sayLastWords(); const log = createLogger("info"); ${code}`];
  return spawn(process.execPath, args, { stdio: ["ignore", "pipe", standardError] });
}

async function saidBy(code: string): Promise<{ code: number | null; lines: { level: number; msg: string }[] }> {
  const child = run(code);
  const [said, [status]] = await Promise.all([text(child.stderr as never), once(child, "close")]);
  return {
    code: status as number,
    lines: said
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  };
}

for (const [what, end] of [
  ["a throw", `setTimeout(() => { logMany("last"); throw new Error("in a timer"); }, 50);`],
  ["a rejection", `setTimeout(() => { logMany("last"); Promise.reject(new Error("in a timer")); }, 50);`],
] as const)
  test(`${what} that nobody caught is one line after all others, and the code 1`, async () => {
    const many = `const logMany = (when) => { for (let i = 0; i < 2_000; i++) log.info(when + " " + i); };`;
    const { code, lines } = await saidBy(`${many} log.info("first"); ${end}`);
    assert.equal(code, 1);
    const expected = ["first", ...Array.from({ length: 2_000 }, (_, i) => `last ${i}`)];
    const others = lines.slice(0, -1).map(({ msg }) => msg);
    assert.deepEqual(others, expected);
    const { level, err, origin } = lines.at(-1) as never as { level: number; err: Error; origin: string };
    assert.deepEqual([level, err.message], [60, "in a timer"]);
    assert.match(origin, what === "a throw" ? /^uncaughtException$/ : /^unhandledRejection$/);
  });

test("last words name what happened, and neither an account nor what a library has hung on its error", () => {
  const thrown = Object.assign(new TypeError("no way to postgres://ana:secret-1@db/parley"), {
    code: "ECONNRESET",
    client: { password: "secret-2" },
    parameters: ["secret-3"],
  });
  const said = lastWords(thrown, "uncaughtException");
  assert.doesNotMatch(said, /secret|ana/);
  const { err } = JSON.parse(said);
  assert.deepEqual([err.type, err.message, err.code], ["TypeError", "no way to postgres://db/parley", "ECONNRESET"]);
  assert.match(err.stack, /logger\.test\.ts/);
  assert.equal(JSON.parse(lastWords("a text", "uncaughtException")).err.message, "a text");
});

const full = "/dev/full";

test(
  "a disk that is full of logs neither ends the process nor keeps it from ending",
  { skip: !existsSync(full) && `${full} is not here`, timeout: 30_000 },
  async () => {
    const pause = "await new Promise((resolve) => setTimeout(resolve, 50));";
    const child = run(
      `log.info("a"); ${pause} log.info("b"); ${pause} log.info("c"); console.log("done");`,
      openSync(full, "w"),
    );
    const [said, [code]] = await Promise.all([text(child.stdout as never), once(child, "close")]);
    assert.deepEqual([said, code], ["done\n", 0]);
  },
);
