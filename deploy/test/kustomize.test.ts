/** The kustomizations, as `kubectl apply -k` renders them: against schemas, against the description of a release, and tried. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { schemas } from "../../server/src/db/roles.ts";
import { readKnown } from "../../server/src/db/schema.ts";
import {
  args,
  images,
  probes,
  servicePorts,
  shapes,
  trustedProxies,
  uploadsOfWeb,
  type WorkloadName,
  workloads,
} from "../src/release.ts";
import type { Container, Workload } from "./executed-manifests.ts";
import { applicableFolders, installations, objectsOf, parts, paths, problemsOf } from "./kustomizations.ts";
import { outdated } from "./kustomize-golden.ts";
import type { KubernetesObject } from "./schema.ts";
import { missingTools, repoRoot } from "./tools.ts";

const { version } = JSON.parse(readFileSync(join(repoRoot, "package.json"), "utf8")) as { version: string };
const skip = missingTools;
const own = [images.server, images.web];
const isOwn = ({ image }: Container) => own.some((each) => image.startsWith(`${each}:`));

const ofKind = (objects: readonly KubernetesObject[], kind: string) => objects.filter((each) => each.kind === kind);
const withPods = (objects: readonly KubernetesObject[]) =>
  objects.filter(({ kind }) => ["Deployment", "StatefulSet", "Job"].includes(kind)) as Workload[];
const containersOf = ({ spec: { template } }: Workload) => [
  ...(template.spec.initContainers ?? []),
  ...template.spec.containers,
];

test("every folder that may be applied is known here", async () => {
  assert.deepEqual((await applicableFolders()).toSorted(), Object.values(paths).toSorted());
});

test("an API server takes every object, and knows all of its fields", { skip }, async () => {
  for (const name of Object.keys(paths)) {
    const problems = await Promise.all((await objectsOf(name)).map(problemsOf));
    assert.deepEqual(problems.flat(), [], name);
  }
});

test("a field that nobody knows is found", { skip }, async () => {
  for (const object of await objectsOf("cnpg-with-backup")) {
    const wrong = structuredClone(object) as KubernetesObject & { spec?: Record<string, unknown> };
    if (!wrong.spec || wrong.kind === "NetworkPolicy") continue;
    wrong.spec["nobodyKnowsThis"] = 1;
    assert.equal((await problemsOf(wrong)).length > 0, true, `${object.kind} ${object.metadata.name}`);
  }
});

test(
  "everything is in the namespace of the installation, which comes first and takes restricted pods only",
  { skip },
  async () => {
    for (const [name, { namespace }] of Object.entries(installations)) {
      const [first, ...others] = await objectsOf(name);
      assert.equal(first?.kind, "Namespace");
      assert.equal(first?.metadata.name, namespace);
      assert.equal(first?.metadata.labels?.["pod-security.kubernetes.io/enforce"], "restricted");
      for (const { kind, metadata } of others)
        assert.equal(metadata.namespace, namespace, `${name}: ${kind} ${metadata.name}`);
    }
  },
);

test("a part is, object for object, what it is in its installation", { skip }, async () => {
  for (const [name, { of }] of Object.entries(parts)) {
    if (name === "cnpg-restore-drill") continue;
    const whole = new Map((await objectsOf(of)).map((each) => [`${each.kind} ${each.metadata.name}`, each]));
    for (const object of await objectsOf(name))
      assert.deepEqual(object, whole.get(`${object.kind} ${object.metadata.name}`), `${name}: ${object.metadata.name}`);
  }
});

test("images are of this version, or of a version by name; never the latest", { skip }, async () => {
  for (const name of Object.keys(paths))
    for (const workload of withPods(await objectsOf(name)))
      for (const container of containersOf(workload)) {
        assert.match(container.image, /^[\w.-]+\.[\w.-]+\/[\w./-]+:[\w.-]*\d[\w.-]*$/);
        assert.doesNotMatch(container.image, /latest/);
        if (isOwn(container))
          assert.equal(container.image.split(":")[1], version, `${name}: ${workload.metadata.name}`);
      }
});

test("no hooks; a Job has nothing in it that changes by itself, and makes room for the next", { skip }, async () => {
  for (const name of Object.keys(installations))
    for (const job of ofKind(await objectsOf(name), "Job") as Workload[]) {
      const text = JSON.stringify(job);
      assert.doesNotMatch(text, /argocd.argoproj.io\/hook|helm.sh\/hook/);
      // A name with the hash of a generator would change the pod of a Job that is there, and be refused.
      assert.doesNotMatch(text, /"[a-z-]+-[a-z0-9]*[0-9][a-z0-9]{8,9}"/, `${name}: ${job.metadata.name}`);
      assert.equal((job.spec as { ttlSecondsAfterFinished?: number }).ttlSecondsAfterFinished, 600);
      assert.match(job.metadata.annotations?.["argocd.argoproj.io/sync-options"] ?? "", /Force=true,Replace=true/);
    }
});

test(
  "what is rendered is what was committed, and the Job that migrates says in its name which schema it brings",
  { skip },
  async () => {
    assert.deepEqual(await outdated(), [], "write them with: node deploy/test/kustomize-golden.ts --update");
    const migrations = (await readKnown()).length;
    for (const name of Object.keys(installations)) {
      const names = ofKind(await objectsOf(name), "Job").map(({ metadata }) => metadata.name);
      assert.ok(names.includes(`schema-${migrations}`), `${name} has ${names.join(", ")}`);
    }
  },
);

test(
  "whoever asks PostgreSQL whether it is there says as whom: an account without a name gets no answer",
  { skip },
  async () => {
    for (const name of Object.keys(paths)) {
      const asking = JSON.stringify(await objectsOf(name)).match(/pg_isready[^;\]]*/g) ?? [];
      for (const command of asking) assert.match(command, /-U/, `${name}: ${command}`);
      if (name in installations) assert.ok(asking.length > 0, name);
    }
  },
);

/** The environment of a container, with what its ConfigMaps have. */
function environment(
  objects: readonly KubernetesObject[],
  { env = [], envFrom = [] }: Container,
): Record<string, string> {
  const maps = ofKind(objects, "ConfigMap") as (KubernetesObject & { data: Record<string, string> })[];
  const from = envFrom.map(
    ({ configMapRef }) => maps.find(({ metadata }) => metadata.name === configMapRef?.name)?.data,
  );
  return Object.assign(
    {},
    ...from,
    Object.fromEntries(env.map(({ name, value }) => [name, value ?? "(from a Secret)"])),
  );
}

function deployment(objects: readonly KubernetesObject[], name: string): Workload {
  const found = ofKind(objects, "Deployment").find(({ metadata }) => metadata.name === name);
  assert.ok(found, `there is no Deployment ${name}`);
  return found as Workload;
}

const probe = ({ path, period_s, timeout_s, failures }: (typeof probes)[keyof typeof probes]) => ({
  httpGet: { path, port: "metrics" },
  periodSeconds: period_s,
  timeoutSeconds: timeout_s,
  failureThreshold: failures,
});

test(
  "what the server's pods are told, and how they are asked, is what the description of a release says",
  { skip },
  async () => {
    for (const name of Object.keys(installations)) {
      const objects = await objectsOf(name);
      for (const workload of ofKind(objects, "Deployment") as Workload[]) {
        const [container, ...others] = workload.spec.template.spec.containers as [Container, ...Container[]];
        if (!container.image.startsWith(`${images.server}:`)) continue;
        const env = environment(objects, container);
        const at = `${name}: ${workload.metadata.name}`;
        assert.deepEqual(others, [], at);
        assert.deepEqual(container.args, args.server, at);
        assert.deepEqual(
          workload.spec.template.spec.initContainers?.map((each) => each.args),
          [args.wait],
          at,
        );
        assert.deepEqual(container.startupProbe, probe(probes.startup), at);
        assert.deepEqual(container.livenessProbe, probe(probes.live), at);
        assert.deepEqual(container.readinessProbe, probe(probes.ready), at);
        const ports = Object.fromEntries(
          (container.ports ?? []).map((each) => [each.name, String(each.containerPort)]),
        );
        assert.deepEqual(ports, { http: env["PARLEY_PORT"], metrics: env["PARLEY_METRICS_PORT"] }, at);
        assert.equal(Number(env["PARLEY_METRICS_PORT"]), Number(env["PARLEY_PORT"]) + 1_000, at);
        const [drain_s, grace_s] = [
          Number(env["PARLEY_DRAIN_MS"]) / 1_000,
          workload.spec.template.spec.terminationGracePeriodSeconds,
        ];
        const isDoor = env["ROLES"]?.split(",").includes("gateway") ?? false;
        const { gateway, auth } = workloads;
        assert.deepEqual(
          { drain_s, grace_s },
          isDoor
            ? { drain_s: gateway.drain_s, grace_s: gateway.grace_s }
            : { drain_s: auth.drain_s, grace_s: auth.grace_s },
          at,
        );
        if (env["PARLEY_TRUSTED_PROXIES"] !== undefined)
          assert.equal(env["PARLEY_TRUSTED_PROXIES"], trustedProxies, at);
      }
    }
  },
);

test("all processes of an installation have the same name, address and ways to each other", { skip }, async () => {
  for (const name of Object.keys(installations)) {
    const objects = await objectsOf(name);
    const common = (ofKind(objects, "Deployment") as Workload[])
      .map(({ spec }) => spec.template.spec.containers[0] as Container)
      .filter(({ image }) => image.startsWith(`${images.server}:`))
      .map((container) => environment(objects, container))
      .map((env) =>
        ["PARLEY_SERVER_NAME", "PARLEY_PUBLIC_URL", "PARLEY_BUS", "PARLEY_EPHEMERAL", "PARLEY_QUEUE"].map(
          (key) => env[key],
        ),
      );
    assert.equal(new Set(common.map((each) => JSON.stringify(each))).size, 1, `${name}: ${JSON.stringify(common)}`);
    assert.ok(common[0]?.[0] && common[0][1], name);
  }
});

test("minikube has the roles, ports, Services and edges of the split shape", { skip }, async () => {
  const objects = await objectsOf("minikube");
  assert.deepEqual(
    ofKind(objects, "Deployment")
      .map(({ metadata }) => metadata.name)
      .toSorted(),
    [...shapes.split].toSorted(),
  );
  for (const name of shapes.split) {
    const described = workloads[name];
    const workload = deployment(objects, name);
    type WithResources = Container & { resources: { limits: unknown } };
    const container = workload.spec.template.spec.containers[0] as WithResources;
    const env = environment(objects, container);
    assert.equal(env["ROLES"], described.roles.join(","), name);
    assert.equal(env["PARLEY_PORT"], String(described.port), name);
    assert.deepEqual(container.resources.limits, described.resources.limits, name);
    const services = ofKind(objects, "Service").filter(({ metadata }) => metadata.name === name);
    assert.deepEqual(
      services.map(({ spec }) => (spec as { ports: { port: number }[] }).ports.map(({ port }) => port)),
      described.isServed ? [[described.port]] : [],
      name,
    );
    const calls = {
      ...described.calls,
      // The door of this installation has no ingress in front that knows where the web messenger is.
      ...(name === "gateway" ? { web: "WEB_URL" } : {}),
      ...(name === "web" ? { [uploadsOfWeb.from.split]: uploadsOfWeb.setting } : {}),
    };
    for (const [other, setting] of Object.entries(calls))
      assert.equal(env[setting], `http://${other}:${workloads[other as WorkloadName].port}`);
    const uses = Object.keys(workload.spec.template.metadata.labels).filter((label) =>
      label.startsWith("parley.im/uses-"),
    );
    const outside = (["pushes", "front"] as const).filter((service) => described.uses.includes(service));
    assert.deepEqual(
      uses.toSorted(),
      ["postgresql", ...outside, ...Object.keys(calls)].map((each) => `parley.im/uses-${each}`).toSorted(),
      name,
    );
  }
});

test("the ports of what is not Parley are those of the description", { skip }, async () => {
  const named = { postgres: "postgresql", redis: "redis", rabbitmq: "rabbitmq", minio: "objects" } as const;
  for (const name of ["minikube", "telegram", "irc"])
    for (const service of ofKind(await objectsOf(name), "Service")) {
      const what = named[service.metadata.name as keyof typeof named];
      const [{ port } = { port: 0 }] = (service["spec"] as { ports: { port: number }[] }).ports;
      if (what) assert.ok(servicePorts[what].includes(port), `${name}: ${service.metadata.name}`);
    }
});

test("the ConfigMap of the database names every schema that the server has", { skip }, async () => {
  for (const name of ["minikube", "telegram", "irc"]) {
    const maps = ofKind(await objectsOf(name), "ConfigMap") as (KubernetesObject & { data?: Record<string, string> })[];
    const [named] = maps.flatMap(({ data }) => data?.["PARLEY_SCHEMAS"] ?? []);
    assert.deepEqual(named?.split(/\s+/), [...schemas], name);
  }
});

test(
  "sync waves bring what is waited for first: namespace, policies and Secrets, services, schema, workloads, edge",
  { skip },
  async () => {
    const least: Readonly<Record<string, readonly [number, number]>> = {
      Namespace: [-3, -3],
      ConfigMap: [-2, -1],
      ServiceAccount: [-2, -2],
      Role: [-2, -2],
      RoleBinding: [-2, -2],
      ObjectStore: [-2, -2],
      StatefulSet: [-1, -1],
      Cluster: [-1, -1],
      // A claim in a wave before its pod is never bound where the volume is made for the pod's node.
      PersistentVolumeClaim: [1, 2],
      Deployment: [1, 1],
      Ingress: [2, 2],
      ScheduledBackup: [2, 2],
    };
    for (const name of Object.keys(installations))
      for (const { kind, metadata } of await objectsOf(name)) {
        const wave = Number(metadata.annotations?.["argocd.argoproj.io/sync-wave"] ?? 0);
        const [first, last] = least[kind] ?? [-2, 2];
        assert.ok(wave >= first && wave <= last, `${name}: ${kind} ${metadata.name} is in wave ${wave}`);
      }
  },
);
