/** What Argo CD is told: Applications against their schema and against what they name, and its health checks, run. */
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { stringify } from "yaml";
import { missingService, type Service, startService } from "../../testkit/src/services.ts";
import { images } from "../src/release.ts";
import { objectsOf, problemsOf } from "./kustomizations.ts";
import { evalLua } from "./lua.ts";
import type { KubernetesObject } from "./schema.ts";
import { missingTools, readObjects, render, repoRoot } from "./tools.ts";

const folder = join(repoRoot, "deploy/argocd");
const skip = missingTools;
const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((each) => each.endsWith(".yaml"));
const objects = files.flatMap((name) => readObjects(readFileSync(join(folder, name), "utf8")));

interface Application extends KubernetesObject {
  spec: {
    project: string;
    destination: { namespace: string; server: string };
    source: {
      repoURL: string;
      path?: string;
      chart?: string;
      targetRevision: string;
      helm?: { valuesObject?: object };
      kustomize?: { patches: { patch: string }[] };
    };
    ignoreDifferences?: { kind: string; name?: string; jsonPointers: string[] }[];
    syncPolicy: { automated: { prune: boolean; selfHeal: boolean }; syncOptions: string[] };
  };
}
const applications = objects.filter(({ kind }) => kind === "Application") as Application[];
const named = (name: string) => applications.find(({ metadata }) => metadata.name === name) as Application;

test("every object is as Argo CD's schema has it, without a field that nobody knows", async () => {
  assert.ok(applications.length >= 4);
  for (const object of objects) {
    assert.deepEqual(await problemsOf(object), []);
    assert.equal(object.metadata.namespace, "argocd", object.metadata.name);
    if (object.kind !== "ConfigMap") {
      const wrong = { ...structuredClone(object), spec: { ...(object["spec"] as object), nobodyKnowsThis: 1 } };
      assert.ok((await problemsOf(wrong)).length > 0, object.metadata.name);
    }
  }
});

test("what is in the repository is in the cluster: pruned, and changed back", () => {
  for (const { metadata, spec } of applications) {
    assert.deepEqual(spec.syncPolicy.automated, { prune: true, selfHeal: true }, metadata.name);
    assert.ok(spec.syncPolicy.syncOptions.includes("ServerSideApply=true"), metadata.name);
  }
});

test("Applications may do what the project lets them, and nothing is in the namespace default", () => {
  const project = objects.find(({ kind }) => kind === "AppProject") as KubernetesObject & {
    spec: { sourceRepos: string[]; destinations: { namespace: string; server: string }[] };
  };
  for (const { metadata, spec } of applications) {
    assert.equal(spec.project, project.metadata.name);
    assert.ok(project.spec.sourceRepos.includes(spec.source.repoURL), metadata.name);
    const { namespace, server } = spec.destination;
    assert.ok(project.spec.destinations.some((each) => each.namespace === namespace && each.server === server));
    assert.notEqual(namespace, "default");
  }
});

test("the paths of Applications are in the repository", () => {
  for (const { spec } of applications)
    if (spec.source.path !== undefined) assert.ok(existsSync(join(repoRoot, spec.source.path)), spec.source.path);
});

test("images follow versions or digests, never the latest, and are those of the release", () => {
  const followed = applications.filter(({ metadata }) =>
    Object.keys(metadata.annotations ?? {}).some((key) => key.startsWith("argocd-image-updater")),
  );
  assert.deepEqual(followed.map(({ metadata }) => metadata.name).toSorted(), ["parley", "parley-minikube"]);
  for (const { metadata } of followed) {
    const of = (key: string) => metadata.annotations?.[`argocd-image-updater.argoproj.io/${key}`] ?? "";
    assert.match(of("image-list"), new RegExp(`^parley=${images.server}:~\\d+\\.\\d+$`));
    assert.match(of("parley.update-strategy"), /^(semver|digest)$/);
    const tags = new RegExp(of("parley.allow-tags").replace("regexp:", ""));
    assert.ok(tags.test("0.1.7") && !tags.test("latest") && !tags.test("0.1.7-rc.1"));
  }
});

/** As Argo CD renders the Application: with its patches. */
async function renderApplication({ spec: { source } }: Application): Promise<KubernetesObject[]> {
  const copy = mkdtempSync(join(tmpdir(), "parley-argocd-"));
  try {
    cpSync(join(repoRoot, "deploy/kustomize"), join(copy, "deploy/kustomize"), { recursive: true });
    const patched = { resources: [join("..", source.path ?? "")], patches: source.kustomize?.patches ?? [] };
    cpSync(join(repoRoot, source.path ?? ""), join(copy, "site"), { recursive: true });
    writeFileSync(join(copy, "site", "kustomization.yaml"), stringify(patched));
    return await render("kubectl", ["kustomize", join(copy, "site")]);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

test(
  "Jobs that are done stay, or Argo CD would run them again and again; nothing else is another",
  { skip },
  async () => {
    const withoutEnd = (object: KubernetesObject) => {
      const copy = structuredClone(object) as KubernetesObject & { spec?: { ttlSecondsAfterFinished?: number } };
      if (copy.kind === "Job") delete copy.spec?.ttlSecondsAfterFinished;
      return copy;
    };
    const rendered = await renderApplication(named("parley-minikube"));
    assert.deepEqual(rendered, (await objectsOf("minikube")).map(withoutEnd));
    assert.doesNotMatch(JSON.stringify(rendered), /ttlSecondsAfterFinished/);
  },
);

test(
  "the chart takes the values of its Application, and a password that it makes is kept from then on",
  { skip },
  async () => {
    const { source } = named("parley").spec;
    const directory = mkdtempSync(join(tmpdir(), "parley-argocd-"));
    try {
      const values = join(directory, "values.yaml");
      writeFileSync(values, stringify(source.helm?.valuesObject));
      const args = ["template", "parley", join(repoRoot, source.path ?? ""), "--namespace", "parley", "-f", values];
      const [first, second] = await Promise.all([render("helm", args), render("helm", args)]);
      // Argo CD renders again every few minutes: what is random would change each time, unless what is there is kept.
      const { ignoreDifferences = [], syncPolicy } = named("parley").spec;
      const isKept = ({ kind, metadata }: KubernetesObject) =>
        ignoreDifferences.some((each) => each.kind === kind && each.name === metadata.name);
      assert.ok(syncPolicy.syncOptions.includes("RespectIgnoreDifferences=true"));
      const kept = first.filter(isKept);
      assert.deepEqual(
        kept.map(({ metadata }) => metadata.name),
        ["parley-postgresql-serving"],
      );
      const others = (objects: readonly KubernetesObject[]) => objects.filter((each) => !isKept(each));
      assert.deepEqual(others(first), others(second));
      assert.ok(first.some(({ kind }) => kind === "Cluster"));
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
);

const { data } = objects.find(({ kind }) => kind === "ConfigMap") as KubernetesObject & {
  data: Record<string, string>;
};
const healthOf = (name: string) => data[`resource.customizations.health.${name}`] ?? "";
const ready = (status: string, more: object = {}) => ({ status: { conditions: [{ type: "Ready", status, ...more }] } });

test("every kind that is used and that Kubernetes does not know has a health check", { skip }, async () => {
  const kubernetes =
    /^(v1|apps\/v1|batch\/v1|policy\/v1|autoscaling\/v2|(networking|rbac\.authorization)\.k8s\.io\/v1)$/;
  const used = [
    ...(await objectsOf("cnpg-with-backup")),
    ...applications,
    ...(await chartObjects()),
    ...(await objectsOf("irc")),
  ].filter(({ apiVersion }) => !kubernetes.test(apiVersion));
  const wanted = new Set(used.map(({ apiVersion, kind }) => `${apiVersion.split("/")[0]}_${kind}`));
  assert.ok(wanted.size >= 5);
  for (const name of wanted)
    assert.notEqual(healthOf(name), "", `deploy/argocd/argocd-cm.yaml has nothing for ${name}`);
});

/** With every value file that the chart has examples of. */
async function chartObjects(): Promise<KubernetesObject[]> {
  const examples = readdirSync(join(repoRoot, "deploy/helm/values"));
  const rendered = examples.map((name) =>
    render("helm", ["template", "parley", "deploy/helm/parley", "-n", "parley", "-f", `deploy/helm/values/${name}`]),
  );
  return (await Promise.all(rendered)).flat();
}

interface Case {
  kind: string;
  says: string;
  object: object;
  health: "Healthy" | "Progressing" | "Degraded" | "Suspended";
}

const cases: readonly Case[] = [
  { kind: "argoproj.io_Application", says: "new", object: {}, health: "Progressing" },
  {
    kind: "argoproj.io_Application",
    says: "ill",
    object: { status: { health: { status: "Degraded" } } },
    health: "Degraded",
  },
  { kind: "postgresql.cnpg.io_Cluster", says: "new", object: { spec: { instances: 3 } }, health: "Progressing" },
  {
    kind: "postgresql.cnpg.io_Cluster",
    says: "with two of three",
    object: { spec: { instances: 3 }, status: { readyInstances: 2, ...ready("True").status } },
    health: "Progressing",
  },
  {
    kind: "postgresql.cnpg.io_Cluster",
    says: "whole",
    object: { spec: { instances: 3 }, status: { readyInstances: 3, ...ready("True").status } },
    health: "Healthy",
  },
  {
    kind: "postgresql.cnpg.io_Cluster",
    says: "whole, and not archived",
    object: {
      spec: { instances: 1 },
      status: {
        readyInstances: 1,
        conditions: [
          { type: "Ready", status: "True" },
          { type: "ContinuousArchiving", status: "False", message: "no bucket" },
        ],
      },
    },
    health: "Degraded",
  },
  { kind: "postgresql.cnpg.io_ScheduledBackup", says: "new", object: { spec: {} }, health: "Healthy" },
  { kind: "postgresql.cnpg.io_ScheduledBackup", says: "off", object: { spec: { suspend: true } }, health: "Suspended" },
  {
    kind: "postgresql.cnpg.io_Backup",
    says: "running",
    object: { status: { phase: "running" } },
    health: "Progressing",
  },
  { kind: "postgresql.cnpg.io_Backup", says: "done", object: { status: { phase: "completed" } }, health: "Healthy" },
  {
    kind: "postgresql.cnpg.io_Backup",
    says: "failed",
    object: { status: { phase: "failed", error: "no" } },
    health: "Degraded",
  },
  { kind: "barmancloud.cnpg.io_ObjectStore", says: "there", object: {}, health: "Healthy" },
  ...["ExternalSecret", "SecretStore", "ClusterSecretStore"].flatMap((kind): Case[] => [
    { kind: `external-secrets.io_${kind}`, says: "new", object: {}, health: "Progressing" },
    { kind: `external-secrets.io_${kind}`, says: "ready", object: ready("True"), health: "Healthy" },
    {
      kind: `external-secrets.io_${kind}`,
      says: "refused",
      object: ready("False", { message: "403" }),
      health: "Degraded",
    },
  ]),
  { kind: "cert-manager.io_Certificate", says: "on its way", object: ready("False"), health: "Progressing" },
  { kind: "cert-manager.io_Certificate", says: "there", object: ready("True"), health: "Healthy" },
  {
    kind: "cert-manager.io_Certificate",
    says: "refused",
    object: { status: { conditions: [{ type: "Issuing", status: "False", reason: "Failed" }] } },
    health: "Degraded",
  },
  { kind: "keda.sh_ScaledObject", says: "ready", object: ready("True"), health: "Healthy" },
  {
    kind: "gateway.networking.k8s.io_HTTPRoute",
    says: "new",
    object: { status: { parents: [] } },
    health: "Progressing",
  },
  {
    kind: "gateway.networking.k8s.io_HTTPRoute",
    says: "without its Service",
    object: { status: { parents: [{ conditions: [{ type: "ResolvedRefs", status: "False" }] }] } },
    health: "Degraded",
  },
  {
    kind: "gateway.networking.k8s.io_HTTPRoute",
    says: "taken",
    object: { status: { parents: [{ conditions: [{ type: "Accepted", status: "True" }] }] } },
    health: "Healthy",
  },
  { kind: "monitoring.coreos.com_ServiceMonitor", says: "there", object: {}, health: "Healthy" },
  { kind: "monitoring.coreos.com_PrometheusRule", says: "there", object: {}, health: "Healthy" },
];

// Redis has a Lua 5.1 in it, which is the one that Argo CD's checks are for.
suite("health checks, run by a real Lua", { skip: missingService("redis") }, () => {
  let redis: Service;
  before(async () => void (redis = await startService("redis")));
  after(() => redis.stop());

  for (const { kind, says, object, health } of cases)
    test(`a ${kind} that is ${says} is ${health}`, async () => {
      const answer = (await evalLua(redis.url, healthOf(kind), object)) as { status: string; message: string };
      assert.equal(answer.status, health, JSON.stringify(answer));
      assert.equal(typeof answer.message, "string");
    });

  test("every health check is tried", () => {
    const checks = Object.keys(data).map((key) => key.replace("resource.customizations.health.", ""));
    assert.deepEqual(checks.toSorted(), [...new Set(cases.map(({ kind }) => kind))].toSorted());
  });
});
