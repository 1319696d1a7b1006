/** A container of an executed release: its command, arguments and environment as the kubelet would make them, run as a process. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { delimiter, dirname } from "node:path";
import type { Image } from "./executed-image.ts";
import type { Container, EnvFrom, EnvVar } from "./executed-manifests.ts";
import type { Lookup } from "./executed-volumes.ts";
import { replacePaths } from "./executed-volumes.ts";

export interface Process {
  pid: number;
  /** Everything that it has written so far. */
  output(): string;
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  isRunning(): boolean;
  /** With the signal that its image names. */
  stop(): void;
  kill(): void;
}

export interface Place {
  image: Image;
  podName: string;
  namespace: string;
  lookup: Lookup;
  mounts: readonly (readonly [path: string, local: string])[];
  /** The ports of this machine that stand for those of the container. */
  ports: ReadonlyMap<number, number>;
  localise(text: string): string;
}

/** The environment before anything is moved to this machine: what the image has, then envFrom, then env. Throws for what is not there. */
export function environmentOf(container: Container, place: Omit<Place, "mounts" | "ports" | "localise">): Env {
  const from = (container.envFrom ?? []).map((each) => valuesFrom(each, place.lookup));
  const env: Env = Object.assign({}, place.image.env, ...from) as Env;
  for (const variable of container.env ?? []) {
    const value = valueOf(variable, place);
    if (value !== undefined) env[variable.name] = expand(value, env);
  }
  return env;
}

export type Env = Record<string, string>;

function valuesFrom({ prefix = "", configMapRef, secretRef }: EnvFrom, lookup: Lookup): Env {
  const [kind, ref] = configMapRef ? (["ConfigMap", configMapRef] as const) : (["Secret", secretRef] as const);
  const data = ref && lookup(kind, ref.name);
  if (!data && !ref?.optional) throw new Error(`there is no ${kind} ${ref?.name}`);
  return Object.fromEntries(Object.entries(data ?? {}).map(([key, value]) => [prefix + key, value]));
}

function valueOf(variable: EnvVar, { lookup, podName, namespace }: Pick<Place, "lookup" | "podName" | "namespace">) {
  const { secretKeyRef, configMapKeyRef, fieldRef } = variable.valueFrom ?? {};
  if (fieldRef) {
    const fields: Env = { "metadata.name": podName, "metadata.namespace": namespace, "status.podIP": "127.0.0.1" };
    return fields[fieldRef.fieldPath] ?? "";
  }
  const ref = secretKeyRef ?? configMapKeyRef;
  if (!ref) return variable.value ?? "";
  const kind = secretKeyRef ? "Secret" : "ConfigMap";
  const value = lookup(kind, ref.name)?.[ref.key];
  if (value === undefined && !ref.optional) throw new Error(`${kind} ${ref.name} has no ${ref.key}`);
  return value;
}

/** `$(NAME)`, as in the fields of a container. */
function expand(text: string, env: Env): string {
  return text.replaceAll(/\$\((\w+)\)/g, (all, name: string) => env[name] ?? all);
}

/** Nothing outlives the test, whatever way it ends. */
const groups = new Set<number>();
process.once("exit", () => groups.forEach(killGroup));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));

function killGroup(group: number | undefined): void {
  try {
    if (group !== undefined) process.kill(-group, "SIGKILL");
  } catch {
    // It has ended.
  }
}

/** Runs it. `isServer` for a process that listens, whose ports are those of this machine. */
export function runContainer(container: Container, place: Place, { isServer }: { isServer: boolean }): Process {
  const { image, mounts, localise, ports } = place;
  const own = environmentOf(container, place);
  const here = (text: string) => localise(replacePaths(text, mounts));
  const env = Object.fromEntries(Object.entries(own).map(([name, value]) => [name, here(value)]));
  const port = (number: number) => {
    const local = ports.get(number);
    if (local === undefined) throw new Error(`the process listens on ${number}, which is no port of its container`);
    return `${local}`;
  };
  // What the image says has this machine's paths already.
  const mapped = (list: readonly string[] = []) => list.map((each) => here(expand(each, own)));
  const said = container.command ? mapped(container.command) : image.entrypoint;
  const args = container.args ? mapped(container.args) : container.command ? [] : image.cmd;
  const [program = "", ...rest] = [...said, ...args];
  const child = spawn(program.replace(/^\/usr\/local\/bin\/node$/, process.execPath), rest, {
    cwd: container.workingDir === undefined ? image.root : here(container.workingDir),
    stdio: ["ignore", "pipe", "pipe"],
    // With a group of its own, so that none of what it starts is left when it is killed.
    detached: true,
    env: {
      PATH: [image.bin, dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter),
      TMPDIR: here("/tmp"),
      ...env,
      ...(isServer ? image.moved(own, { port, path: here }) : {}),
    },
  });
  if (child.pid !== undefined) groups.add(child.pid);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const failed = once(child, "error").then(([error]) => {
    output += String(error);
    return { code: 127, signal: null };
  });
  const closed = once(child, "close").then(([code, signal]) => {
    groups.delete(child.pid as number);
    return { code: code as number | null, signal: signal as NodeJS.Signals | null };
  });
  return {
    pid: child.pid ?? 0,
    output: () => output,
    ended: Promise.race([closed, failed]),
    isRunning: () => child.exitCode === null && child.signalCode === null,
    stop: () => void child.kill(image.stopSignal),
    kill: () => killGroup(child.pid),
  };
}
