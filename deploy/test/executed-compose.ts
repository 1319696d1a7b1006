/**
 * The services of the compose file as objects that an executed release runs: with their own commands, settings, secrets, files, health
 * checks and times to end. What compose does besides, waiting for one service before the next begins, is left out: a server waits for the
 * schema by itself, and a step that fails is tried again.
 */
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { parse } from "yaml";
import { readConfig } from "../../server/src/config.ts";
import { servicePorts } from "../src/release.ts";
import type { Container, Volume } from "./executed-manifests.ts";
import type { KubernetesObject } from "./schema.ts";

interface ComposeService {
  image: string;
  profiles: string[];
  command?: string[];
  restart?: string;
  environment?: Record<string, string>;
  secrets?: (string | { source: string; target: string })[];
  volumes?: string[];
  tmpfs?: string[];
  healthcheck: { test?: string[] };
  stop_grace_period?: string;
}

/** By the names of the services, with the port that is used first. */
const thirdParties: Readonly<Record<string, readonly number[]>> = {
  postgres: servicePorts.postgresql,
  redis: servicePorts.redis,
  nats: servicePorts.nats,
  rabbitmq: servicePorts.rabbitmq,
  minio: servicePorts.objects.toReversed(),
};

/** The objects of a profile of the file in `folder`, which has its secrets beside it, as compose-secrets.sh makes them. */
export function objectsOfProfile(folder: string, profile: string): KubernetesObject[] {
  const text = readFileSync(join(folder, "compose.yaml"), "utf8").replaceAll(/\$\{\w+:-([^}]*)\}/g, "$1");
  const { services, secrets } = parse(text, { merge: true }) as {
    services: Record<string, ComposeService>;
    secrets: Record<string, { file: string }>;
  };
  const files = Object.fromEntries(
    Object.entries(secrets).map(([name, { file }]) => [name, readFileSync(join(folder, file), "utf8")]),
  );
  const own = Object.entries(services).filter(([, { profiles }]) => profiles.includes(profile));
  return [
    { apiVersion: "v1", kind: "Secret", metadata: { name: "secrets" }, stringData: files },
    ...own.flatMap(([name, service]) => objectsOf(folder, name, service)),
  ];
}

function objectsOf(folder: string, name: string, service: ComposeService): KubernetesObject[] {
  const { volumes, mounts, configs } = mountsOf(folder, name, service);
  const env = Object.entries(service.environment ?? {}).map(([key, value]) => ({ name: key, value }));
  const ports = portsOf(name, service);
  const container: Container = {
    name,
    image: service.image,
    args: service.command ?? [],
    env,
    volumeMounts: mounts,
    ports: ports.map((port, i) => ({ name: i === 0 ? "http" : `port-${i}`, containerPort: port })),
    ...probesOf(service),
  };
  const labels = { app: name };
  const terminationGracePeriodSeconds = Number.parseInt(service.stop_grace_period ?? "10s", 10);
  const template = { metadata: { labels }, spec: { containers: [container], volumes, terminationGracePeriodSeconds } };
  const metadata = { name };
  const tries = /^on-failure:(\d+)$/.exec(service.restart ?? "")?.[1];
  if (tries !== undefined)
    return [
      ...configs,
      { apiVersion: "batch/v1", kind: "Job", metadata, spec: { backoffLimit: Number(tries), template } },
    ];
  const [kind, apiVersion] = [thirdParties[name] ? "StatefulSet" : "Deployment", "apps/v1"];
  return [
    ...configs,
    { apiVersion, kind, metadata, spec: { replicas: 1, selector: { matchLabels: labels }, template } },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { selector: labels, ports: ports.map((port, i) => ({ name: `port-${i}`, port, targetPort: port })) },
    },
  ];
}

/** Of a server the port of people, and that of its probes. */
function portsOf(name: string, { environment = {} }: ComposeService): readonly number[] {
  const known = thirdParties[name];
  if (known) return known;
  const { port, metrics } = readConfig(environment);
  return [port, ...(metrics ? [metrics.port] : [])];
}

/** What a health check fetches, as a probe. */
function probesOf({ healthcheck }: ComposeService): Partial<Container> {
  const url = /http:\/\/127\.0\.0\.1:(\d+)(\/health\/\w+)/.exec(healthcheck.test?.join(" ") ?? "");
  if (!url) return {};
  const probe = { httpGet: { path: url[2] as string, port: Number(url[1]) }, periodSeconds: 1, failureThreshold: 120 };
  return { startupProbe: probe, readinessProbe: probe, livenessProbe: probe };
}

function mountsOf(folder: string, service: string, { secrets = [], volumes = [], tmpfs = [] }: ComposeService) {
  const mounts: NonNullable<Container["volumeMounts"]> = [];
  const all: Volume[] = [];
  const configs: KubernetesObject[] = [];
  const targets = secrets.map((each) =>
    typeof each === "string" ? { source: each, target: `/run/secrets/${each}` } : each,
  );
  for (const [path, files] of Map.groupBy(targets, ({ target }) => dirname(target))) {
    const name = `secrets-${all.length}`;
    const items = files.map(({ source, target }) => ({ key: source, path: basename(target) }));
    all.push({ name, secret: { secretName: "secrets", items } });
    // A folder of the image's own keeps its other files.
    if (path.startsWith("/run/secrets")) mounts.push({ name, mountPath: path });
    else for (const { target } of files) mounts.push({ name, mountPath: target, subPath: basename(target) });
  }
  for (const each of [...tmpfs, ...volumes]) {
    const [source = "", path = source] = each.includes(":/") ? each.split(":") : [each.split(":")[0]];
    const name = `volume-${all.length}`;
    if (source.startsWith("./")) {
      configs.push({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: `${service}-${name}` },
        data: { [basename(path)]: readFileSync(join(folder, source), "utf8") },
      });
      all.push({ name, configMap: { name: `${service}-${name}` } });
      mounts.push({ name, mountPath: dirname(path) });
    } else {
      all.push({ name, emptyDir: {} });
      mounts.push({ name, mountPath: path });
    }
  }
  return { mounts, volumes: all, configs };
}
