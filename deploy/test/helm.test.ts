/** The chart: rendered with every file of values, against schemas, invariants and golden files, and rule by rule. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { mounts, waves, workloads } from "../src/release.ts";
import { broughtAlong, chartPath, renderChart, template, valuesFiles } from "./chart.ts";
import { outdated } from "./golden.ts";
import { brokenInvariants } from "./invariants.ts";
import { environmentOf, ofKind, podsIn, secret } from "./invariants/objects.ts";
import { problemsOf } from "./kustomizations.ts";
import type { KubernetesObject } from "./schema.ts";
import { missingTools, readObjects, repoRoot, run } from "./tools.ts";

const skip = missingTools;

function textOf(path: string): string {
  return readFileSync(join(repoRoot, path), "utf8");
}

for (const [name, path] of valuesFiles) {
  test(`the chart with ${name}.yaml passes the linter, strictly`, { skip }, async () => {
    const { isGood, output, errors } = await run("helm", ["lint", "--strict", chartPath, "--values", path]);
    assert.ok(isGood, output + errors);
  });

  test(`the chart with ${name}.yaml is what an API server takes`, { skip }, async () => {
    const objects = await renderChart(name);
    const problems = await Promise.all(objects.map(problemsOf));
    assert.deepEqual(problems.flat(), []);
  });

  test(`the chart with ${name}.yaml keeps the invariants`, { skip }, async () => {
    assert.deepEqual(brokenInvariants(await renderChart(name), { given: broughtAlong }), []);
  });
}

test("what is written from other files is as they say", { skip }, async () => {
  assert.deepEqual(await outdated(), []);
});

test("the chart has the version of the release", () => {
  const { version } = JSON.parse(textOf("package.json")) as { version: string };
  const chart = parse(textOf(`${chartPath}/Chart.yaml`)) as Record<string, string>;
  assert.equal(chart["version"], version);
  assert.equal(chart["appVersion"], version);
});

test("values.yaml has every key of the starter chart's contract", () => {
  const ours = parse(textOf(`${chartPath}/values.yaml`)) as object;
  const theirs = parse(textOf("deploy/helm/values/starter.yaml")) as object;
  const missing = (wanted: object, own: object, path: string): string[] =>
    Object.entries(wanted).flatMap(([key, value]: [string, unknown]) => {
      const found = (own as Record<string, unknown>)[key];
      if (found === undefined) return [`${path}${key}`];
      const isTable = typeof value === "object" && value !== null && !Array.isArray(value);
      return isTable ? missing(value, found as object, `${path}${key}.`) : [];
    });
  assert.deepEqual(missing(theirs, ours, ""), []);
});

test("a key that the chart does not know is refused", { skip }, async () => {
  for (const set of ["api.imge=x", "apis.image=x", "ingress.host=x", "roles.auth.replica=2"]) {
    const { isGood, errors } = await template("minimal", [set]);
    assert.equal(isGood, false, set);
    assert.match(errors, /additional properties/i, set);
  }
});

const refusals: readonly (readonly [set: readonly string[], sentence: RegExp])[] = [
  [["ingress.hosts[0].host="], /Parley needs to know its host/],
  [["api.secrets.REDIS_URL=redis://x"], /never both/],
  [["externalSecrets.enabled=false", "externalSecrets.web.data.API_BASE_URL=x"], /externalSecrets.enabled is false/],
  [["postgresql.enabled=false"], /There is no database/],
  [["postgresql.enabled=true", "cnpg.enabled=true"], /There are two databases/],
  [["externalSecrets.api.data.DATABASE_URL=x", "cnpg.enabled=true"], /There are two databases/],
  [["api.env.DB_HOST=db", "cnpg.enabled=true"], /There are two databases/],
  [["autoscaling.enabled=false", "autoscaling.keda.enabled=true"], /keda.enabled needs autoscaling/],
  [["gatewayApi.enabled=true"], /needs gatewayApi.parentRefs/],
  [["media.storage=objects"], /needs api.env.STORAGE_PROVIDER/],
  [["cnpg.enabled=true", "cnpg.backup.enabled=true"], /needs cnpg.backup.destinationPath/],
  [["cnpg.enabled=true", "cnpg.recovery.enabled=true"], /cnpg.recovery.enabled needs cnpg.backup/],
  [["backup.enabled=true", "backup.target=objects"], /needs backup.objects.env.STORAGE_PROVIDER/],
  [["backup.objects.secretKeys={S3_ACCESS_KEY_ID}"], /need backup.objects.secretName/],
  [["cnpg.enabled=true", "cnpg.instances=2"], /cnpg.instances is 2: .* Set 3, or 1/],
  [
    ["postgresql.maxConnections=500"],
    /postgresql.maxConnections is 500, and the pods together may open \d+ connections/,
  ],
  [["cnpg.enabled=true", "cnpg.parameters.max_connections=100"], /cnpg.parameters.max_connections is 100/],
];

for (const [set, sentence] of refusals)
  test(`what can not be is refused in a sentence: ${set.join(", ")}`, { skip }, async () => {
    const { isGood, errors } = await template("minimal", set);
    assert.equal(isGood, false);
    assert.match(errors, sentence);
  });

test("what a release may be called and a Service may not is refused, or changed", { skip }, async () => {
  const named = (name: string) =>
    run("helm", ["template", name, chartPath, "--values", valuesFiles.get("minimal") as string]);
  const { isGood, errors } = await named("1st");
  assert.equal(isGood, false);
  assert.match(errors, /The release is called "1st", and the name of a Service has to begin with a letter: set/);
  const { output } = await named("chat.of.parley");
  assert.deepEqual(
    ofKind(readObjects(output), "Service").map(({ metadata }) => metadata.name),
    ["chat-of-parley-postgresql", "chat-of-parley-api", "chat-of-parley-web"],
  );
  const labels = readObjects((await named("true")).output).map(
    ({ metadata }) => metadata.labels?.["app.kubernetes.io/instance"],
  );
  assert.deepEqual([...new Set(labels)], ["true"]);
});

function jobOf(objects: readonly KubernetesObject[]): KubernetesObject {
  const [job, ...others] = ofKind(objects, "Job");
  assert.ok(job);
  assert.deepEqual(others, []);
  return job;
}

test("the migration is a Job whose name changes with what it runs, and nothing is a hook", { skip }, async () => {
  const [once, again, other] = await Promise.all([
    renderChart("minimal"),
    renderChart("minimal", ["logLevel=debug"]),
    renderChart("minimal", ["api.image=registry.example.org/parley:0.2.0"]),
  ]);
  assert.equal(jobOf(once).metadata.name, jobOf(again).metadata.name);
  assert.deepEqual(jobOf(once)["spec"], jobOf(again)["spec"]);
  assert.notEqual(jobOf(once).metadata.name, jobOf(other).metadata.name);
  assert.equal(JSON.stringify(once).includes("helm.sh/hook"), false);
  assert.equal(JSON.stringify(once).includes("argocd.argoproj.io/hook"), false);
});

test("the longest names are still names", { skip }, async () => {
  for (const values of ["split", "backup", "backup-objects", "production"]) {
    const objects = await renderChart(values, [`fullnameOverride=${"a".repeat(60)}`]);
    assert.deepEqual(brokenInvariants(objects, { given: broughtAlong }), [], values);
  }
});

test("a changed static secret rolls the pods that read it, and no others", { skip }, async () => {
  const checksums = async (set: readonly string[]) =>
    new Map(
      ofKind(await renderChart("static-secrets", set), "Deployment").map(({ metadata, ...rest }) => {
        const { template: pod } = rest["spec"] as { template: { metadata: { annotations: Record<string, string> } } };
        return [metadata.name, pod.metadata.annotations["parley.im/secrets-checksum"]];
      }),
    );
  const [before, after] = [await checksums([]), await checksums(["worker.secrets.NATS_URL=nats://x"])];
  assert.notEqual(before.get("parley-worker"), after.get("parley-worker"));
  assert.equal(before.get("parley-api"), after.get("parley-api"));
  assert.ok(before.get("parley-api"));
});

async function environments(values: string, set: readonly string[] = []): Promise<Map<string, Map<string, unknown>>> {
  const objects = await renderChart(values, set);
  return new Map(
    podsIn(objects).map(({ owner, spec: { containers } }) => [
      owner.metadata.labels?.["app.kubernetes.io/component"] ?? "",
      environmentOf(containers[0] as (typeof containers)[number], objects),
    ]),
  );
}

test(
  "somebody does what is done in the background, and somebody answers the console, whatever is left out",
  { skip },
  async () => {
    const rolesOf = async (set: readonly string[]) =>
      new Map(
        [...(await environments("minimal", set))].map(([name, env]) => [
          name,
          ((env.get("ROLES") ?? "") as string).split(","),
        ]),
      );
    const having = async (role: string, set: readonly string[]) =>
      [...(await rolesOf(set))].filter(([, roles]) => roles.includes(role)).map(([name]) => name);
    const isStatic = "web.image=ghcr.io/parley-im/parley-web:0.1.0";
    for (const [set, worker, web] of [
      [[], "api", "web"],
      [["worker.enabled=true"], "worker", "web"],
      [["roles.split=true"], "messages", "web"],
      [["roles.split=true", "worker.enabled=true"], "worker", "web"],
      [[isStatic], "api", "api"],
      [["roles.split=true", isStatic], "messages", "gateway"],
    ] as const)
      assert.deepEqual([await having("worker", set), await having("web", set)], [[worker], [web]], set.join());
  },
);

test(
  "only processes that bill, explore or sign people in have the keys for it, and get out to where it leads",
  { skip },
  async () => {
    const set = [
      "externalSecrets.enabled=false",
      "worker.enabled=true",
      "api.secrets.STRIPE_SECRET_KEY=sk_a,api.secrets.STRIPE_WEBHOOK_SECRET=whsec_a",
      "api.env.STRIPE_CUSTOMER_ID=cus_a,api.env.STRIPE_SEAT_PRICE_ID=price_a",
      "api.secrets.MASTER_ENCRYPTION_KEY=MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
      "api.env.PARLEY_EXPLORER_HOSTS=db.example.org",
    ];
    const found = await environments("minimal", set);
    const having = (name: string) => [...found].filter(([, env]) => env.has(name)).map(([component]) => component);
    for (const name of ["STRIPE_SECRET_KEY", "STRIPE_CUSTOMER_ID"])
      assert.deepEqual(having(name).toSorted(), ["web", "worker"], name);
    // The secrets of second factors are the role auth's.
    assert.deepEqual(having("MASTER_ENCRYPTION_KEY").toSorted(), ["api", "web", "worker"]);
    const split = [...(await environments("minimal", [...set, "roles.split=true"]))];
    const keepers = split.filter(([, env]) => env.has("MASTER_ENCRYPTION_KEY")).map(([component]) => component);
    assert.deepEqual(keepers.toSorted(), ["auth", "web", "worker"]);
    assert.deepEqual(having("PARLEY_EXPLORER_HOSTS"), ["web"]);
    const objects = await renderChart("minimal", set);
    assert.deepEqual(brokenInvariants(objects, { given: broughtAlong }), []);
  },
);

const retry = "ENABLE_BILLING_RETRY_WORKER";
const replay = "ENABLE_BILLING_STREAM_REPLAY";

test("with a worker the API does nothing of billing, unless it is told to", { skip }, async () => {
  const [without, withWorker, told] = [
    await environments("minimal"),
    await environments("minimal", ["worker.enabled=true"]),
    await environments("minimal", ["worker.enabled=true", `api.env.${retry}=true`]),
  ];
  assert.equal(without.get("api")?.has(retry), false);
  assert.deepEqual(
    [retry, replay].map((name) => withWorker.get("api")?.get(name)),
    ["false", "false"],
  );
  assert.deepEqual(
    [retry, replay].map((name) => told.get("api")?.get(name)),
    ["true", "false"],
  );
  const worker = told.get("worker");
  assert.deepEqual(
    [retry, replay].map((name) => worker?.get(name)),
    ["true", "true"],
  );
  assert.equal(worker?.get("BILLING_RETRY_DEPLOYMENT_MODE"), "dedicated");
});

test("each workload listens where the release says, has its roles, and drains as long", { skip }, async () => {
  for (const [name, env] of await environments("split")) {
    const workload = workloads[name as keyof typeof workloads];
    if (!workload) continue;
    assert.deepEqual(
      ["PARLEY_PORT", "PARLEY_METRICS_PORT", "ROLES", "PARLEY_DRAIN_MS"].map((setting) => env.get(setting)),
      [`${workload.port}`, `${workload.metricsPort}`, workload.roles.join(","), `${workload.drain_s * 1_000}`],
      name,
    );
  }
});

test(
  "secrets are files where the server reads files, and the owner of the schema is for the migration alone",
  { skip },
  async () => {
    const found = await environments("external-secrets", [
      "externalSecrets.api.data.DATABASE_REPLICA_URLS=prod/replicas",
    ]);
    assert.equal(found.get("api")?.get("DATABASE_URL"), "file:///run/secrets/parley/DATABASE_URL");
    assert.equal(found.get("api")?.get("REDIS_URL"), "file:///run/secrets/parley/REDIS_URL");
    assert.equal(found.get("api")?.get("DATABASE_REPLICA_URLS"), secret);
    assert.equal(found.get("api")?.has("DATABASE_OWNER_URL"), false);
    assert.equal(found.get("migrations")?.get("DATABASE_OWNER_URL"), "file:///run/secrets/parley/DATABASE_OWNER_URL");
    assert.equal(found.get("api")?.get("PARLEY_BUS"), "redis");
  },
);

test(
  "registrations of application services are mounted in every pod of the server, where its setting says",
  { skip },
  async () => {
    const set = ["appservices.secretName=parley-bridges"];
    const { output } = await template("split", set);
    const found = [...(await environments("split", set)).values()];
    const told = found.filter((env) => env.get("PARLEY_APPSERVICES") === mounts.appservices);
    const mounted = output.split(`{ name: appservices, mountPath: ${mounts.appservices}, readOnly: true }`).length - 1;
    assert.ok(told.length > 1);
    assert.equal(mounted, told.length);
    assert.equal(output.split("secretName: parley-bridges").length - 1, mounted);
    assert.ok([...(await environments("split")).values()].every((env) => !env.has("PARLEY_APPSERVICES")));
  },
);

test(
  "only pods that keep uploads, or put them into archives, have the keys of the object store",
  { skip },
  async () => {
    const found = await environments("minio");
    const having = [...found].filter(([, env]) => env.has("MINIO_SECRET_KEY") || env.has("STORAGE_PROVIDER"));
    assert.deepEqual(
      having.map(([name]) => name),
      ["media", "web"],
    );
  },
);

test("web asks for uploads where they are on a claim, and nobody else there", { skip }, async () => {
  const asked = async (...given: Parameters<typeof environments>) =>
    [...(await environments(...given))].flatMap(([name, env]) =>
      env.has("MEDIA_URL") ? [[name, env.get("MEDIA_URL")]] : [],
    );
  assert.deepEqual(await asked("minimal"), [["web", "http://parley-api:8080"]]);
  assert.deepEqual(await asked("minio", ["roles.split=false"]), []);
  const media = "http://parley-media:8085";
  assert.deepEqual(await asked("split"), [
    ["gateway", media],
    ["web", media],
  ]);
  assert.deepEqual(await asked("minio"), [["gateway", media]]);
  assert.deepEqual(await asked("minimal", ["web.image=ghcr.io/parley-im/parley-web:0.1.0"]), []);
});

test("whatever reads the database's address from a provider of secrets can ask it", { skip }, async () => {
  const objects = await renderChart("vault");
  const containers = podsIn(objects).flatMap(({ spec: pod }) => [...(pod.initContainers ?? []), ...pod.containers]);
  for (const container of containers) {
    const env = environmentOf(container, objects);
    assert.equal(env.get("DATABASE_URL"), "secret://parley/database-url", container.name);
    assert.equal(env.get("VAULT_TOKEN"), "file:///run/secrets/parley/VAULT_TOKEN", container.name);
  }
});

test("the static web image has an address of the API and nothing else", { skip }, async () => {
  const env = (await environments("starter")).get("web");
  assert.deepEqual([...(env ?? [])], [["API_BASE_URL", "http://parley-api:8080"]]);
});

test("what is there first is applied first", { skip }, async () => {
  const wave = (object: KubernetesObject | undefined) =>
    Number(object?.metadata.annotations?.["argocd.argoproj.io/sync-wave"]);
  const objects = await renderChart("minimal");
  const order = ["Secret", "StatefulSet", "Job", "Deployment", "Ingress"].map((kind) => wave(ofKind(objects, kind)[0]));
  assert.deepEqual(order, [waves.configuration, waves.postgresql, waves.migrations, waves.workloads, waves.edge]);
});

test(
  "pods that one node's volume ties together have no budget, which would keep the node from being drained",
  { skip },
  async () => {
    const budgets = async (set: readonly string[]) =>
      ofKind(await renderChart("minimal", set), "PodDisruptionBudget").map(({ metadata }) => metadata.name);
    assert.deepEqual(await budgets([]), ["parley-web"]);
    assert.deepEqual(await budgets(["media.accessMode=ReadWriteMany"]), ["parley-api", "parley-web"]);
  },
);

test("a claim that one node mounts keeps its pods together, one that all mount does not", { skip }, async () => {
  const affinityOf = async (set: readonly string[]) =>
    podsIn(ofKind(await renderChart("minimal", set), "Deployment"))[0]?.spec as { affinity?: object } | undefined;
  assert.ok((await affinityOf([]))?.affinity);
  assert.equal((await affinityOf(["media.accessMode=ReadWriteMany"]))?.affinity, undefined);
});
