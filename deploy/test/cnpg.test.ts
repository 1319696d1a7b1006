/** The database cluster that CloudNativePG looks after: that nothing acknowledged is lost, and that Parley finds it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Container, Workload } from "./executed-manifests.ts";
import { objectsOf } from "./kustomizations.ts";
import type { KubernetesObject } from "./schema.ts";
import { missingTools, repoRoot } from "./tools.ts";

const skip = missingTools;

interface Cluster extends KubernetesObject {
  spec: {
    instances: number;
    imageName: string;
    enablePDB?: boolean;
    enableSuperuserAccess: boolean;
    postgresql: {
      synchronous?: { method: string; number: number; dataDurability: string; failoverQuorum: boolean };
      shared_preload_libraries: string[];
      parameters: Record<string, string>;
    };
    bootstrap: {
      initdb?: { owner: string; database: string; postInitApplicationSQL: string[] };
      recovery?: { source: string };
    };
    externalClusters?: { name: string; plugin: { name: string; parameters: Record<string, string> } }[];
    plugins?: { name: string; isWALArchiver: boolean; parameters: Record<string, string> }[];
    managed?: { roles: { name: string; passwordSecret: { name: string } }[] };
    storage: { size: string };
  };
}

async function clusterIn(name: string): Promise<Cluster> {
  return (await objectsOf(name)).find(({ kind }) => kind === "Cluster") as Cluster;
}

test("a commit waits for a second of three disks, rather than being answered with one", { skip }, async () => {
  const { spec } = await clusterIn("cnpg");
  assert.equal(spec.instances, 3);
  assert.deepEqual(spec.postgresql.synchronous, {
    method: "any",
    number: 1,
    dataDurability: "required",
    failoverQuorum: true,
  });
  for (const name of ["synchronous_commit", "fsync", "full_page_writes"])
    assert.equal(spec.postgresql.parameters[name], "on", name);
  assert.deepEqual([spec.enablePDB, spec.enableSuperuserAccess], [true, false]);
});

test(
  "the database is made with the extension, an owner that makes the roles, and a user that owns nothing",
  { skip },
  async () => {
    const { spec } = await clusterIn("cnpg");
    const { postInitApplicationSQL: sql = [], owner, database } = spec.bootstrap.initdb ?? {};
    assert.deepEqual([owner, database], ["parley_owner", "parley"]);
    assert.ok(sql.includes("create extension if not exists age"));
    // What docs/operations/access-graph.md says that an administrator runs.
    const guide = readFileSync(join(repoRoot, "docs/operations/access-graph.md"), "utf8");
    const grants = guide.match(/^grant .* to parley_graph;$/gm) ?? [];
    assert.equal(grants.length, 3);
    for (const grant of grants) assert.ok(sql.includes(grant.slice(0, -1)), grant);
    assert.deepEqual(spec.postgresql.shared_preload_libraries, ["age"]);
    assert.ok(sql.includes("alter role parley_owner createrole createdb"));
    assert.ok(sql.includes("create role parley login"));
    assert.deepEqual(
      spec.managed?.roles.map(({ name, passwordSecret }) => [name, passwordSecret.name]),
      [["parley", "parley-db-serving"]],
    );
    // The operator prepares each, and several in one can not be.
    assert.ok(sql.every((each) => !each.includes(";")));
  },
);

test("the image of the cluster, and of the drill, is the one that is built here", { skip }, async () => {
  const text = readFileSync(join(repoRoot, "deploy/cnpg/image/Dockerfile"), "utf8");
  const [, base] = /POSTGRESQL_IMAGE=ghcr\.io\/cloudnative-pg\/postgresql:([\d.]+)/.exec(text) ?? [];
  for (const name of ["cnpg", "cnpg-restore-drill"]) {
    const { imageName } = (await clusterIn(name)).spec;
    // By what its tag begins with the operator knows the version of PostgreSQL.
    assert.equal(imageName, `ghcr.io/parley-im/parley-postgresql-age:${base}`);
    assert.ok(text.includes(`docker build -f deploy/cnpg/image/Dockerfile -t ${imageName} `));
  }
  assert.match(text, /^USER 26\s*$/m);
});

/** The first container of each of Parley's Deployments. */
async function servers(): Promise<{ workload: Workload; container: Container }[]> {
  const deployments = (await objectsOf("cnpg")).filter(({ kind }) => kind === "Deployment") as Workload[];
  const all = deployments.map((workload) => ({
    workload,
    container: workload.spec.template.spec.containers[0] as Container,
  }));
  return all.filter(({ container }) => container.args?.[0] === "serve");
}

test(
  "the pods serve as the user that owns nothing, writes by -rw and reads of history by -ro; the migration has the owner",
  { skip },
  async () => {
    const name = (await clusterIn("cnpg")).metadata.name;
    const found = await servers();
    assert.equal(found.length, 2);
    for (const { workload, container } of found) {
      const env = new Map(container.env?.map((each) => [each.name, each]));
      assert.equal(env.get("DATABASE_URL")?.value, "file:///run/secrets/parley/DATABASE_URL");
      const volume = workload.spec.template.spec.volumes?.find((each) => each.name === "secrets");
      assert.equal(volume?.secret?.secretName, `${name}-serving`);
      assert.deepEqual(volume?.secret?.items, [{ key: "DATABASE_URL", path: "DATABASE_URL" }]);
      assert.deepEqual(env.get("DATABASE_REPLICA_URLS")?.valueFrom?.secretKeyRef, {
        name: `${name}-serving`,
        key: "DATABASE_REPLICA_URLS",
      });
    }
    const objects = await objectsOf("cnpg");
    const made = JSON.stringify(
      objects.find(({ kind, metadata }) => kind === "Job" && metadata.name === "credentials"),
    );
    for (const [key, service] of [
      ["DATABASE_URL", "rw"],
      ["DATABASE_REPLICA_URLS", "ro"],
    ])
      assert.ok(made.includes(`\\"${key}\\": \\"postgres://parley:{password}@${name}-${service}:5432/parley\\"`), key);
    const schema = objects.find(
      ({ kind, metadata }) => kind === "Job" && metadata.name.startsWith("schema-"),
    ) as Workload;
    const sources = schema.spec.template.spec.volumes?.find((each) => each.name === "secrets")?.projected?.sources;
    assert.deepEqual(
      sources?.map(({ secret }) => [secret?.name, secret?.items?.map(({ path }) => path)]),
      [
        [`${name}-serving`, ["DATABASE_URL"]],
        [`${name}-app`, ["DATABASE_OWNER_URL"]],
      ],
    );
  },
);

test(
  "a recovery reads what the cluster before archived, writes under another name, and no pod serves before its epoch",
  { skip },
  async () => {
    const objects = await objectsOf("cnpg-recovered");
    const cluster = await clusterIn("cnpg-recovered");
    const [source] = cluster.spec.externalClusters ?? [];
    assert.equal(cluster.spec.bootstrap.initdb, undefined);
    assert.equal(cluster.spec.bootstrap.recovery?.source, source?.name);
    const before = (await clusterIn("cnpg-with-backup")).metadata.name;
    assert.equal(source?.plugin.parameters["serverName"], before);
    assert.notEqual(cluster.spec.plugins?.[0]?.parameters["serverName"] ?? before, before);
    const deployments = objects.filter(({ kind }) => kind === "Deployment") as Workload[];
    const serving = deployments.filter(({ spec }) => spec.template.spec.containers[0]?.args?.[0] === "serve");
    assert.deepEqual(
      serving.map(({ spec }) => spec.replicas),
      serving.map(() => 0),
    );
    const epoch = objects.find(({ kind, metadata }) => kind === "Job" && metadata.name === "restore-epoch") as Workload;
    const { initContainers = [], containers } = epoch.spec.template.spec;
    assert.deepEqual(
      [...initContainers, ...containers].map(({ args }) => args?.join(" ")),
      [undefined, "restore epoch --once", "restore verify --no-files"],
    );
  },
);

test(
  "backups are made by the plugin, archived without a pause, into the store that the drill reads",
  { skip },
  async () => {
    const objects = await objectsOf("cnpg-with-backup");
    const cluster = await clusterIn("cnpg-with-backup");
    const store = objects.find(({ kind }) => kind === "ObjectStore");
    const [plugin] = cluster.spec.plugins ?? [];
    assert.deepEqual(plugin, {
      name: "barman-cloud.cloudnative-pg.io",
      isWALArchiver: true,
      parameters: { barmanObjectName: store?.metadata.name },
    });
    const scheduled = objects.find(({ kind }) => kind === "ScheduledBackup")?.["spec"] as {
      cluster: { name: string };
      pluginConfiguration: { name: string };
    };
    assert.deepEqual(
      [scheduled.cluster.name, scheduled.pluginConfiguration.name],
      [cluster.metadata.name, plugin?.name],
    );
    const drill = await clusterIn("cnpg-restore-drill");
    const [source] = drill.spec.externalClusters ?? [];
    assert.equal(drill.spec.bootstrap.recovery?.source, source?.name);
    assert.deepEqual(source?.plugin, {
      name: plugin?.name,
      parameters: { barmanObjectName: store?.metadata.name, serverName: cluster.metadata.name },
    });
  },
);

test(
  "a drill has room for what is restored, is let in by the policies, and writes nothing into the store",
  { skip },
  async () => {
    const [cluster, drill] = [await clusterIn("cnpg"), await clusterIn("cnpg-restore-drill")];
    assert.equal(drill.spec.plugins, undefined);
    assert.equal(drill.spec.storage.size, cluster.spec.storage.size);
    // A recovery refuses less than the primary had.
    assert.equal(
      drill.spec.postgresql.parameters["max_connections"],
      cluster.spec.postgresql.parameters["max_connections"],
    );
    const policies = JSON.stringify((await objectsOf("cnpg")).filter(({ kind }) => kind === "NetworkPolicy"));
    assert.ok(policies.includes(drill.metadata.name));
    const job = (await objectsOf("cnpg-restore-drill")).find(({ kind }) => kind === "Job") as Workload;
    const { containers, initContainers, volumes } = job.spec.template.spec;
    assert.deepEqual(containers[0]?.args, ["restore", "verify", "--no-files"]);
    assert.match(initContainers?.[0]?.command?.join(" ") ?? "", new RegExp(` -h ${drill.metadata.name}-rw `));
    assert.equal(volumes?.[0]?.secret?.secretName, `${drill.metadata.name}-app`);
    assert.equal(job.spec.template.metadata.labels["parley.im/uses-postgresql"], "true");
  },
);
