// `npm run fuzz -- --requests 100000 --seed 7`: the long run, with a table at its end.

import { parseArgs } from "node:util";
import { seedOfRun } from "../log/random.ts";
import { specDir } from "../openapi/spec-dir.ts";
import { startTestServer } from "../server.ts";
import { fuzz } from "./run.ts";

const mebibyte = 2 ** 20;
/** What the heap may have grown by between a tenth of the run, when everything is warm, and its end. */
const growth_bytes = 64 * mebibyte;

const { values } = parseArgs({ options: { requests: { type: "string" }, seed: { type: "string" } } });
const requests = Number(values.requests ?? 10_000);
const seed = values.seed === undefined ? seedOfRun() : Number(values.seed);
if (!Number.isSafeInteger(requests) || requests < 1 || !Number.isSafeInteger(seed))
  throw new Error("Say --requests and --seed as whole numbers.");
const dir = specDir();
if (dir === undefined)
  throw new Error("There is no Matrix specification here: set MATRIX_SPEC_DIR to a checkout of it.");

const heap = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};
const shown = (bytes: number) => `${Math.round(bytes / mebibyte)} MiB`;

await using server = await startTestServer();
const start = heap();
let warm = 0;
const { failures, statuses, targets } = await fuzz({
  server,
  dir,
  requests,
  seed,
  onProgress(done) {
    if (warm === 0 && done >= requests / 10) warm = heap();
    if (done % 10_000 < 8) process.stderr.write(`${done} of ${requests}\n`);
  },
});
const end = heap();

const rows = [...statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `| ${status} | ${count} |`);
const memory = `heap: ${shown(start)} at the start, ${shown(warm)} after a tenth, ${shown(end)} at the end`;
process.stdout.write(
  `${requests} requests to ${targets} operations, seed ${seed}\n\n| status | answers |\n|---|---|\n${rows.join("\n")}\n\n${memory}\n`,
);
for (const failure of failures.slice(0, 50)) process.stdout.write(`\n${failure}\n`);
const hasGrown = globalThis.gc !== undefined && end - warm > growth_bytes;
process.stdout.write(`\n${failures.length} failures${hasGrown ? ", and memory grew" : ""}\n`);
process.exitCode = failures.length > 0 || hasGrown ? 1 : 0;
