/**
 * What holds for every rendering of a release, whoever renders it: the chart, an overlay. Each rule is tried on all of them, and
 * on objects with a planted fault that it must find (invariants.test.ts).
 */
import { wrongEdges, wrongWaysOut } from "./invariants/edges.ts";
import { sameNames, wrongNames, wrongNamespaces } from "./invariants/names.ts";
import { refusedPaths, undenied } from "./invariants/network.ts";
import {
  archivesWithoutFiles,
  cutDrains,
  floatingImages,
  refusedSettings,
  unknownSettings,
  unlimited,
  unrestricted,
  unsatisfiableBudgets,
  unwritableUploads,
  wrongProbes,
} from "./invariants/pods.ts";
import {
  type Given,
  missingPorts,
  missingReferences,
  missingServices,
  missingTargets,
  wrongMounts,
  wrongSelectors,
} from "./invariants/references.ts";
import { unboundClaims } from "./invariants/waves.ts";
import type { KubernetesObject } from "./schema.ts";

export interface Invariant {
  rule: string;
  /** What breaks it, a sentence each. */
  check(objects: readonly KubernetesObject[], options?: Given): string[];
}

export const invariants: readonly Invariant[] = [
  { rule: "no two objects are the same", check: sameNames },
  { rule: "every object has a namespace, and it is not default", check: wrongNamespaces },
  { rule: "names and labels are as an API server takes them", check: wrongNames },
  { rule: "a workload selects its own pods and no others", check: wrongSelectors },
  { rule: "every Secret, ConfigMap and claim that is named is there", check: missingReferences },
  { rule: "every volume is mounted, and every mount has a volume", check: wrongMounts },
  { rule: "every port that is named is there", check: missingPorts },
  { rule: "every Service that is named is there", check: missingServices },
  { rule: "what scales, guards or watches has a target", check: missingTargets },
  { rule: "pods are restricted", check: unrestricted },
  { rule: "images have a version", check: floatingImages },
  { rule: "containers have requests and limits", check: unlimited },
  { rule: "probes ask what is answered", check: wrongProbes },
  { rule: "a drain ends before the kubelet ends it", check: cutDrains },
  { rule: "every variable is a setting", check: unknownSettings },
  { rule: "the server takes its settings", check: refusedSettings },
  { rule: "uploads have somewhere to arrive", check: unwritableUploads },
  { rule: "archives have the files of people", check: archivesWithoutFiles },
  { rule: "a node can be drained", check: unsatisfiableBudgets },
  { rule: "the policies allow the edges of the release and no others", check: wrongEdges },
  { rule: "a pod gets out to what it uses and nowhere else", check: wrongWaysOut },
  { rule: "what no policy allows is denied, both ways", check: undenied },
  { rule: "an ingress controller takes every path", check: refusedPaths },
  { rule: "a claim is of the wave in which it is bound", check: unboundClaims },
];

/** Whatever any of the rules finds. */
export function brokenInvariants(objects: readonly KubernetesObject[], options: Given = {}): string[] {
  return invariants.flatMap(({ check }) => check(objects, options));
}
