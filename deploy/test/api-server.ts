/**
 * As much of a Kubernetes API server as helm needs to install, upgrade and uninstall: discovery, and objects that are kept. It
 * refuses what a real one refuses and a rendering does not show: an object against its schema, a change of what can not be
 * changed, an object that is created a second time. Nothing runs in it.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parse } from "yaml";
import { isProtobuf, readSecret } from "./protobuf.ts";
import { type KubernetesObject, schemaProblems } from "./schema.ts";

/** Resources by group and version, with their kinds. */
const resources: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  v1: {
    configmaps: "ConfigMap",
    namespaces: "Namespace",
    persistentvolumeclaims: "PersistentVolumeClaim",
    secrets: "Secret",
    services: "Service",
  },
  "apps/v1": { deployments: "Deployment", statefulsets: "StatefulSet" },
  "autoscaling/v2": { horizontalpodautoscalers: "HorizontalPodAutoscaler" },
  "batch/v1": { cronjobs: "CronJob", jobs: "Job" },
  "networking.k8s.io/v1": { ingresses: "Ingress", networkpolicies: "NetworkPolicy" },
  "policy/v1": { poddisruptionbudgets: "PodDisruptionBudget" },
};

/** What an update may not touch, by kind: paths in the spec. */
const immutable: Readonly<Record<string, readonly string[]>> = {
  Job: ["template", "selector"],
  Deployment: ["selector"],
  StatefulSet: ["selector", "serviceName", "volumeClaimTemplates"],
  PersistentVolumeClaim: ["accessModes", "storageClassName"],
};

export interface ApiServer extends AsyncDisposable {
  url: string;
  /** What is kept, by kind and name, as in `Secret parley`. */
  objects: Map<string, KubernetesObject>;
}

/** Starts one on a free port of this machine. */
export async function startApiServer(): Promise<ApiServer> {
  const objects = new Map<string, KubernetesObject>();
  const server = createServer((request, response) => {
    answer(objects, request).then(
      ({ status, body }) => send(response, status, body),
      (thrown: unknown) => send(response, 500, failure(500, String(thrown))),
    );
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, objects, [Symbol.asyncDispose]: close };
}

interface Reply {
  status: number;
  body: object;
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function failure(code: number, message: string): object {
  const reason = { 404: "NotFound", 409: "AlreadyExists", 422: "Invalid" }[code] ?? "InternalError";
  return { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message };
}

async function answer(objects: ApiServer["objects"], request: IncomingMessage): Promise<Reply> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  const discovered = discovery(pathname);
  if (discovered) return { status: 200, body: discovered };
  const place = placeOf(pathname);
  if (!place) return { status: 404, body: failure(404, `there is nothing at ${pathname}`) };
  const { kind, name } = place;
  const found = objects.get(`${kind} ${name}`);
  if (request.method === "GET" && name === undefined) {
    const selector = searchParams.get("labelSelector") ?? "";
    return {
      status: 200,
      body: { apiVersion: place.version, kind: `${kind}List`, metadata: {}, items: listed(objects, kind, selector) },
    };
  }
  if (request.method === "GET") return found ? { status: 200, body: found } : missing(place);
  if (request.method === "DELETE")
    return objects.delete(`${kind} ${name}`) && found ? { status: 200, body: found } : missing(place);
  return write({ objects, place, found, method: request.method ?? "" }, await bodyOf(request));
}

function missing({ kind, name }: Place): Reply {
  return { status: 404, body: failure(404, `there is no ${kind} ${name}`) };
}

interface Place {
  version: string;
  kind: string;
  name: string | undefined;
}

function placeOf(path: string): Place | undefined {
  const match = /^\/(?:api|apis)\/((?:[^/]+\/)?v[^/]+)\/(?:namespaces\/[^/]+\/)?([a-z]+)(?:\/([^/]+))?$/.exec(path);
  const [, version = "", plural = "", name] = match ?? [];
  const kind = resources[version]?.[plural];
  return kind === undefined ? undefined : { version, kind, name };
}

/** Which groups there are, and which resources they have. */
function discovery(path: string): object | undefined {
  if (path === "/version") return { major: "1", minor: "35", gitVersion: "v1.35.0" };
  if (path === "/api") return { kind: "APIVersions", versions: ["v1"] };
  const groups = Object.keys(resources).filter((each) => each.includes("/"));
  const asVersion = (groupVersion: string) => ({ groupVersion, version: groupVersion.split("/")[1] });
  if (path === "/apis") {
    const all = groups.map((each) => ({
      name: each.split("/")[0],
      versions: [asVersion(each)],
      preferredVersion: asVersion(each),
    }));
    return { kind: "APIGroupList", apiVersion: "v1", groups: all };
  }
  const groupVersion = /^\/apis?\/(.+)$/.exec(path)?.[1] ?? "";
  const own = resources[groupVersion];
  if (!own) return undefined;
  const verbs = ["create", "delete", "get", "list", "patch", "update"];
  const list = Object.entries(own).map(([name, kind]) => ({
    name,
    singularName: "",
    namespaced: kind !== "Namespace",
    kind,
    verbs,
  }));
  return { kind: "APIResourceList", apiVersion: "v1", groupVersion, resources: list };
}

function listed(objects: ApiServer["objects"], kind: string, selector: string): KubernetesObject[] {
  const wanted = selector
    .split(",")
    .filter((each) => each !== "")
    .map((each) => each.split("=") as [string, string]);
  return [...objects.values()].filter(
    (each) => each.kind === kind && wanted.every(([key, value]) => each.metadata.labels?.[key] === value),
  );
}

async function bodyOf(request: IncomingMessage): Promise<KubernetesObject> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  // Server-side apply sends YAML, of which JSON is a part.
  return isProtobuf(body) ? readSecret(body) : (parse(body.toString()) as KubernetesObject);
}

interface Write {
  objects: ApiServer["objects"];
  place: Place;
  found: KubernetesObject | undefined;
  method: string;
}

/** Creates, replaces, or applies; merges of parts come as the parts of an object that they change. */
async function write({ objects, place, found, method }: Write, body: KubernetesObject): Promise<Reply> {
  const key = `${place.kind} ${place.name ?? body.metadata.name}`;
  if (method === "POST" && objects.has(key)) return { status: 409, body: failure(409, `${key} is there already`) };
  const object = asKept({ ...found, ...body, apiVersion: place.version, kind: place.kind });
  const changed = found
    ? (immutable[place.kind] ?? []).filter((field) => !isSame(part(found, field), part(object, field)))
    : [];
  if (changed.length > 0) return { status: 422, body: failure(422, `${key}: ${changed.join()} may not be changed`) };
  const problems = await schemaProblems(object);
  if (problems.length > 0) return { status: 422, body: failure(422, problems.join("; ")) };
  objects.set(key, object);
  return { status: found ? 200 : 201, body: object };
}

function part(object: KubernetesObject, field: string): unknown {
  return (object["spec"] as Record<string, unknown> | undefined)?.[field];
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Secrets are kept encoded; the rest as it came. */
function asKept({
  stringData,
  ...object
}: KubernetesObject & { stringData?: Record<string, string> }): KubernetesObject {
  if (!stringData) return object;
  const encoded = Object.entries(stringData).map(([key, value]) => [key, Buffer.from(value).toString("base64")]);
  return { ...object, data: { ...(object["data"] as object), ...Object.fromEntries(encoded) } };
}
