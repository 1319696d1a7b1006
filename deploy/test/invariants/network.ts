/**
 * Who may connect to whom, worked out from the NetworkPolicies as a cluster does: a connection needs an egress rule of the one
 * and an ingress rule of the other; a pod that no policy selects may do anything.
 */
import type { KubernetesObject } from "../schema.ts";
import { titleOf, type Labels, ofKind, podsIn, type Selector, selects, spec } from "./objects.ts";

type Objects = readonly KubernetesObject[];

export interface Peer {
  podSelector?: Selector;
  namespaceSelector?: Selector;
  ipBlock?: { cidr: string };
}

export interface PolicyPort {
  protocol?: string;
  port?: number | string;
  endPort?: number;
}

export interface Rule {
  from?: Peer[];
  to?: Peer[];
  ports?: PolicyPort[];
}

interface PolicySpec {
  podSelector: Selector;
  policyTypes?: string[];
  ingress?: Rule[];
  egress?: Rule[];
}

type Direction = "Ingress" | "Egress";

/** One end of a connection. */
export interface End {
  title: string;
  namespace: string;
  labels: Labels;
  ports: readonly { name?: string; containerPort: number }[];
}

/** The pods of the objects, and those of a CloudNativePG cluster. */
export function endsIn(objects: Objects): End[] {
  const own = podsIn(objects).map(({ title, namespace, labels, spec: { containers } }) => ({
    title,
    namespace,
    labels,
    ports: containers.flatMap(({ ports = [] }) => ports),
  }));
  const operated = ofKind(objects, "Cluster").map(({ metadata }) => ({
    title: `Cluster ${metadata.name}`,
    namespace: metadata.namespace ?? "",
    labels: { "cnpg.io/cluster": metadata.name },
    ports: [{ name: "postgresql", containerPort: 5432 }],
  }));
  return [...own, ...operated];
}

/** The rules for one direction of a pod; undefined where no policy restricts it. */
function rulesFor(end: End, direction: Direction, objects: Objects): Rule[] | undefined {
  const policies = ofKind(objects, "NetworkPolicy")
    .filter(({ metadata }) => (metadata.namespace ?? "") === end.namespace)
    .map((policy) => spec<PolicySpec>(policy))
    .filter(({ podSelector }) => selects(podSelector, end.labels))
    .filter(({ policyTypes = ["Ingress"] }) => policyTypes.includes(direction));
  if (policies.length === 0) return undefined;
  return policies.flatMap(({ ingress = [], egress = [] }) => (direction === "Ingress" ? ingress : egress));
}

function isPeer({ podSelector, namespaceSelector, ipBlock }: Peer, other: End, namespace: string): boolean {
  if (ipBlock) return false;
  const isNamespace = namespaceSelector
    ? selects(namespaceSelector, { "kubernetes.io/metadata.name": other.namespace })
    : other.namespace === namespace;
  return isNamespace && (podSelector === undefined || selects(podSelector, other.labels));
}

function hasPort(ports: readonly PolicyPort[] | undefined, wanted: End["ports"][number]): boolean {
  return (
    ports === undefined ||
    ports.some(
      ({ port, endPort, protocol = "TCP" }) =>
        protocol === "TCP" &&
        (port === undefined ||
          port === wanted.name ||
          port === wanted.containerPort ||
          (typeof port === "number" &&
            endPort !== undefined &&
            wanted.containerPort >= port &&
            wanted.containerPort <= endPort)),
    )
  );
}

function allows(rules: Rule[] | undefined, own: End, [other, port]: readonly [End, End["ports"][number]]): boolean {
  if (rules === undefined) return true;
  return rules.some(({ from, to, ports }) => {
    const peers = from ?? to;
    return hasPort(ports, port) && (peers === undefined || peers.some((peer) => isPeer(peer, other, own.namespace)));
  });
}

/** The ports that an end may reach outside of the objects; undefined where it may reach all. */
export function waysOut(end: End, objects: Objects): number[] | undefined {
  const ends = endsIn(objects);
  const isInside = (peer: Peer) =>
    peer.namespaceSelector === undefined && ends.some((other) => isPeer(peer, other, end.namespace));
  const open = rulesFor(end, "Egress", objects)?.filter(({ to }) => !to?.some(isInside));
  if (open === undefined || open.some(({ ports }) => ports === undefined)) return undefined;
  return open.flatMap(({ ports = [] }) => ports.map(({ port }) => Number(port)));
}

/** Each connection that the policies allow between pods, as "Deployment api -> StatefulSet postgresql:5432". */
export function allowedEdges(objects: Objects): string[] {
  const ends = endsIn(objects);
  return ends.flatMap((from) => {
    const out = rulesFor(from, "Egress", objects);
    return ends
      .filter((to) => to.title !== from.title && !to.title.startsWith("Job"))
      .flatMap((to) => {
        const into = rulesFor(to, "Ingress", objects);
        return to.ports
          .filter((port) => allows(out, from, [to, port]) && allows(into, to, [from, port]))
          .map(({ containerPort }) => `${from.title} -> ${to.title}:${containerPort}`);
      });
  });
}

/** Every pod is denied what no policy allows, both ways: those of CloudNativePG too. */
export function undenied(objects: Objects): string[] {
  return endsIn(objects).flatMap((end) =>
    (["Ingress", "Egress"] as const)
      .filter((direction) => rulesFor(end, direction, objects) === undefined)
      .map((direction) => `${end.title}: no policy says what is its ${direction}`),
  );
}

interface IngressSpec {
  ingressClassName?: string;
  rules?: { http?: { paths: { path: string; pathType: string }[] } }[];
}

/** ingress-nginx 1.12 refuses an Ingress with any other character in a path of type Prefix or Exact; its default class has no name. */
export function refusedPaths(objects: readonly KubernetesObject[]): string[] {
  const ingresses = objects.filter(({ kind }) => kind === "Ingress");
  return ingresses.flatMap((ingress) => {
    const { ingressClassName = "nginx", rules = [] } = (ingress as { spec?: IngressSpec }).spec ?? {};
    const paths = ingressClassName.includes("nginx") ? rules.flatMap(({ http }) => http?.paths ?? []) : [];
    return paths
      .filter(({ path, pathType }) => pathType !== "ImplementationSpecific" && !/^\/[A-Za-z0-9_/-]*$/.test(path))
      .map(({ path, pathType }) => `${titleOf(ingress)}: nginx refuses ${path} with pathType ${pathType}`);
  });
}
