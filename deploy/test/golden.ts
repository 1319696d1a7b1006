/**
 * What is written from other things and committed, so that a change of it is seen: the description of the release as the chart
 * reads it, and the chart rendered with each file of values. `node deploy/test/golden.ts --update` writes them.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readKnown } from "../../server/src/db/schema.ts";
import { chartData, chartDataPath } from "../src/chart-data.ts";
import { template, valuesFiles } from "./chart.ts";
import { repoRoot } from "./tools.ts";

const folder = "deploy/test/golden";

/** Migrations only ever become more, so how many there are is the version of the schema. */
async function schema(): Promise<number> {
  return (await readKnown()).length;
}

/** Each file that is written from others, with the text that it should have. The chart is rendered with the first of them. */
async function wanted(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const name of valuesFiles.keys()) {
    const { isGood, output, errors } = await template(name);
    if (!isGood) throw new Error(errors);
    // The number of migrations changes with every one of them, and with it nothing else here.
    files.set(`${folder}/${name}.yaml`, output.replaceAll(/-schema-\d+-/g, "-schema-0-"));
  }
  return files;
}

/** Files that are not as they should be, a sentence each. */
export async function outdated(): Promise<string[]> {
  const stale = textOf(chartDataPath) === chartData(await schema()) ? [] : [chartDataPath];
  const golden = await wanted();
  const different = [...golden].filter(([path, text]) => textOf(path) !== text).map(([path]) => path);
  const left = readdirSync(join(repoRoot, folder))
    .map((file) => `${folder}/${file}`)
    .filter((path) => !golden.has(path));
  return [...stale, ...different, ...left].map(
    (path) => `${path} is not what node deploy/test/golden.ts --update writes`,
  );
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(join(repoRoot, path), "utf8");
  } catch {
    return undefined;
  }
}

async function update(): Promise<void> {
  writeFileSync(join(repoRoot, chartDataPath), chartData(await schema()));
  const files = await wanted();
  rmSync(join(repoRoot, folder), { recursive: true, force: true });
  mkdirSync(join(repoRoot, folder));
  for (const [path, text] of files) writeFileSync(join(repoRoot, path), text);
}

if (import.meta.main) {
  if (process.argv[2] !== "--update") throw new Error("say --update to write the files");
  await update();
}
