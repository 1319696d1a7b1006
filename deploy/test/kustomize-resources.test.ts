/** What pods ask for: on a laptop as little as will do, and as much as people need in the base. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { schemasOf } from "../../server/src/db/roles.ts";
import type { RoleName } from "../../server/src/roles.ts";
import { ownConnections, shapes, workloads } from "../src/release.ts";
import { renderChart } from "./chart.ts";
import { objectsOf } from "./kustomizations.ts";
import type { KubernetesObject } from "./schema.ts";
import { missingTools, readObjects, repoRoot } from "./tools.ts";

const skip = missingTools;

interface Container {
  args?: string[];
  env?: { name: string; value?: string }[];
  resources: { requests: { cpu: string; memory: string }; limits: { cpu: string; memory: string } };
}

interface WithPods extends KubernetesObject {
  spec: {
    replicas?: number;
    strategy?: { type?: string };
    template: { spec: { containers: Container[]; initContainers?: Container[] } };
  };
}

const processors: Readonly<Record<string, number>> = { m: 0.001, "": 1 };
const mebibytes: Readonly<Record<string, number>> = { Mi: 1, Gi: 1_024 };

/** A quantity such as 250m or 1Gi. */
function amount(quantity: string, units: Readonly<Record<string, number>>): number {
  const [, number = "", unit = ""] = /^([\d.]+)(\D*)$/.exec(quantity) ?? [];
  const factor = units[unit];
  assert.ok(factor !== undefined, quantity);
  return Number(number) * factor;
}

/** A pod asks for what its containers ask for together, or one that runs before them by itself. */
function ofPod({ spec: { template } }: WithPods, read: (container: Container) => number): number {
  const { containers, initContainers = [] } = template.spec;
  const together = containers.map(read).reduce((sum, each) => sum + each, 0);
  return Math.max(together, ...initContainers.map(read));
}

/** How many pods there are at the least, and one more while a new version rolls out. */
function podsDuringUpdate(
  { kind, metadata, spec: { replicas, strategy } }: WithPods,
  objects: readonly KubernetesObject[],
) {
  const scalers = objects.filter((object) => object.kind === "HorizontalPodAutoscaler") as unknown as Scaler[];
  const scaler = scalers.find(
    ({ spec }) => spec.scaleTargetRef.kind === kind && spec.scaleTargetRef.name === metadata.name,
  );
  const isRolled = kind === "Deployment" && strategy?.type !== "Recreate";
  return (scaler?.spec.minReplicas ?? replicas ?? 1) + (isRolled ? 1 : 0);
}

interface Scaler {
  spec: { scaleTargetRef: { kind: string; name: string }; minReplicas: number };
}

function requests(objects: readonly KubernetesObject[]): { cpu: number; memory_mib: number } {
  const owners = objects.filter(({ kind }) => ["Deployment", "StatefulSet", "Job"].includes(kind)) as WithPods[];
  const total = (read: (container: Container) => number) =>
    owners.map((owner) => podsDuringUpdate(owner, objects) * ofPod(owner, read)).reduce((sum, each) => sum + each, 0);
  return {
    cpu: total(({ resources }) => amount(resources.requests.cpu, processors)),
    memory_mib: total(({ resources }) => amount(resources.requests.memory, mebibytes)),
  };
}

/** Two processors, without what asks for some already: minikube's own pods, Calico, an ingress controller, and a metrics-server. */
const ROOM_CPU = 2 - 0.75 - 0.25 - 0.1 - 0.1;
/** 4 GiB without the same, and what the node keeps for itself. */
const ROOM_MIB = 3_200;

test(
  "what is for trying out has room on a node of two processors and 4 GiB, an upgrade included",
  { skip },
  async () => {
    const all = {
      minikube: objectsOf("minikube"),
      telegram: objectsOf("telegram"),
      irc: objectsOf("irc"),
      "the chart": renderChart("minimal"),
    };
    for (const [name, objects] of Object.entries(all)) {
      const { cpu, memory_mib } = requests(await objects);
      assert.ok(cpu > 0.3 && cpu <= ROOM_CPU, `${name} asks for ${cpu} processors`);
      assert.ok(memory_mib > 800 && memory_mib <= ROOM_MIB, `${name} asks for ${memory_mib} MiB`);
    }
  },
);

/** How many connections to the database a pod may open: four for each domain that its roles have to do with, and its own. */
function connectionsOf({ spec: { template } }: WithPods): number {
  const [{ env = [] } = {}] = template.spec.containers;
  const roles = env.find(({ name }) => name === "ROLES")?.value?.split(",") as RoleName[] | undefined;
  return roles === undefined ? 0 : schemasOf(roles).length * 4 + ownConnections;
}

test(
  "the database of an overlay takes as many connections as its pods may open, an update included",
  { skip },
  async () => {
    for (const name of ["minikube", "telegram", "irc"]) {
      const objects = await objectsOf(name);
      const [database] = objects.filter(({ kind, metadata }) => kind === "StatefulSet" && metadata.name === "postgres");
      const args = (database as WithPods).spec.template.spec.containers[0]?.args ?? [];
      const taken = Number(/max_connections=(\d+)/.exec(args.join(" "))?.[1]);
      const deployments = objects.filter(({ kind }) => kind === "Deployment") as WithPods[];
      const open = deployments.map((each) => podsDuringUpdate(each, objects) * connectionsOf(each));
      const together = open.reduce((sum, each) => sum + each, 0);
      assert.ok(together > 100 && together + 30 <= taken, `${name}: ${together} of ${taken}`);
    }
  },
);

test("the base asks for what the description of a release says", () => {
  for (const name of shapes.split) {
    const text = readFileSync(join(repoRoot, "deploy/kustomize/base", name, "deployment.yaml"), "utf8");
    const [deployment] = readObjects(text) as [WithPods];
    assert.deepEqual(deployment.spec.template.spec.containers[0]?.resources, workloads[name].resources, name);
  }
});
