/**
 * Objects against the schemas of the API servers and operators that take them, with unknown fields refused, as an API server
 * does with strict field validation. The validators of the packages let unknown fields pass. They read every field that a
 * schema has, and no other: so each object is handed over inside of a proxy, and what nobody asked for is unknown.
 */
import { cnpgProblems } from "./cnpg-schema.ts";

/** A rendered object. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  [field: string]: unknown;
}

type Validate = (this: object) => void;

/** Where the schemas of a group are. What is not here is of Kubernetes itself. */
const packages: Readonly<Record<string, string>> = {
  "external-secrets.io": "@kubernetes-models/external-secrets",
  "cert-manager.io": "@kubernetes-models/cert-manager",
  "argoproj.io": "@kubernetes-models/argo-cd",
  "monitoring.coreos.com": "@kubernetes-models/prometheus-operator",
  "gateway.networking.k8s.io": "@kubernetes-models/gateway-api",
  "keda.sh": "@kubernetes-models/keda",
};

/** What is wrong with an object: empty when an API server would take it. */
export async function schemaProblems(object: KubernetesObject): Promise<string[]> {
  const name = `${object.kind} ${object.metadata?.name}`;
  if (object.apiVersion.startsWith("postgresql.cnpg.io/"))
    return cnpgProblems(object).map((problem) => `${name}: ${problem}`);
  const validate = await validatorOf(object);
  if (!validate) return [`${name}: there is no ${object.kind} in ${object.apiVersion}`];
  const watched = watch(object);
  try {
    validate.call(watched.proxy);
  } catch (thrown) {
    return [`${name}: ${(thrown as Error).message}`];
  }
  return unread(object, watched).map((path) => `${name}: there is no field ${path}`);
}

async function validatorOf({ apiVersion, kind }: KubernetesObject): Promise<Validate | undefined> {
  const group = apiVersion.includes("/") ? (apiVersion.split("/")[0] as string) : "";
  const path = `${packages[group] ?? "kubernetes-models"}/${apiVersion}/${kind}`;
  try {
    const module = (await import(path)) as Record<string, { prototype: { validate: Validate } }>;
    return module[kind]?.prototype.validate;
  } catch (thrown) {
    const { code } = thrown as { code?: string };
    if (code === "ERR_MODULE_NOT_FOUND" || code === "ERR_PACKAGE_PATH_NOT_EXPORTED") return undefined;
    throw thrown;
  }
}

/** An object, what was read of it, and the same of the objects inside of it. */
interface Watched {
  proxy: object;
  read: Set<string>;
  inner: Map<string, Watched>;
}

function watch(target: object): Watched {
  const read = new Set<string>();
  const inner = new Map<string, Watched>();
  const proxy = new Proxy(target, {
    get(_target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof key === "symbol") return value;
      read.add(key);
      if (typeof value !== "object" || value === null) return value;
      const known = inner.get(key) ?? watch(value);
      inner.set(key, known);
      return known.proxy;
    },
  });
  return { proxy, read, inner };
}

/** Fields that the validator did not ask for. An object of which nothing was read is free in its form. */
function unread(target: object, { read, inner }: Watched, path = ""): string[] {
  if (read.size === 0) return [];
  return Object.entries(target).flatMap(([key, value]: [string, unknown]) => {
    const at = Array.isArray(target) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
    if (!read.has(key)) return [at];
    const watched = inner.get(key);
    return watched && typeof value === "object" && value !== null ? unread(value, watched, at) : [];
  });
}
