/**
 * A release, executed on this machine: the rendered objects are applied, and every Deployment, StatefulSet and Job runs, with its
 * own commands, settings, secrets, probes and end. Either in sync waves, each healthy before the next as Argo CD does it, or all
 * at once, as kubectl and Helm do. What may differ from a cluster: addresses, ports and folders are those of this machine, replicas
 * may be fewer, and images that are not Parley's are the real servers of the test kit (executed-services.ts).
 */
import {
  readdirSync,
  readFileSync,
  rmSync,
  mkdtempSync,
  mkdirSync,
  chmodSync,
  existsSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { startApiServer } from "./executed-api-server.ts";
import { environmentOf } from "./executed-container.ts";
import type { Image } from "./executed-image.ts";
import {
  dataOf,
  inWaves,
  isService,
  isWorkload,
  rolling,
  type Container,
  type Workload,
} from "./executed-manifests.ts";
import { openNetwork } from "./executed-network.ts";
import { type Pod, type Site, startPod, type Termination } from "./executed-pod.ts";
import { nameOf, startThirdParty } from "./executed-services.ts";
import { makeVolumes, mountsOf, replacePaths } from "./executed-volumes.ts";
import { until } from "./until.ts";
import type { KubernetesObject } from "./schema.ts";

export interface ReleaseOptions {
  /** Parley's images by their references. */
  images: ReadonlyMap<string, Image>;
  /** How many pods of a Deployment run, given how many there should be. */
  replicas?: (deployment: Workload, wanted: number) => number;
  /** Laid over what is rendered, before anything else: the settings of the test itself. */
  settings?: Record<string, string>;
}

export interface Release extends AsyncDisposable {
  /** One wave after the other, or all of it at once; resolves when everything is ready and every Job is done. */
  apply(objects: readonly KubernetesObject[], how: "in waves" | "at once"): Promise<void>;
  /** Of a Service: http://127.0.0.1 and a port. */
  urlOf(service: string): string;
  pods(deployment: string): readonly Pod[];
  /** How the pods ended that were replaced or taken away. */
  terminations: readonly (Termination & { pod: string })[];
  /** What a kubelet would have had to mend. */
  problems: readonly string[];
  /** Takes away a pod of a Deployment, without another in its place. */
  remove(pod: Pod): Promise<Termination>;
  /** `kubectl create job --from=cronjob/…`: runs it once, and gives what it wrote. Rejects where it fails. */
  runNow(cronJob: string): Promise<string>;
  /** What a Secret has, decoded. */
  secret(name: string): Record<string, string>;
}

interface Running {
  site: Site;
  /** In place of an image that has only to have PostgreSQL's client. */
  tools: Image;
  options: ReleaseOptions;
  objects: Map<string, KubernetesObject>;
  deployments: Map<string, { template: string; pods: Pod[] }>;
  jobs: Map<string, Pod[]>;
  terminations: (Termination & { pod: string })[];
  ending: AsyncDisposableStack;
  numbers: { pod: number };
  /** What is under way; when the release is taken away nothing of it begins any more, and its end is waited for. */
  work: Set<Promise<void>>;
  isEnding: boolean;
}

const TOKEN = "token-of-a-service-account";
const CA = "kube-root-ca.crt";

/** Opens an empty namespace. */
export async function openRelease(namespace: string, options: ReleaseOptions): Promise<Release> {
  await using opened = new AsyncDisposableStack();
  const directory = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "parley-release-"));
  chmodSync(directory, 0o755);
  opened.defer(async () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  const network = opened.use(openNetwork(namespace));
  const objects = new Map<string, KubernetesObject>();
  const add = (object: KubernetesObject) => void objects.set(keyOf(object), object);
  const create = (secret: KubernetesObject) => {
    const isNew = !objects.has(keyOf(secret));
    if (isNew) add(secret);
    return isNew;
  };
  const api = opened.use(await startApiServer({ directory, namespace, token: TOKEN, create }));
  add({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: CA }, data: { "ca.crt": api.certificate } });
  const tools = toolsIn(directory);
  const site: Site = {
    directory,
    namespace,
    network,
    token: TOKEN,
    problems: [],
    shared: new Map([["/var/cache/parley", join(tmpdir(), "parley-compiled")]]),
    localise: network.localise,
    lookup: (kind, name) => {
      const object = objects.get(`${kind}/${name}`);
      return object && dataOf(object);
    },
    image: (reference) => {
      const image = options.images.get(reference);
      if (!image && nameOf(reference) === "postgres") return tools;
      if (!image) throw new Error(`there is no image ${reference}`);
      const env = { KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: `${api.port}` };
      return { ...image, env: { ...image.env, ...env } };
    },
  };
  const ending = opened.move();
  const running: Running = {
    site,
    tools,
    options,
    objects,
    ending,
    deployments: new Map(),
    jobs: new Map(),
    terminations: [],
    numbers: { pod: 0 },
    work: new Set(),
    isEnding: false,
  };
  return releaseOf(running);
}

function releaseOf(running: Running): Release {
  const { site, deployments, terminations, ending } = running;
  return {
    apply: (objects, how) => apply(running, objects, how),
    urlOf: (service) => site.network.urlOf(service),
    pods: (deployment) => deployments.get(deployment)?.pods ?? [],
    terminations,
    problems: site.problems,
    remove: async (pod) => {
      for (const { pods } of deployments.values()) if (pods.includes(pod)) pods.splice(pods.indexOf(pod), 1);
      return end(running, pod);
    },
    async runNow(name) {
      const cronJob = running.objects.get(`CronJob/${name}`);
      if (!cronJob) throw new Error(`there is no CronJob ${name}`);
      const { jobTemplate } = cronJob["spec"] as CronJobSpec;
      const metadata = { name: `${name}-${running.numbers.pod}` };
      const job: Workload = { apiVersion: "batch/v1", kind: "Job", metadata, spec: jobTemplate.spec };
      await runWorkload(running, job);
      return (running.jobs.get(keyOf(job)) ?? []).map((pod) => pod.output()).join("");
    },
    secret: (name) => site.lookup("Secret", name) ?? {},
    async [Symbol.asyncDispose]() {
      running.isEnding = true;
      const killAll = () => {
        const all = [...[...deployments.values()].flatMap((each) => each.pods), ...[...running.jobs.values()].flat()];
        return Promise.all(all.map((pod) => pod.kill()));
      };
      await killAll();
      // What was starting when another part failed: it ends by itself, and leaves nothing.
      await Promise.allSettled(running.work);
      await killAll();
      await ending.disposeAsync();
    },
  };
}

interface CronJobSpec {
  jobTemplate: { spec: Workload["spec"] };
}

/** What an init container of PostgreSQL's image may ask: whether a server answers there, by a name of the cluster. */
const PG_ISREADY = `#!/bin/bash
while [ $# -gt 0 ]; do case $1 in -h) host=$2; shift ;; -p) port=$2; shift ;; esac; shift; done
while read -r name local; do
  [ "$name" = "$host:\${port:-5432}" ] || continue
  exec 3<>"/dev/tcp/127.0.0.1/$local" || exit 2
  printf '\\0\\0\\0\\10\\4\\322\\26\\57' >&3 && read -r -n 1 -t 3 -u 3 answer && [ -n "$answer" ]
  exit
done <"\${0%/*}/addresses"
exit 2
`;

function toolsIn(directory: string): Image {
  const bin = join(directory, "tools");
  mkdirSync(bin);
  writeFileSync(join(bin, "addresses"), "");
  writeFileSync(join(bin, "pg_isready"), PG_ISREADY, { mode: 0o755 });
  return { root: directory, bin, env: {}, entrypoint: [], cmd: [], stopSignal: "SIGTERM", moved: () => ({}) };
}

const keyOf = ({ kind, metadata }: KubernetesObject) => `${kind}/${metadata.name}`;

async function apply(
  running: Running,
  objects: readonly KubernetesObject[],
  how: "in waves" | "at once",
): Promise<void> {
  for (const wave of how === "in waves" ? inWaves(objects) : [objects]) await applyTogether(running, wave);
}

async function applyTogether(running: Running, objects: readonly KubernetesObject[]): Promise<void> {
  const { site } = running;
  for (const object of objects) running.objects.set(keyOf(object), object);
  for (const service of objects.filter(isService)) await site.network.addService(service);
  const services = [...running.objects.values()].filter(isService);
  const addresses = services.flatMap(({ metadata, spec }) =>
    spec.ports.map(({ port }) => {
      const name = `${metadata.name}:${port}`;
      return `${name} ${site.localise(name).split(":")[1]}\n`;
    }),
  );
  writeFileSync(join(site.directory, "tools", "addresses"), addresses.join(""));
  await Promise.all(objects.filter(isWorkload).map((workload) => runWorkload(running, workload)));
}

/** Runs the workload, and remembers that it does until it has come up, is done, or has failed. */
function runWorkload(running: Running, rendered: Workload): Promise<void> {
  const run = bringUp(running, rendered);
  running.work.add(run);
  const forget = () => void running.work.delete(run);
  run.then(forget, forget);
  return run;
}

async function bringUp(running: Running, rendered: Workload): Promise<void> {
  const workload = withSettings(rendered, running.options.settings);
  if (workload.kind === "StatefulSet") return runStatefulSet(running, workload);
  // A pod waits for the Secrets and ConfigMaps that it names: the kubelet tries again and again.
  await until(`what ${keyOf(workload)} refers to`, () => refersToWhatIs(running, workload), { deadline_ms: 60_000 });
  return workload.kind === "Job" ? runJob(running, workload) : rollOut(running, workload);
}

/** The settings of the test go to the containers that run Parley's server. */
function withSettings(workload: Workload, settings: Record<string, string> = {}): Workload {
  if (workload.kind !== "Deployment") return workload;
  const copy = structuredClone(workload);
  for (const container of copy.spec.template.spec.containers)
    for (const [name, value] of Object.entries(settings))
      container.env = [...(container.env ?? []).filter((each) => each.name !== name), { name, value }];
  return copy;
}

function refersToWhatIs(running: Running, { spec }: Workload): boolean {
  refuseEnded(running);
  const { site } = running;
  const { volumes = [], containers, initContainers = [] } = spec.template.spec;
  const secrets = [
    ...volumes.flatMap(({ secret }) => (secret && !secret.optional ? secret.secretName : [])),
    ...[...containers, ...initContainers].flatMap(({ env = [], envFrom = [] }) => [
      ...env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef?.name ?? []),
      ...envFrom.flatMap(({ secretRef }) => secretRef?.name ?? []),
    ]),
  ];
  return secrets.every((name) => site.lookup("Secret", name) !== undefined);
}

function refuseEnded({ isEnding }: Running): void {
  if (isEnding) throw new Error("the release was taken away");
}

/** One pod, whose server is one of the test kit's. */
async function runStatefulSet(running: Running, workload: Workload): Promise<void> {
  const { site, ending } = running;
  if (running.deployments.has(keyOf(workload))) return;
  await until(`what ${keyOf(workload)} refers to`, () => refersToWhatIs(running, workload), { deadline_ms: 60_000 });
  running.deployments.set(keyOf(workload), { template: "", pods: [] });
  const { template, volumeClaimTemplates = [] } = workload.spec;
  const claims = volumeClaimTemplates.map(({ metadata }) => ({ name: metadata.name, emptyDir: {} }));
  const volumes = makeVolumes({ ...template.spec, volumes: [...(template.spec.volumes ?? []), ...claims] }, site);
  const [container] = template.spec.containers as [Container];
  const mounts = mountsOf(container, volumes);
  const place = {
    image: running.tools,
    podName: `${workload.metadata.name}-0`,
  };
  const directory = mkdtempSync(join(site.directory, "data-"));
  // PostgreSQL has an account of its own where root runs the test.
  chmodSync(directory, 0o755);
  const server = startThirdParty({
    container,
    env: environmentOf(container, { ...place, namespace: site.namespace, lookup: site.lookup }),
    localise: site.localise,
    read: (path) => readFileSync(replacePaths(path, mounts), "utf8"),
    list: (path) => readdirSync(replacePaths(path, mounts)),
    directory,
  });
  if (!server) throw new Error(`${container.image} is not known here`);
  const { endpoint, stop } = await server;
  ending.defer(stop);
  const ports = (container.ports ?? []).slice(0, 1).flatMap(({ name = "", containerPort }) => [name, containerPort]);
  site.network.backends.add({
    labels: template.metadata.labels,
    isReady: () => true,
    endpoint: (port) => (ports.includes(port) ? endpoint : undefined),
  });
}

/** A Job runs once; where its pod fails, another takes its place, as often as the Job says. */
async function runJob(running: Running, workload: Workload): Promise<void> {
  const key = keyOf(workload);
  if (running.jobs.has(key)) return;
  const pods: Pod[] = [];
  running.jobs.set(key, pods);
  for (let left = workload.spec.backoffLimit ?? 6; ; left--) {
    const pod = newPod(running, workload);
    pods.push(pod);
    const failure = await pod.completes.then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    if (failure === undefined) return;
    if (left === 0) throw failure;
    await wait(RETRY_MS);
  }
}

/** The kubelet begins with ten seconds; here the test would only wait. */
const RETRY_MS = 500;

function newPod(running: Running, { metadata, spec }: Workload): Pod {
  refuseEnded(running);
  return startPod(`${metadata.name}-${++running.numbers.pod}`, spec.template, running.site);
}

/** Brings a Deployment to its template and its number of pods, with as many more and fewer at a time as its strategy says. */
async function rollOut(running: Running, workload: Workload): Promise<void> {
  const key = workload.metadata.name;
  const template = JSON.stringify(workload.spec.template);
  const deployment = running.deployments.get(key) ?? { template, pods: [] };
  running.deployments.set(key, deployment);
  const wanted = running.options.replicas?.(workload, workload.spec.replicas ?? 1) ?? workload.spec.replicas ?? 1;
  const old = deployment.template === template ? [] : [...deployment.pods];
  deployment.template = template;
  const { surge, unavailable } = rolling({ ...workload, spec: { ...workload.spec, replicas: wanted } });
  const ends: Promise<Termination>[] = [];
  const takeAway = () => {
    const pod = old.shift();
    if (!pod) return;
    deployment.pods.splice(deployment.pods.indexOf(pod), 1);
    ends.push(end(running, pod));
  };
  const isOneSpare = () => ready(deployment.pods) - 1 >= wanted - unavailable;
  for (let made = deployment.pods.length - old.length; made < wanted || old.length > 0;) {
    while (old.length > 0 && isOneSpare()) takeAway();
    const room = Math.min(wanted - made, wanted + surge - deployment.pods.length);
    // A pod that had become ready may not be for a while.
    if (room === 0 && old.length > 0) await until(`a pod of ${key} can be spared`, isOneSpare, { deadline_ms: 60_000 });
    const fresh = Array.from({ length: room }, () => newPod(running, workload));
    made += room;
    deployment.pods.push(...fresh);
    await Promise.all(fresh.map((pod) => pod.becomesReady));
  }
  await Promise.all(ends);
}

function ready(pods: readonly Pod[]): number {
  return pods.filter((pod) => pod.isReady()).length;
}

async function end({ terminations }: Running, pod: Pod): Promise<Termination> {
  const termination = await pod.terminate();
  terminations.push({ ...termination, pod: pod.name });
  return termination;
}
