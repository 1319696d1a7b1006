/**
 * What the kustomizations render, committed, so that a change of it is seen where it is reviewed, and the number of the schema in the
 * name of the Job that migrates. `node deploy/test/kustomize-golden.ts --update` writes both.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readKnown } from "../../server/src/db/schema.ts";
import { installations, parts } from "./kustomizations.ts";
import { repoRoot, run } from "./tools.ts";

const folder = "deploy/test/generated";
const job = "deploy/kustomize/base/schema/job.yaml";
/** Parts are in their installations, object for object: but for the drill, which is applied beside. */
const kept = { ...installations, "cnpg-restore-drill": parts["cnpg-restore-drill"] as { path: string } };

const absolute = (path: string) => join(repoRoot, path);

async function renderedText(path: string): Promise<string> {
  const { isGood, output, errors } = await run("kubectl", ["kustomize", path]);
  if (!isGood) throw new Error(errors);
  return output;
}

/** Each file that is written, with the text that it should have. */
async function wanted(): Promise<Map<string, string>> {
  const entries = Object.entries(kept).map(
    async ([name, { path }]) => [`${folder}/${name}.yaml`, await renderedText(path)] as const,
  );
  return new Map(await Promise.all(entries));
}

async function jobText(): Promise<string> {
  return readFileSync(absolute(job), "utf8").replace(
    /^ {2}name: schema-\d+$/m,
    `  name: schema-${(await readKnown()).length}`,
  );
}

/** Files that are not as they should be. */
export async function outdated(): Promise<string[]> {
  const golden = await wanted();
  const there = readdirSync(absolute(folder)).map((name) => `${folder}/${name}`);
  return [
    ...((await jobText()) === readFileSync(absolute(job), "utf8") ? [] : [job]),
    ...[...golden]
      .filter(([path, text]) => !there.includes(path) || readFileSync(absolute(path), "utf8") !== text)
      .map(([path]) => path),
    ...there.filter((path) => !golden.has(path)),
  ];
}

async function update(): Promise<void> {
  writeFileSync(absolute(job), await jobText());
  mkdirSync(absolute(folder), { recursive: true });
  for (const [path, text] of await wanted()) writeFileSync(absolute(path), text);
}

if (import.meta.main) {
  if (process.argv[2] !== "--update") throw new Error("say --update to write the files");
  await update();
}
