import assert from "node:assert/strict";
import { test } from "node:test";
import { type KubernetesObject, schemaProblems } from "./schema.ts";

const metadata = { name: "it" };

/** A right object of each package, and the same with an unknown field, with a wrong value and without a needed one. */
const right: readonly KubernetesObject[] = [
  { apiVersion: "v1", kind: "ConfigMap", metadata: { ...metadata, labels: { a: "b" } }, data: { anything: "goes" } },
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata,
    spec: {
      selector: { matchLabels: { a: "b" } },
      template: {
        metadata: { labels: { a: "b" } },
        spec: { containers: [{ name: "it", image: "it:1", ports: [{ name: "http", containerPort: 8080 }] }] },
      },
    },
  },
  {
    apiVersion: "external-secrets.io/v1",
    kind: "ExternalSecret",
    metadata,
    spec: { secretStoreRef: { name: "it", kind: "SecretStore" }, data: [{ secretKey: "A", remoteRef: { key: "a" } }] },
  },
  {
    apiVersion: "keda.sh/v1alpha1",
    kind: "ScaledObject",
    metadata,
    spec: { scaleTargetRef: { name: "it" }, triggers: [{ type: "cpu", metadata: { value: "80" } }] },
  },
  {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata,
    spec: { parentRefs: [{ name: "it" }], rules: [{ backendRefs: [{ name: "it", port: 80 }] }] },
  },
  {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "ServiceMonitor",
    metadata,
    spec: { selector: { matchLabels: { a: "b" } }, endpoints: [{ port: "metrics" }] },
  },
  {
    apiVersion: "cert-manager.io/v1",
    kind: "Certificate",
    metadata,
    spec: { secretName: "it", issuerRef: { name: "it" }, dnsNames: ["a.example.org"] },
  },
  {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Application",
    metadata,
    spec: {
      project: "it",
      destination: { server: "https://kubernetes.default.svc", namespace: "it" },
      source: { repoURL: "https://example.org/it.git", path: "it" },
    },
  },
  {
    apiVersion: "postgresql.cnpg.io/v1",
    kind: "Cluster",
    metadata,
    spec: { instances: 3, storage: { size: "10Gi" } },
  },
];

test("what is right is let through", async () => {
  for (const object of right) assert.deepEqual(await schemaProblems(object), []);
});

test("an unknown field is found at any depth, in the schemas of every package", async () => {
  for (const object of right) {
    for (const [path, parent] of parentsIn(object)) {
      if (/labels|matchLabels|^\.data$|triggers\[0\]\.metadata/.test(path)) continue;
      const planted = { ...parent };
      parent["unheard"] = "of";
      assert.match((await schemaProblems(object)).join(), /unheard/, `${object.kind}${path}`);
      delete parent["unheard"];
      assert.deepEqual(parent, planted);
    }
  }
});

test("a value of the wrong kind, and an unknown kind of object, are found", async () => {
  const [, deployment] = structuredClone(right) as [KubernetesObject, KubernetesObject];
  const wrong = { ...deployment, spec: { ...(deployment["spec"] as object), replicas: "2" } };
  assert.match((await schemaProblems(wrong)).join(), /replicas/);
  assert.match((await schemaProblems({ ...deployment, apiVersion: "apps/v1beta9" })).join(), /there is no Deployment/);
  assert.match((await schemaProblems({ ...deployment, spec: {} })).join(), /selector/);
  const cluster = { apiVersion: "postgresql.cnpg.io/v1", kind: "Cluster", metadata, spec: { instances: 0 } };
  assert.match((await schemaProblems(cluster)).join(), /storage/);
});

/** Every object inside of one, with its path. */
function parentsIn(value: unknown, path = ""): [string, Record<string, unknown>][] {
  if (typeof value !== "object" || value === null) return [];
  const own = Array.isArray(value) ? [] : [[path, value] as [string, Record<string, unknown>]];
  const inner = Object.entries(value).flatMap(([key, each]) =>
    parentsIn(each, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`),
  );
  return [...own, ...inner];
}
