/** The chart and its database: as whom pods connect, how often, and how its address is given. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { schemasOf } from "../../server/src/db/roles.ts";
import { keepersOf, shapes, type WorkloadName, workloads } from "../src/release.ts";
import { broughtAlong, renderChart } from "./chart.ts";
import { brokenInvariants } from "./invariants.ts";
import { ofKind, podsIn } from "./invariants/objects.ts";
import { missingTools } from "./tools.ts";

const skip = missingTools;

test("a database that is given in parts is given, and every pod that asks it has them", { skip }, async () => {
  const parts = ["DB_HOST=db.example.org", "DB_NAME=parley", "DB_USER=parley"].map((each) => `api.env.${each}`);
  const objects = await renderChart("minimal", [
    ...parts,
    "api.secretName=parley-database",
    "api.secretKeys={DB_PASSWORD}",
  ]);
  assert.deepEqual(brokenInvariants(objects, { given: broughtAlong }), []);
  assert.deepEqual(ofKind(objects, "StatefulSet"), []);
  for (const { title, spec } of podsIn(objects))
    for (const { name, env = [] } of [...(spec.initContainers ?? []), ...spec.containers])
      assert.deepEqual(
        env
          .map((each) => each.name)
          .filter((each) => /^(DB_|DATABASE)/.test(each))
          .toSorted(),
        ["DB_HOST", "DB_NAME", "DB_PASSWORD", "DB_USER"],
        `${title}, ${name}`,
      );
});

/** What the database takes, of the chart's own and of CloudNativePG's. */
async function mostConnections(set: readonly string[]): Promise<number> {
  const text = JSON.stringify(await renderChart("minimal", set));
  return Number(/max_connections(?:=|":")(\d+)/.exec(text)?.[1]);
}

test(
  "the database takes as many connections as all pods together may open, whatever their shape",
  { skip },
  async () => {
    // Without a worker the API does what is done in the background: as one Deployment, or the one of messages.
    const keepers: readonly WorkloadName[] = [keepersOf.together.worker, keepersOf.split.worker];
    const rolesOf = (name: WorkloadName) =>
      keepers.includes(name) ? ([...workloads[name].roles, "worker"] as const) : workloads[name].roles;
    const open = (name: WorkloadName, connections: number) => schemasOf(rolesOf(name)).length * connections + 2;
    const together = 11 * (open("api", 4) + open("web", 1)) + 30;
    const split = shapes.split
      .filter((name) => name !== "worker")
      .reduce((sum, name) => sum + 11 * open(name, name === "web" ? 1 : 4), 30);
    for (const cnpg of [[], ["cnpg.enabled=true"]]) {
      assert.equal(await mostConnections(cnpg), Math.ceil(together / 250) * 250);
      assert.equal(await mostConnections([...cnpg, "roles.split=true"]), Math.ceil(split / 250) * 250);
    }
    assert.equal(await mostConnections(["autoscaling.enabled=false"]), 500);
    assert.equal(await mostConnections([`postgresql.maxConnections=${together}`]), together);
    await assert.rejects(
      mostConnections([`postgresql.maxConnections=${together - 1}`]),
      new RegExp(`may open ${together} `),
    );
  },
);

test(
  "on CloudNativePG the pods serve as a user that owns nothing; who owns the schema is the migration's",
  { skip },
  async () => {
    const objects = await renderChart("production");
    const { bootstrap, managed } = ofKind(objects, "Cluster").map((each) => each["spec"])[0] as {
      bootstrap: { initdb: { owner: string } };
      managed: { roles: { name: string; passwordSecret: { name: string } }[] };
    };
    assert.equal(bootstrap.initdb.owner, "parley_owner");
    assert.deepEqual(
      managed.roles.map(({ name, passwordSecret }) => [name, passwordSecret.name]),
      [["parley", "parley-postgresql-serving"]],
    );
    const secrets = (pods: (typeof all)[number]) =>
      pods.spec.volumes?.flatMap((each) => (each as Projected).projected?.sources ?? []).map(({ secret: at }) => at);
    const all = podsIn(objects);
    assert.ok(all.some(({ title }) => title.startsWith("Job")) && all.some(({ title }) => !title.startsWith("Job")));
    for (const pods of all) {
      const read = secrets(pods) ?? [];
      const keys = read.flatMap(({ name, items }) => items.map(({ key, path }) => `${name} ${key} ${path}`));
      assert.ok(keys.includes("parley-postgresql-serving DATABASE_URL DATABASE_URL"), pods.title);
      const isMigration = pods.title.startsWith("Job");
      assert.equal(keys.includes("parley-postgresql-app uri DATABASE_OWNER_URL"), isMigration, pods.title);
    }
  },
);

interface Projected {
  projected?: { sources: { secret: { name: string; items: { key: string; path: string }[] } }[] };
}
