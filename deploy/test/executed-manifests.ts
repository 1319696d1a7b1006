/** What of the rendered objects is executed, and in which order: the parts of their schemas that a kubelet reads. */
import type { KubernetesObject } from "./schema.ts";

export interface Probe {
  httpGet?: { path: string; port: string | number };
  tcpSocket?: { port: string | number };
  exec?: { command: string[] };
  periodSeconds?: number;
  timeoutSeconds?: number;
  failureThreshold?: number;
}

type KeyRef = { name: string; key: string; optional?: boolean };

export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef?: KeyRef; configMapKeyRef?: KeyRef; fieldRef?: { fieldPath: string } };
}

export interface EnvFrom {
  prefix?: string;
  configMapRef?: { name: string; optional?: boolean };
  secretRef?: { name: string; optional?: boolean };
}

export interface Container {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  workingDir?: string;
  env?: EnvVar[];
  envFrom?: EnvFrom[];
  ports?: { name?: string; containerPort: number }[];
  startupProbe?: Probe;
  readinessProbe?: Probe;
  livenessProbe?: Probe;
  lifecycle?: { preStop?: { exec?: { command: string[] }; sleep?: { seconds: number } } };
  volumeMounts?: { name: string; mountPath: string; subPath?: string; readOnly?: boolean }[];
}

type Items = { key: string; path: string }[];

export interface Volume {
  name: string;
  emptyDir?: object;
  secret?: { secretName: string; items?: Items; optional?: boolean };
  configMap?: { name: string; items?: Items; optional?: boolean };
  persistentVolumeClaim?: { claimName: string };
  projected?: {
    sources: {
      secret?: { name: string; items?: Items; optional?: boolean };
      configMap?: { name: string; items?: Items; optional?: boolean };
      serviceAccountToken?: { path: string };
      downwardAPI?: { items: { path: string; fieldRef: { fieldPath: string } }[] };
    }[];
  };
}

export interface PodTemplate {
  metadata: { labels: Record<string, string>; annotations?: Record<string, string> };
  spec: {
    initContainers?: Container[];
    containers: Container[];
    volumes?: Volume[];
    terminationGracePeriodSeconds?: number;
    restartPolicy?: string;
  };
}

export interface Workload extends KubernetesObject {
  spec: {
    replicas?: number;
    template: PodTemplate;
    backoffLimit?: number;
    strategy?: { type?: string; rollingUpdate?: { maxSurge?: number | string; maxUnavailable?: number | string } };
    volumeClaimTemplates?: { metadata: { name: string } }[];
  };
}

export interface ServiceObject extends KubernetesObject {
  spec: {
    type?: string;
    selector?: Record<string, string>;
    ports: { name?: string; port: number; targetPort?: number | string }[];
  };
}

export function isWorkload(object: KubernetesObject): object is Workload {
  return ["Deployment", "StatefulSet", "Job"].includes(object.kind);
}

/** The images of all containers of the objects, each once. */
export function imagesOf(objects: readonly KubernetesObject[]): string[] {
  const specs = objects.filter(isWorkload).map(({ spec }) => spec.template.spec);
  const containers = specs.flatMap((spec) => [...(spec.initContainers ?? []), ...spec.containers]);
  return [...new Set(containers.map(({ image }) => image))];
}

export function isService(object: KubernetesObject): object is ServiceObject {
  return object.kind === "Service";
}

/** Argo CD's sync wave: 0 where there is none. */
export function waveOf({ metadata }: KubernetesObject): number {
  return Number(metadata.annotations?.["argocd.argoproj.io/sync-wave"] ?? 0);
}

/** The objects by wave, the first wave first. */
export function inWaves(objects: readonly KubernetesObject[]): KubernetesObject[][] {
  const waves = [...new Set(objects.map(waveOf))].toSorted((a, b) => a - b);
  return waves.map((wave) => objects.filter((object) => waveOf(object) === wave));
}

/** The bytes of a Secret or ConfigMap by key, as text. */
export function dataOf(object: KubernetesObject): Record<string, string> {
  const { data = {}, stringData = {} } = object as {
    data?: Record<string, string>;
    stringData?: Record<string, string>;
  };
  const decode = (value: string) => (object.kind === "Secret" ? Buffer.from(value, "base64").toString() : value);
  return { ...Object.fromEntries(Object.entries(data).map(([key, value]) => [key, decode(value)])), ...stringData };
}

/** Two numbers of a rolling update for this many replicas, with Kubernetes' defaults and rounding. */
export function rolling({ spec }: Workload): { surge: number; unavailable: number } {
  const { maxSurge = "25%", maxUnavailable = "25%" } = spec.strategy?.rollingUpdate ?? {};
  const replicas = spec.replicas ?? 1;
  const count = (value: number | string, round: (each: number) => number) =>
    typeof value === "number" ? value : round((Number.parseInt(value, 10) / 100) * replicas);
  const surge = count(maxSurge, Math.ceil);
  const unavailable = count(maxUnavailable, Math.floor);
  return { surge, unavailable: surge + unavailable === 0 ? 1 : unavailable };
}
