/** The database cluster that CloudNativePG looks after: that nothing acknowledged is lost, and that Parley finds it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { roleOf, schemas } from "../../server/src/db/roles.ts";
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

test("the database is made with the extension, and with each role of a domain for its owner", { skip }, async () => {
  const { spec } = await clusterIn("cnpg");
  const { postInitApplicationSQL: sql = [], owner, database } = spec.bootstrap.initdb ?? {};
  assert.deepEqual([owner, database], ["parley", "parley"]);
  assert.ok(sql.includes("create extension if not exists age"));
  assert.deepEqual(spec.postgresql.shared_preload_libraries, ["age"]);
  const made = schemas.map(roleOf).flatMap((role) => [`create role ${role} nologin`, `grant ${role} to parley`]);
  assert.deepEqual(sql.slice(1), made);
  // The operator prepares each, and several in one can not be.
  assert.ok(sql.every((each) => !each.includes(";")));
});

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

test("writes go to -rw, by the operator's Secret, and reads of history to -ro", { skip }, async () => {
  const name = (await clusterIn("cnpg")).metadata.name;
  const found = await servers();
  assert.equal(found.length, 2);
  for (const { workload, container } of found) {
    const env = new Map(container.env?.map((each) => [each.name, each]));
    assert.equal(env.get("DATABASE_URL")?.value, "file:///run/secrets/parley/DATABASE_URL");
    const volume = workload.spec.template.spec.volumes?.find((each) => each.name === "secrets");
    assert.equal(volume?.secret?.secretName, `${name}-app`);
    assert.deepEqual(volume?.secret?.items, [{ key: "uri", path: "DATABASE_URL" }]);
    assert.match(
      env.get("DATABASE_REPLICA_URLS")?.value ?? "",
      new RegExp(`\\$\\(DATABASE_PASSWORD\\)@${name}-ro:5432/`),
    );
    assert.deepEqual(env.get("DATABASE_PASSWORD")?.valueFrom?.secretKeyRef, { name: `${name}-app`, key: "password" });
    // A variable is put into those that stand behind it, and no others.
    const names = [...env.keys()];
    assert.ok(names.indexOf("DATABASE_PASSWORD") < names.indexOf("DATABASE_REPLICA_URLS"));
  }
});

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
