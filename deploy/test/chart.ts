/** The chart, rendered as helm does it, without a cluster. */
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import type { KubernetesObject } from "./schema.ts";
import { type Outcome, readObjects, repoRoot, run } from "./tools.ts";

export const chartPath = "deploy/helm/parley";

/** Every file of values, by its name: what the chart must come up with. */
export const valuesFiles: ReadonlyMap<string, string> = new Map(
  readdirSync(join(repoRoot, "deploy/helm/values")).map((file) => [
    basename(file, ".yaml"),
    join("deploy/helm/values", file),
  ]),
);

/** Secrets and claims that an installation with these values has to bring: no chart makes them. */
export const broughtAlong: readonly string[] = ["parley-database", "parley-vault", "backup-credentials"];

/** Generated passwords would be others in every rendering. */
const fixed = ["--set", "postgresql.password=golden-password,cnpg.password=golden-password"];

/** Rendered before, in this process: many rules look at the same objects. */
const rendered = new Map<string, Promise<Outcome>>();

/** Renders with a file of values, and with more `--set` after it. */
export function template(values: string, set: readonly string[] = []): Promise<Outcome> {
  const file = valuesFiles.get(values);
  if (file === undefined) throw new Error(`there is no deploy/helm/values/${values}.yaml`);
  const more = set.flatMap((each) => ["--set", each]);
  const args = ["template", "parley", chartPath, "--namespace", "parley", "--values", file, ...fixed, ...more];
  const key = args.join(" ");
  const outcome = rendered.get(key) ?? run("helm", args);
  rendered.set(key, outcome);
  return outcome;
}

/** The same, as objects. Throws with what helm says where it refuses. */
export async function renderChart(values: string, set: readonly string[] = []): Promise<KubernetesObject[]> {
  const { isGood, output, errors } = await template(values, set);
  if (!isGood) throw new Error(errors);
  return readObjects(output);
}
