/**
 * Who has to connect to whom, worked out from the settings of the pods and deploy/src/release.ts, and compared with what the
 * NetworkPolicies allow: no edge less, or it does not work, and none more.
 */
import {
  localProviders,
  type Service,
  servicePorts,
  serviceSettings,
  staticWeb,
  workloads,
} from "../../src/release.ts";
import type { KubernetesObject } from "../schema.ts";
import { allowedEdges, type End, endsIn, waysOut } from "./network.ts";
import {
  containersOf,
  environmentOf,
  type EnvValue,
  isParley,
  type Labels,
  ofKind,
  type Pods,
  podsIn,
  secret,
  selects,
  spec,
} from "./objects.ts";

type Objects = readonly KubernetesObject[];

/** Name servers; those of OpenShift listen on 5353. */
const DNS_PORTS = [53, 5353];
const callSettings = new Set([
  staticWeb.calls,
  "WEB_URL",
  ...Object.values(workloads).flatMap(({ calls }) => Object.values(calls)),
]);

interface Needs {
  services: Service[];
  /** Addresses of other workloads. */
  urls: URL[];
  /** Whether an address of a workload is in a Secret, so that nobody here knows where it leads. */
  isHidden: boolean;
}

function needsOf(pods: Pods, objects: Objects): Needs {
  const isOurs = (env: Map<string, EnvValue>) => env.has(staticWeb.calls);
  const environments = containersOf(pods)
    .map((container) => ({ container, env: environmentOf(container, objects) }))
    .filter(({ container, env }) => isParley(container) || isOurs(env));
  const env = new Map(environments.flatMap((each) => [...each.env]));
  const values = [...callSettings].flatMap((name) => env.get(name) ?? []);
  return {
    services: (Object.keys(servicePorts) as Service[]).filter((service) => isUsed(service, env)),
    urls: values.flatMap((value) => (value === secret ? [] : value.split(",").map((each) => new URL(each)))),
    isHidden: values.includes(secret),
  };
}

/** A service is used where a setting names it; an object store by servers that have the media or put them into archives, and by commands of backups. */
function isUsed(service: Service, env: ReadonlyMap<string, EnvValue>): boolean {
  const roles = env.get("ROLES");
  if (service === "objects" && roles !== undefined && !(typeof roles === "string" && /\b(all|media|web)\b/.test(roles)))
    return false;
  // Apps name where notifications go, and workers send them.
  if (service === "pushes") return typeof roles === "string" && /\b(all|worker)\b/.test(roles);
  // The doctor looks at the public address where people are told to run it, and in workers by itself.
  if (service === "front") return typeof roles === "string" && /\b(all|auth|worker)\b/.test(roles);
  const local: readonly EnvValue[] = localProviders;
  return (serviceSettings[service] ?? []).some((name) => !local.includes(env.get(name) ?? ""));
}

/** Each connection between pods that the release needs. */
export function neededEdges(objects: Objects): string[] {
  const ends = endsIn(objects);
  return podsIn(objects).flatMap((pods) => {
    const { services, urls } = needsOf(pods, objects);
    const targets = [
      ...services.flatMap((service) => providersOf(service, ends)),
      ...urls.flatMap((url) => behind(url, objects)),
    ];
    return [...new Set(targets)].map((target) => `${pods.title} -> ${target}`);
  });
}

/** Pods that are the service, by the port that they listen on; the databases that operators explore are other people's. */
function providersOf(service: Service, ends: readonly End[]): string[] {
  if (service === "graphs") return [];
  const ports = servicePorts[service].filter((port) => port >= 1_024);
  return ends.flatMap(({ title, ports: own }) =>
    own
      .filter(({ containerPort }) => ports.includes(containerPort))
      .map(({ containerPort }) => `${title}:${containerPort}`),
  );
}

/** The pods behind the address of a Service, with the port in them. */
function behind(url: URL, objects: Objects): string[] {
  const [name] = url.hostname.split(".");
  type ServiceSpec = { selector?: Labels; ports: { port: number; targetPort?: number | string }[] };
  const services = ofKind(objects, "Service").filter(({ metadata }) => metadata.name === name);
  return services.flatMap((service) => {
    const { selector = {}, ports } = spec<ServiceSpec>(service);
    const entry = ports.find(({ port }) => port === Number(url.port || (url.protocol === "https:" ? 443 : 80)));
    const target = entry?.targetPort ?? entry?.port;
    const ends = endsIn(objects).filter(({ labels }) => selects({ matchLabels: selector }, labels));
    return ends.flatMap(({ title, ports: own }) =>
      own
        .filter((port) => port.name === target || port.containerPort === target)
        .map((port) => `${title}:${port.containerPort}`),
    );
  });
}

/** The policies allow what the release needs, and nothing else, between the pods of the objects. */
export function wrongEdges(objects: Objects): string[] {
  const [allowed, needed] = [allowedEdges(objects), neededEdges(objects)];
  const hidden = podsIn(objects).filter((pods) => needsOf(pods, objects).isHidden);
  const isHidden = (edge: string) => hidden.some(({ title }) => edge.startsWith(`${title} -> `));
  return [
    ...needed.filter((edge) => !allowed.includes(edge)).map((edge) => `the policies do not allow ${edge}`),
    ...allowed
      .filter((edge) => !needed.includes(edge) && !isHidden(edge))
      .map((edge) => `the policies allow ${edge}, which nothing needs`),
  ];
}

/** What a pod may reach outside: name servers, and the services that it uses and that no pod here is. */
export function wrongWaysOut(objects: Objects): string[] {
  const ends = endsIn(objects);
  return podsIn(objects).flatMap((pods) => {
    const end = ends.find(({ title }) => title === pods.title) as End;
    const actual = waysOut(end, objects);
    if (actual === undefined) return [`${pods.title}: it may connect to anything`];
    return wrongPorts({ pods, actual, ends }, objects);
  });
}

function wrongPorts(
  { pods, actual, ends }: { pods: Pods; actual: number[]; ends: readonly End[] },
  objects: Objects,
): string[] {
  const { services, urls, isHidden } = needsOf(pods, objects);
  const outside = services.filter((service) => providersOf(service, ends).length === 0);
  const isAway = isHidden || urls.some((url) => behind(url, objects).length === 0);
  const right = [...DNS_PORTS, ...(isAway ? [443] : []), ...outside.flatMap((service) => servicePorts[service])];
  const isLost = (ports: readonly number[]) => !ports.some((port) => actual.includes(port));
  return [
    ...actual.filter((port) => !right.includes(port)).map((port) => `${pods.title}: it may go out on port ${port}`),
    ...outside
      .filter((service) => isLost(servicePorts[service]))
      .map((service) => `${pods.title}: no policy lets it out to ${service}`),
    ...(services.length + urls.length > 0 && isLost(DNS_PORTS) ? [`${pods.title}: it may not ask for names`] : []),
  ];
}
