/**
 * A pod of an executed release. Its states, as the kubelet takes it through them: init containers one after the other; the
 * containers; started, when the startup probes say so; ready and not, as the readiness probes say; terminating, from when it is
 * deleted: it leaves its Services at once, preStop runs, SIGTERM comes, and at the end of its grace period SIGKILL.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { type Process, runContainer } from "./executed-container.ts";
import type { Image } from "./executed-image.ts";
import type { Container, PodTemplate, Probe } from "./executed-manifests.ts";
import type { Backend, Network } from "./executed-network.ts";
import { ask, patience_ms, watch } from "./executed-probe.ts";
import { makeVolumes, mountsOf, type VolumeSources } from "./executed-volumes.ts";
import { freePort } from "../../testkit/src/ports.ts";

export interface Site extends VolumeSources {
  network: Network;
  /** Throws for an image that nobody has. */
  image(reference: string): Image;
  /** Folders that all pods share, by where they are mounted: what is compiled need not be compiled for each. */
  shared: ReadonlyMap<string, string>;
  /** What must not have happened. */
  problems: string[];
}

/** How a pod ended. */
export interface Termination {
  code: number | null;
  took_ms: number;
  grace_ms: number;
}

export interface Pod extends Backend {
  name: string;
  template: PodTemplate;
  /** When it is ready for the first time. Rejects, with what it wrote, where it never is. */
  becomesReady: Promise<void>;
  /** Of a Job's pod: when its containers have ended. Rejects where one fails. */
  completes: Promise<void>;
  output(): string;
  terminate(): Promise<Termination>;
  kill(): Promise<void>;
}

/** What is known of a pod while it lives. */
interface Life {
  name: string;
  template: PodTemplate;
  site: Site;
  processes: Process[];
  /** Of this machine, by the container's. */
  ports: Map<number, number>;
  isReady: boolean;
  isEnding: boolean;
}

export function startPod(name: string, template: PodTemplate, site: Site): Pod {
  const life: Life = { name, template, site, processes: [], ports: new Map(), isReady: false, isEnding: false };
  const pod: Backend = {
    labels: template.metadata.labels,
    isReady: () => life.isReady && !life.isEnding,
    endpoint: (port) => ({ port: portOf(life, port) }),
  };
  const starting = start(life).then(() => void (life.isEnding || site.network.backends.add(pod)));
  const becomesReady = starting.then(() => firstReady(life));
  const completes = starting.then(() => completion(life));
  for (const promise of [starting, becomesReady, completes]) promise.catch(() => {});
  const leave = <T>(ended: T): T => {
    site.network.backends.delete(pod);
    return ended;
  };
  return {
    ...pod,
    name,
    template,
    becomesReady,
    completes,
    output: () => outputOf(life),
    terminate: () => terminate(life, starting).then(leave),
    kill: () => kill(life, starting).then(leave),
  };
}

function outputOf({ processes }: Life): string {
  return processes.map((each) => each.output()).join("");
}

function failure(life: Life, what: string): Error {
  return new Error(`${life.name} ${what}:\n${outputOf(life)}`);
}

async function start(life: Life): Promise<void> {
  const { site, ports } = life;
  const { initContainers = [], containers } = life.template.spec;
  const volumes = makeVolumes(life.template.spec, site);
  for (const container of initContainers) {
    const { code } = await run(life, container, volumes).ended;
    if (life.isEnding) return;
    if (code !== 0) throw failure(life, `did not get past its init container ${container.name} (${code})`);
  }
  for (const container of containers)
    for (const { containerPort } of container.ports ?? []) ports.set(containerPort, await freePort());
  for (const container of containers) run(life, container, volumes);
}

function run(life: Life, container: Container, volumes: ReadonlyMap<string, string>): Process {
  const { lookup, namespace, localise, shared, image } = life.site;
  const mounts = mountsOf(container, volumes).map(([path, local]) => [path, shared.get(path) ?? local] as const);
  const place = { image: image(container.image), podName: life.name, namespace, lookup, mounts, ports: life.ports };
  const isServer = (container.ports ?? []).length > 0;
  const process = runContainer(container, { ...place, localise }, { isServer });
  life.processes.push(process);
  return process;
}

async function completion(life: Life): Promise<void> {
  const ends = await Promise.all(life.processes.map((each) => each.ended));
  if (ends.some(({ code }) => code !== 0)) throw failure(life, "did not complete");
}

async function firstReady(life: Life): Promise<void> {
  const { startupProbe, readinessProbe, livenessProbe } = life.template.spec.containers[0] as Container;
  if (!startupProbe || !readinessProbe || !livenessProbe) throw failure(life, "has not all of its probes");
  const main = life.processes.at(-1) as Process;
  await started(life, startupProbe, main);
  const isOver = () => life.isEnding || !main.isRunning();
  const toPort = (port: number | string) => portOf(life, port);
  const { promise, resolve } = Promise.withResolvers<void>();
  const tellReady = (isGood: boolean) => {
    life.isReady = isGood;
    if (isGood) resolve();
  };
  const tellLive = (isGood: boolean, failing_ms: number) => {
    if (!isGood && failing_ms > patience_ms(livenessProbe))
      life.site.problems.push(`${life.name} would have been restarted`);
  };
  void watch(() => ask(readinessProbe, toPort), { isOver, tell: tellReady });
  void watch(() => ask(livenessProbe, toPort), { isOver, tell: tellLive });
  void main.ended.then(({ code }) => {
    life.isReady = false;
    if (!life.isEnding) life.site.problems.push(failure(life, `ended by itself (${code})`).message);
  });
  const late = wait(patience_ms(startupProbe), undefined, { ref: false });
  await Promise.race([promise, late.then(() => Promise.reject(failure(life, "was never ready")))]);
}

/** Until the startup probe succeeds, for as long as the kubelet would ask. */
async function started(life: Life, probe: Probe, main: Process): Promise<void> {
  const deadline_ms = performance.now() + patience_ms(probe);
  while (!(await ask(probe, (port) => portOf(life, port)))) {
    if (!main.isRunning() || performance.now() > deadline_ms) throw failure(life, "did not start");
    await wait(100);
  }
}

function portOf({ name, template, ports }: Life, port: number | string): number {
  const declared = template.spec.containers.flatMap((container) => container.ports ?? []);
  const number = typeof port === "number" ? port : declared.find((each) => each.name === port)?.containerPort;
  const local = number === undefined ? undefined : ports.get(number);
  if (local === undefined) throw new Error(`${name} has no port ${port}`);
  return local;
}

async function terminate(life: Life, starting: Promise<void>): Promise<Termination> {
  const begun_ms = performance.now();
  const { terminationGracePeriodSeconds = 30, containers } = life.template.spec;
  const grace_ms = terminationGracePeriodSeconds * 1_000;
  life.isEnding = true;
  const killing = setTimeout(() => {
    life.site.problems.push(failure(life, `did not end within ${grace_ms} ms`).message);
    for (const each of life.processes) each.kill();
  }, grace_ms);
  const { exec, sleep } = containers[0]?.lifecycle?.preStop ?? {};
  const [program, ...args] = exec?.command ?? [];
  if (program !== undefined) await once(spawn(program, args, { stdio: "ignore" }), "close");
  await wait((sleep?.seconds ?? 0) * 1_000);
  for (const each of life.processes) each.stop();
  await starting.catch(() => {});
  const ends = await Promise.all(life.processes.map((each) => each.ended));
  clearTimeout(killing);
  return { code: ends.at(-1)?.code ?? null, took_ms: performance.now() - begun_ms, grace_ms };
}

async function kill(life: Life, starting: Promise<void>): Promise<void> {
  life.isEnding = true;
  for (const each of life.processes) each.kill();
  await starting.catch(() => {});
  for (const each of life.processes) each.kill();
  await Promise.all(life.processes.map((each) => each.ended));
}
