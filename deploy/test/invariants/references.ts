/** Whatever is named is there: Secrets and their keys, ConfigMaps, claims, Services, ports, targets of scaling. */
import type { KubernetesObject } from "../schema.ts";
import {
  type Container,
  containersOf,
  dataOf,
  ofKind,
  type Pods,
  podsIn,
  type Selector,
  selects,
  spec,
  titleOf,
  type Volume,
} from "./objects.ts";

type Objects = readonly KubernetesObject[];

/** What an installation brings itself: names of Secrets and claims that nothing here renders. */
export interface Given {
  given?: readonly string[];
}

/** Every Secret, ConfigMap and claim that pods name is there, with the keys that they name. */
export function missingReferences(objects: Objects, { given = [] }: Given = {}): string[] {
  return podsIn(objects).flatMap((pods) =>
    [...referencesOf(pods)].flatMap(([kind, name, keys]) => {
      if (given.includes(name)) return [];
      if (kind === "PersistentVolumeClaim")
        return hasClaim(objects, name) ? [] : [`${pods.title}: there is no claim ${name}`];
      const data = dataOf(objects, kind, name);
      if (Object.keys(data).length === 0) return [`${pods.title}: there is no ${kind} ${name}`];
      return keys.filter((key) => !(key in data)).map((key) => `${pods.title}: ${kind} ${name} has no key ${key}`);
    }),
  );
}

type Reference = [kind: "Secret" | "ConfigMap" | "PersistentVolumeClaim", name: string, keys: readonly string[]];

function* referencesOf(pods: Pods): Generator<Reference> {
  for (const { env = [], envFrom = [] } of containersOf(pods)) {
    for (const { valueFrom: { secretKeyRef, configMapKeyRef } = {} } of env) {
      if (secretKeyRef && !secretKeyRef.optional) yield ["Secret", secretKeyRef.name, [secretKeyRef.key]];
      if (configMapKeyRef && !configMapKeyRef.optional)
        yield ["ConfigMap", configMapKeyRef.name, [configMapKeyRef.key]];
    }
    for (const { secretRef, configMapRef } of envFrom) {
      if (secretRef) yield ["Secret", secretRef.name, []];
      if (configMapRef) yield ["ConfigMap", configMapRef.name, []];
    }
  }
  for (const volume of pods.spec.volumes ?? []) yield* referencesOfVolume(volume);
}

function* referencesOfVolume({ secret, configMap, persistentVolumeClaim, projected }: Volume): Generator<Reference> {
  const keys = ({ items = [] }: { items?: { key: string }[] }) => items.map(({ key }) => key);
  if (secret) yield ["Secret", secret.secretName, keys(secret)];
  if (configMap) yield ["ConfigMap", configMap.name, keys(configMap)];
  if (persistentVolumeClaim) yield ["PersistentVolumeClaim", persistentVolumeClaim.claimName, []];
  for (const source of projected?.sources ?? []) {
    if (source.secret) yield ["Secret", source.secret.name, keys(source.secret)];
    if (source.configMap) yield ["ConfigMap", source.configMap.name, keys(source.configMap)];
  }
}

function hasClaim(objects: Objects, name: string): boolean {
  return ofKind(objects, "PersistentVolumeClaim").some(({ metadata }) => metadata.name === name);
}

/** Every volume that a container mounts is one of its pod, and every volume is mounted. */
export function wrongMounts(objects: Objects): string[] {
  return podsIn(objects).flatMap((pods) => {
    const volumes = [...(pods.spec.volumes ?? []).map(({ name }) => name), ...pods.claims];
    const mounted = containersOf(pods).flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name));
    return [
      ...mounted.filter((name) => !volumes.includes(name)).map((name) => `${pods.title}: there is no volume ${name}`),
      ...volumes.filter((name) => !mounted.includes(name)).map((name) => `${pods.title}: nothing mounts ${name}`),
    ];
  });
}

/** Ports that probes and Services name are ports of the containers. */
export function missingPorts(objects: Objects): string[] {
  const ofProbes = podsIn(objects).flatMap((pods) =>
    containersOf(pods).flatMap((container) =>
      [container.startupProbe, container.livenessProbe, container.readinessProbe].flatMap((probe) => {
        const port = probe?.httpGet?.port ?? probe?.tcpSocket?.port;
        return port === undefined || hasPort([container], port)
          ? []
          : [`${pods.title}: ${container.name} has no port ${port}, which a probe asks`];
      }),
    ),
  );
  return [...ofProbes, ...ofKind(objects, "Service").flatMap((service) => problemsOfService(service, objects))];
}

function hasPort(containers: readonly Container[], port: string | number): boolean {
  return containers.some(({ ports = [] }) =>
    ports.some(({ name, containerPort }) => name === port || containerPort === port),
  );
}

interface ServiceSpec {
  selector?: Record<string, string>;
  type?: string;
  ports?: { name?: string; port: number; targetPort?: string | number }[];
}

function problemsOfService(service: KubernetesObject, objects: Objects): string[] {
  const { selector, ports = [], type } = spec<ServiceSpec>(service);
  if (type === "ExternalName" || selector === undefined) return [];
  const behind = podsIn(objects).filter(({ labels }) => selects({ matchLabels: selector }, labels));
  if (behind.length === 0) return [`${titleOf(service)}: no pod has the labels that it selects`];
  return ports.flatMap(({ port, targetPort = port }) =>
    behind.some(({ spec: pod }) => hasPort(pod.containers, targetPort))
      ? []
      : [`${titleOf(service)}: the pods behind it have no port ${targetPort}`],
  );
}

/** Services that an Ingress, a route or a StatefulSet names are there, with the port. */
export function missingServices(objects: Objects): string[] {
  const services = new Map(ofKind(objects, "Service").map((each) => [each.metadata.name, spec<ServiceSpec>(each)]));
  return backendsIn(objects).flatMap(({ from, name, port }) => {
    const found = services.get(name);
    if (!found) return [`${from}: there is no Service ${name}`];
    const isThere = port === undefined || found.ports?.some((each) => each.name === port || each.port === port);
    return isThere ? [] : [`${from}: Service ${name} has no port ${port}`];
  });
}

interface Backend {
  from: string;
  name: string;
  port: string | number | undefined;
}

interface IngressBackend {
  service?: { name: string; port: { name?: string; number?: number } };
}

interface IngressSpec {
  defaultBackend?: IngressBackend;
  rules?: { http?: { paths: { path: string; backend: IngressBackend }[] } }[];
}

function backendsIn(objects: Objects): Backend[] {
  return objects.flatMap((object): Backend[] => {
    const from = titleOf(object);
    if (object.kind === "Ingress") {
      const { rules = [], defaultBackend } = spec<IngressSpec>(object);
      const paths = rules.flatMap(({ http }) => http?.paths ?? []).map(({ backend }) => backend);
      return [...paths, ...(defaultBackend ? [defaultBackend] : [])].flatMap(({ service }) =>
        service ? [{ from, name: service.name, port: service.port.name ?? service.port.number }] : [],
      );
    }
    if (object.kind === "HTTPRoute") {
      const { rules = [] } = spec<{ rules?: { backendRefs?: { name: string; port?: number }[] }[] }>(object);
      return rules.flatMap(({ backendRefs = [] }) => backendRefs).map(({ name, port }) => ({ from, name, port }));
    }
    const { serviceName } = spec<{ serviceName?: string }>(object);
    return object.kind === "StatefulSet" && serviceName ? [{ from, name: serviceName, port: undefined }] : [];
  });
}

/** Whatever scales, guards or watches has something that it scales, guards or watches. */
export function missingTargets(objects: Objects): string[] {
  const pods = podsIn(objects);
  const names = objects.map(titleOf);
  return objects.flatMap((object) => {
    const { scaleTargetRef, selector } = spec<{
      scaleTargetRef?: { kind?: string; name: string };
      selector?: Selector;
    }>(object);
    if (scaleTargetRef) {
      const target = `${scaleTargetRef.kind ?? "Deployment"} ${scaleTargetRef.name}`;
      return names.includes(target) ? [] : [`${titleOf(object)}: there is no ${target}`];
    }
    if (object.kind === "PodDisruptionBudget")
      return pods.some(({ labels }) => selects(selector, labels)) ? [] : [`${titleOf(object)}: it guards no pod`];
    if (object.kind !== "ServiceMonitor") return [];
    const watched = ofKind(objects, "Service").some(({ metadata }) => selects(selector, metadata.labels ?? {}));
    return watched ? [] : [`${titleOf(object)}: it watches no Service`];
  });
}

/** A workload selects its own pods, and no other's. */
export function wrongSelectors(objects: Objects): string[] {
  const pods = podsIn(objects);
  return ofKind(objects, "Deployment", "StatefulSet", "DaemonSet").flatMap((owner) => {
    const { selector } = spec<{ selector: Selector }>(owner);
    const title = titleOf(owner);
    const found = pods.filter(({ labels }) => selects(selector, labels)).map((each) => each.title);
    const others = found.filter((each) => each !== title);
    return [
      ...(found.includes(title) ? [] : [`${title}: it does not select its own pods`]),
      ...others.map((other) => `${title}: it selects the pods of ${other} too`),
    ];
  });
}
