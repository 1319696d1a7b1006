/** Each invariant lets what is right pass, and finds a planted fault. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { invariants } from "./invariants.ts";
import { allowedEdges } from "./invariants/network.ts";
import { type Container, ofKind, podsIn, spec } from "./invariants/objects.ts";
import type { KubernetesObject } from "./schema.ts";
import { readObjects } from "./tools.ts";

/** A rendering of the chart with all of its workloads and a database. */
const right = readObjects(readFileSync(join(import.meta.dirname, "golden", "split.yaml"), "utf8"));

type Fault = (objects: KubernetesObject[]) => void;

function find(objects: readonly KubernetesObject[], kind: string, name: string): KubernetesObject {
  const found = ofKind(objects, kind).find(({ metadata }) => metadata.name === `parley-${name}`);
  assert.ok(found, `${kind} parley-${name}`);
  return found;
}

/** The first container of a Deployment. */
function container(objects: readonly KubernetesObject[], name: string): Container {
  return pod(objects, name).containers[0] as Container;
}

function pod(objects: readonly KubernetesObject[], name: string) {
  const found = podsIn([find(objects, "Deployment", name)])[0];
  assert.ok(found);
  return found.spec;
}

function setEnv(objects: readonly KubernetesObject[], name: string, [setting, value]: readonly [string, string]): void {
  const env = (container(objects, name).env ??= []);
  env.splice(0, env.length, ...env.filter((each) => each.name !== setting), { name: setting, value });
}

function setWave(objects: readonly KubernetesObject[], wave: string): void {
  const { metadata } = find(objects, "PersistentVolumeClaim", "media");
  metadata.annotations = { ...metadata.annotations, "argocd.argoproj.io/sync-wave": wave };
}

interface PolicySpec {
  egress: { to?: unknown[]; ports?: { port: number }[] }[];
  ingress: { from?: unknown[]; ports?: { port: number }[] }[];
}

const policy = (objects: readonly KubernetesObject[], name: string) =>
  spec<PolicySpec>(find(objects, "NetworkPolicy", name));

/** By rule: faults, each with what is said of it. */
const faults: Readonly<Record<string, readonly (readonly [says: RegExp, fault: Fault])[]>> = {
  "no two objects are the same": [
    [/Service parley-auth is there twice/, (all) => all.push(structuredClone(find(all, "Service", "auth")))],
  ],
  "every object has a namespace, and it is not default": [
    [/in the namespace default/, (all) => (find(all, "Service", "auth").metadata.namespace = "default")],
    [/has no namespace/, (all) => delete find(all, "Service", "auth").metadata.namespace],
  ],
  "an ingress controller takes every path": [
    [
      /nginx refuses \/\.well-known with pathType Prefix/,
      (all) => {
        for (const object of all)
          if (object.kind === "Ingress")
            Object.assign(object, JSON.parse(JSON.stringify(object).replaceAll("ImplementationSpecific", "Prefix")));
      },
    ],
  ],
  "names and labels are as an API server takes them": [
    [/63 characters/, (all) => (find(all, "Service", "auth").metadata.name = "a".repeat(64))],
    [/the label a may not be/, (all) => (find(all, "Service", "auth").metadata.labels = { a: "b c" })],
  ],
  "a workload selects its own pods and no others": [
    [
      /does not select its own pods/,
      (all) => (spec<{ selector: object }>(find(all, "Deployment", "auth")).selector = { matchLabels: { a: "b" } }),
    ],
    [
      /selects the pods of Deployment parley-keys too/,
      (all) =>
        (spec<{ selector: object }>(find(all, "Deployment", "auth")).selector = {
          matchLabels: { "app.kubernetes.io/name": "parley" },
        }),
    ],
  ],
  "every Secret, ConfigMap and claim that is named is there": [
    [/there is no Secret parley-postgresql/, (all) => drop(all, "Secret", "postgresql")],
    [/there is no ConfigMap parley-postgresql/, (all) => drop(all, "ConfigMap", "postgresql")],
    [/there is no claim parley-media/, (all) => drop(all, "PersistentVolumeClaim", "media")],
    [
      /has no key DATABASE_URL/,
      (all) =>
        delete (find(all, "Secret", "postgresql") as { stringData?: Record<string, string> }).stringData?.[
          "DATABASE_URL"
        ],
    ],
  ],
  "every volume is mounted, and every mount has a volume": [
    [/there is no volume tmp/, (all) => pod(all, "auth").volumes?.shift()],
    [
      /nothing mounts spare/,
      (all) => pod(all, "auth").volumes?.push({ name: "spare", emptyDir: { sizeLimit: "1Mi" } }),
    ],
  ],
  "uploads have somewhere to arrive": [
    [
      /Deployment parley-media: media takes uploads, and may write to nothing at/,
      (all) => {
        const mounts = (container(all, "media").volumeMounts ??= []);
        mounts.splice(0, mounts.length, ...mounts.filter(({ mountPath }) => !mountPath.startsWith("/var/lib/parley")));
      },
    ],
  ],
  "archives have the files of people": [
    [
      /Deployment parley-web: web has the role web, and no MEDIA_URL/,
      (all) => {
        const env = (container(all, "web").env ??= []);
        env.splice(
          env.findIndex(({ name }) => name === "MEDIA_URL"),
          1,
        );
      },
    ],
  ],
  "every port that is named is there": [
    [/has no port metrics, which a probe asks/, (all) => (container(all, "auth").ports ??= []).pop()],
    [
      /have no port https/,
      (all) =>
        ((
          spec<{ ports: { targetPort: string }[] }>(find(all, "Service", "auth")).ports[0] as { targetPort: string }
        ).targetPort = "https"),
    ],
    [
      /no pod has the labels/,
      (all) => (spec<{ selector: object }>(find(all, "Service", "auth")).selector = { a: "b" }),
    ],
  ],
  "every Service that is named is there": [
    [/there is no Service parley-web/, (all) => drop(all, "Service", "web")],
    [
      /Service parley-web has no port http/,
      (all) =>
        ((spec<{ ports: { name: string }[] }>(find(all, "Service", "web")).ports[0] as { name: string }).name = "web"),
    ],
  ],
  "what scales, guards or watches has a target": [
    [/there is no Deployment parley-auth/, (all) => drop(all, "Deployment", "auth")],
    [
      /it guards no pod/,
      (all) =>
        (spec<{ selector: object }>(find(all, "PodDisruptionBudget", "auth")).selector = { matchLabels: { a: "b" } }),
    ],
  ],
  "pods are restricted": [
    [/may run as root/, (all) => delete pod(all, "auth").securityContext],
    [/has no seccomp profile/, (all) => delete pod(all, "auth").securityContext?.seccompProfile],
    [/may write to its root/, (all) => delete container(all, "auth").securityContext?.readOnlyRootFilesystem],
    [/may get more rights/, (all) => delete container(all, "auth").securityContext?.allowPrivilegeEscalation],
    [/keeps capabilities/, (all) => delete container(all, "auth").securityContext?.capabilities],
    [/token of a service account/, (all) => delete pod(all, "auth").automountServiceAccountToken],
    [/Services become variables/, (all) => delete pod(all, "auth").enableServiceLinks],
    [/has no limit/, (all) => pod(all, "auth").volumes?.push({ name: "large", emptyDir: {} })],
    [/is the node's/, (all) => pod(all, "auth").volumes?.push({ name: "node", hostPath: { path: "/" } })],
    [/shares what is the node's/, (all) => (pod(all, "auth").hostNetwork = true)],
  ],
  "images have a version": [
    [/has the image a:latest/, (all) => (container(all, "auth").image = "a:latest")],
    [/has the image host:5000\/a/, (all) => (container(all, "auth").image = "host:5000/a")],
  ],
  "containers have requests and limits": [
    [/has no limits for memory/, (all) => delete container(all, "auth").resources?.limits?.["memory"]],
  ],
  "probes ask what is answered": [
    [/has no probe for startup/, (all) => delete container(all, "auth").startupProbe],
    [
      /is asked for \/healthz/,
      (all) => (container(all, "auth").livenessProbe = { httpGet: { path: "/healthz", port: "metrics" } }),
    ],
  ],
  "a drain ends before the kubelet ends it": [
    [/20 s are too short/, (all) => (pod(all, "auth").terminationGracePeriodSeconds = 20)],
    [/does not drain/, (all) => setEnv(all, "auth", ["PARLEY_DRAIN_MS", "0"])],
  ],
  "every variable is a setting": [
    [/has JWT_SECRET, which is no setting/, (all) => setEnv(all, "auth", ["JWT_SECRET", "x"])],
  ],
  "the server takes its settings": [
    [/PARLEY_PORT is "http"/, (all) => setEnv(all, "auth", ["PARLEY_PORT", "http"])],
    [/There is no setting PARLEY_PROT/, (all) => setEnv(all, "auth", ["PARLEY_PROT", "1"])],
    [/MESSAGES_URL is/, (all) => setEnv(all, "gateway", ["MESSAGES_URL", "http://messages/path"])],
  ],
  "a node can be drained": [
    [
      /none may ever be away/,
      (all) => Object.assign(spec<object>(find(all, "PodDisruptionBudget", "auth")), { maxUnavailable: 0 }),
    ],
    [
      /with 2 pods none may ever be away/,
      (all) =>
        Object.assign(spec<object>(find(all, "PodDisruptionBudget", "auth")), {
          maxUnavailable: undefined,
          minAvailable: 2,
        }),
    ],
  ],
  "the policies allow the edges of the release and no others": [
    [
      /do not allow Deployment parley-gateway -> Deployment parley-auth:8081/,
      (all) =>
        (policy(all, "auth").ingress = policy(all, "auth").ingress.filter(({ ports }) => ports?.[0]?.port !== 8081)),
    ],
    [
      /do not allow Deployment parley-web -> Deployment parley-media:8085/,
      (all) => (policy(all, "web").egress = policy(all, "web").egress.filter(({ ports }) => ports?.[0]?.port !== 8085)),
    ],
    [
      /do not allow Deployment parley-keys -> StatefulSet parley-postgresql:5432/,
      (all) => (policy(all, "keys").egress = []),
    ],
    [
      /allow Deployment parley-media -> Deployment parley-auth:8081, which nothing needs/,
      (all) => {
        policy(all, "media").egress.push({ to: [{ podSelector: {} }], ports: [{ port: 8081 }] });
        policy(all, "auth").ingress.push({ from: [{ podSelector: {} }], ports: [{ port: 8081 }] });
      },
    ],
  ],
  "a pod gets out to what it uses and nowhere else": [
    [/may go out on port 25/, (all) => policy(all, "keys").egress.push({ ports: [{ port: 25 }] })],
    [/may connect to anything/, (all) => policy(all, "keys").egress.push({})],
    [/may not ask for names/, (all) => drop(all, "NetworkPolicy", "names")],
    [/no policy lets it out to redis/, (all) => setEnv(all, "keys", ["REDIS_URL", "redis://cache"])],
  ],
  "a claim is of the wave in which it is bound": [
    [/PersistentVolumeClaim parley-media is of wave -2/, (all) => setWave(all, "-2")],
    [/PersistentVolumeClaim parley-media is of wave 2/, (all) => setWave(all, "2")],
  ],
  "what no policy allows is denied, both ways": [
    [/no policy says what is its Ingress/, (all) => drop(all, "NetworkPolicy", "default-deny")],
  ],
};

function drop(objects: KubernetesObject[], kind: string, name: string): void {
  objects.splice(objects.indexOf(find(objects, kind, name)), 1);
}

test("every invariant has a fault that it must find", () => {
  assert.deepEqual(Object.keys(faults).toSorted(), invariants.map(({ rule }) => rule).toSorted());
});

for (const { rule, check } of invariants)
  test(`a fault is found: ${rule}`, () => {
    assert.deepEqual(check(right), [], "what is right is let through");
    for (const [says, fault] of faults[rule] ?? []) {
      const objects = structuredClone(right);
      fault(objects);
      assert.match(check(objects).join("\n"), says);
    }
  });

test("without policies everybody may connect to everybody", () => {
  const without = right.filter(({ kind }) => kind !== "NetworkPolicy");
  assert.ok(allowedEdges(without).includes("Deployment parley-web -> Deployment parley-auth:8081"));
});
