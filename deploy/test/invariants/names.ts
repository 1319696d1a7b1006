/** Names, namespaces and labels that an API server takes, and that nothing else has. */
import type { KubernetesObject } from "../schema.ts";
import { podsIn, titleOf } from "./objects.ts";

type Objects = readonly KubernetesObject[];

/** Of these the name is a label's value, or a host name. */
const short = ["Service", "Job", "StatefulSet", "Namespace", "CronJob", "Cluster"];
/** A StatefulSet's pods have its name and a hash in one label, a CronJob's jobs their time; CloudNativePG puts words behind a name. */
const SHORT_CHARACTERS: Record<string, number> = { StatefulSet: 52, CronJob: 52, Cluster: 50 };

/** Kinds that belong to the cluster and to no namespace. */
const clusterWide = [
  "Namespace",
  "ClusterSecretStore",
  "PriorityClass",
  "StorageClass",
  "ClusterRole",
  "ClusterRoleBinding",
  "ClusterIssuer",
  "ClusterImageCatalog",
  "CustomResourceDefinition",
  "GatewayClass",
];

/** No two objects are the same object. */
export function sameNames(objects: Objects): string[] {
  const seen = new Set<string>();
  return objects.flatMap((object) => {
    const group = object.apiVersion.includes("/") ? object.apiVersion.split("/")[0] : "";
    const name = `${group} ${titleOf(object)} in ${object.metadata.namespace}`;
    if (seen.has(name)) return [`${titleOf(object)} is there twice`];
    seen.add(name);
    return [];
  });
}

/** Every object says its namespace, and none is in `default`. */
export function wrongNamespaces(objects: Objects): string[] {
  return objects.flatMap((object) => {
    const { namespace } = object.metadata;
    if (clusterWide.includes(object.kind))
      return object.metadata.name === "default" && object.kind === "Namespace"
        ? [`${titleOf(object)} is not ours`]
        : [];
    if (namespace === undefined) return [`${titleOf(object)} has no namespace`];
    return namespace === "default" ? [`${titleOf(object)} is in the namespace default`] : [];
  });
}

/** Names and labels are as long as they may be, and of the characters that they may have. */
export function wrongNames(objects: Objects): string[] {
  const ofObjects = objects.flatMap((object) => {
    const { name } = object.metadata;
    const most = short.includes(object.kind) ? (SHORT_CHARACTERS[object.kind] ?? 63) : 253;
    const isRight = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name) && name.length <= most;
    return [...(isRight ? [] : [`${titleOf(object)}: the name may have ${most} characters`]), ...wrongLabels(object)];
  });
  const ofPods = podsIn(objects).flatMap(({ title, labels }) => wrongValues(title, labels));
  return [...ofObjects, ...ofPods];
}

function wrongLabels(object: KubernetesObject): string[] {
  return wrongValues(titleOf(object), object.metadata.labels ?? {});
}

function wrongValues(title: string, labels: Readonly<Record<string, string>>): string[] {
  return Object.entries(labels)
    .filter(([, value]) => value.length > 63 || !/^([A-Za-z0-9]([\w.-]*[A-Za-z0-9])?)?$/.test(value))
    .map(([key, value]) => `${title}: the label ${key} may not be "${value}"`);
}
