/** Rendered objects as the invariants see them: the pods behind workloads, their containers and their environment. */
import { commands } from "../../../server/src/cli/commands.ts";
import type { KubernetesObject } from "../schema.ts";

export type Labels = Readonly<Record<string, string>>;

export interface Selector {
  matchLabels?: Labels;
  matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[];
}

interface KeyRef {
  name: string;
  key: string;
  optional?: boolean;
}

export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef?: KeyRef; configMapKeyRef?: KeyRef; fieldRef?: unknown; resourceFieldRef?: unknown };
}

export interface Probe {
  httpGet?: { path?: string; port: string | number };
  tcpSocket?: { port: string | number };
  exec?: { command?: string[] };
  periodSeconds?: number;
  failureThreshold?: number;
}

export interface SecurityContext {
  runAsNonRoot?: boolean;
  runAsUser?: number;
  allowPrivilegeEscalation?: boolean;
  privileged?: boolean;
  readOnlyRootFilesystem?: boolean;
  capabilities?: { drop?: string[]; add?: string[] };
  seccompProfile?: { type?: string };
}

export interface Container {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  env?: EnvVar[];
  envFrom?: { configMapRef?: { name: string }; secretRef?: { name: string }; prefix?: string }[];
  ports?: { name?: string; containerPort: number; protocol?: string; hostPort?: number }[];
  startupProbe?: Probe;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  resources?: { requests?: Record<string, string | number>; limits?: Record<string, string | number> };
  securityContext?: SecurityContext;
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean; subPath?: string }[];
}

interface Items {
  items?: { key: string; path: string }[];
}

export interface Volume {
  name: string;
  emptyDir?: { sizeLimit?: string };
  hostPath?: unknown;
  configMap?: Items & { name: string };
  secret?: Items & { secretName: string };
  persistentVolumeClaim?: { claimName: string };
  projected?: { sources: { secret?: Items & { name: string }; configMap?: Items & { name: string } }[] };
}

export interface PodSpec {
  containers: Container[];
  initContainers?: Container[];
  volumes?: Volume[];
  securityContext?: SecurityContext;
  automountServiceAccountToken?: boolean;
  enableServiceLinks?: boolean;
  terminationGracePeriodSeconds?: number;
  hostNetwork?: boolean;
  hostPID?: boolean;
  hostIPC?: boolean;
  topologySpreadConstraints?: { labelSelector?: Selector }[];
}

/** The pods of one Deployment, StatefulSet, Job or CronJob. */
export interface Pods {
  owner: KubernetesObject;
  /** As in "Deployment api". */
  title: string;
  namespace: string;
  labels: Labels;
  spec: PodSpec;
  /** Names of claims that the owner makes for each pod. */
  claims: readonly string[];
}

interface Template {
  metadata?: { labels?: Labels };
  spec: PodSpec;
}

interface WorkloadSpec {
  template?: Template;
  jobTemplate?: { spec: { template: Template } };
  volumeClaimTemplates?: { metadata: { name: string } }[];
}

export function spec<T>(object: KubernetesObject): T {
  return (object["spec"] ?? {}) as T;
}

export function ofKind(objects: readonly KubernetesObject[], ...kinds: readonly string[]): KubernetesObject[] {
  return objects.filter(({ kind }) => kinds.includes(kind));
}

export function titleOf({ kind, metadata }: KubernetesObject): string {
  return `${kind} ${metadata.name}`;
}

/** All pods that the objects lead to. Those that an operator makes (CloudNativePG) are not among them. */
export function podsIn(objects: readonly KubernetesObject[]): Pods[] {
  return ofKind(objects, "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob").map((owner) => {
    const { template, jobTemplate, volumeClaimTemplates = [] } = spec<WorkloadSpec>(owner);
    const found = (template ?? jobTemplate?.spec.template) as Template;
    return {
      owner,
      title: titleOf(owner),
      namespace: owner.metadata.namespace ?? "",
      labels: found.metadata?.labels ?? {},
      spec: found.spec,
      claims: volumeClaimTemplates.map(({ metadata }) => metadata.name),
    };
  });
}

export function containersOf(pods: Pods): Container[] {
  return [...(pods.spec.initContainers ?? []), ...pods.spec.containers];
}

/** Whether the container runs Parley's server, as the image is told to. */
export function isServer({ args = [], command = [] }: Container): boolean {
  const words = [...command, ...args];
  return words.at(-1) === "serve" || words.some((word) => word.endsWith("server/src/main.ts"));
}

/** Whether it runs anything of the image: the server or a command of an operator. */
export function isParley(container: Container): boolean {
  const words = container.command?.[0] === "parley" ? container.command.slice(1) : (container.args ?? []);
  return isServer(container) || commands.some(({ name }) => name.split(" ")[0] === words[0]);
}

/** Whether labels are what a selector asks for. */
export function selects(selector: Selector | undefined, labels: Labels): boolean {
  if (selector === undefined) return false;
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === "Exists") return value !== undefined;
      if (operator === "DoesNotExist") return value === undefined;
      return values.includes(value ?? "") === (operator === "In");
    })
  );
}

/**
 * The environment of a container: what is written in it, and what its ConfigMaps have. A value that a Secret has is `secret`,
 * since nobody here may know it.
 */
export function environmentOf(container: Container, objects: readonly KubernetesObject[]): Map<string, EnvValue> {
  const found = new Map<string, EnvValue>();
  for (const { configMapRef, secretRef, prefix = "" } of container.envFrom ?? []) {
    const { name } = configMapRef ?? secretRef ?? { name: "" };
    for (const [key, value] of Object.entries(dataOf(objects, configMapRef ? "ConfigMap" : "Secret", name)))
      found.set(`${prefix}${key}`, configMapRef ? value : secret);
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const ref = valueFrom?.configMapKeyRef;
    const known = ref ? dataOf(objects, "ConfigMap", ref.name)[ref.key] : (value ?? "");
    found.set(name, valueFrom && !ref ? secret : (known ?? ""));
  }
  return found;
}

/** A value that is not known here. */
export const secret = Symbol("secret");
export type EnvValue = string | typeof secret;

/** What a ConfigMap, a Secret or an ExternalSecret has, by its keys. */
export function dataOf(objects: readonly KubernetesObject[], kind: string, name: string): Record<string, string> {
  return Object.assign({}, ...objects.map((object) => entriesOf(object, kind, name))) as Record<string, string>;
}

function entriesOf(object: KubernetesObject, kind: string, name: string): Record<string, string> {
  if (object.kind === kind && object.metadata.name === name) {
    const { data = {}, stringData = {} } = object as {
      data?: Record<string, string>;
      stringData?: Record<string, string>;
    };
    return { ...data, ...stringData };
  }
  if (kind !== "Secret") return {};
  if (object.kind === "ExternalSecret") {
    const { target, data = [] } = spec<{ target?: { name?: string }; data?: { secretKey: string }[] }>(object);
    if ((target?.name ?? object.metadata.name) !== name) return {};
    return Object.fromEntries(data.map(({ secretKey }) => [secretKey, ""]));
  }
  // CloudNativePG makes it for the application's user.
  const isApp = object.kind === "Cluster" && `${object.metadata.name}-app` === name;
  return isApp ? Object.fromEntries(cnpgKeys.map((key) => [key, ""])) : {};
}

const cnpgKeys = ["uri", "jdbc-uri", "fqdn-uri", "username", "user", "password", "dbname", "host", "port", "pgpass"];
