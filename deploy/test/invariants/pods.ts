/** Rules for pods: Pod Security `restricted` and somewhat more, probes, resources, how they end. */
import { images, localProviders, mounts, probes as wantedProbes, staticWeb, uploadsOfWeb } from "../../src/release.ts";
import { readConfig } from "../../../server/src/config.ts";
import { settings } from "../../../server/src/settings/table.ts";
import type { KubernetesObject } from "../schema.ts";
import {
  type Container,
  containersOf,
  environmentOf,
  type EnvValue,
  isParley,
  isServer,
  ofKind,
  type Pods,
  podsIn,
  secret,
  type Selector,
  selects,
  spec,
  titleOf,
} from "./objects.ts";

type Objects = readonly KubernetesObject[];

/** What main.ts takes after the drain, in seconds. */
const END_S = 10;

function perPod(objects: Objects, check: (pods: Pods) => (string | false | undefined)[]): string[] {
  return podsIn(objects).flatMap((pods) =>
    check(pods)
      .filter((problem) => typeof problem === "string")
      .map((problem) => `${pods.title}: ${problem}`),
  );
}

function perContainer(
  objects: Objects,
  check: (container: Container, pods: Pods) => (string | false | undefined)[],
): string[] {
  return perPod(objects, (pods) =>
    containersOf(pods).flatMap((container) =>
      check(container, pods).map((problem) => problem && `${container.name} ${problem}`),
    ),
  );
}

/** Pod Security `restricted`, and a read-only root, sized emptyDirs, no token of a service account, no variables of Services. */
export function unrestricted(objects: Objects): string[] {
  const ofPods = perPod(objects, ({ spec: pod }) => [
    (pod.hostNetwork || pod.hostPID || pod.hostIPC) && "it shares what is the node's",
    pod.automountServiceAccountToken !== false && "it has the token of a service account",
    pod.enableServiceLinks !== false && "Services become variables in it",
    ...(pod.volumes ?? []).map(({ name, hostPath }) => hostPath !== undefined && `the volume ${name} is the node's`),
    ...(pod.volumes ?? []).map(
      ({ name, emptyDir }) => emptyDir !== undefined && !emptyDir.sizeLimit && `the volume ${name} has no limit`,
    ),
  ]);
  return [...ofPods, ...perContainer(objects, (container, { spec: pod }) => unrestrictedContainer(container, pod))];
}

function unrestrictedContainer(
  { securityContext: own = {}, ports = [] }: Container,
  { securityContext: common = {} }: Pods["spec"],
): (string | false)[] {
  const user = own.runAsUser ?? common.runAsUser;
  return [
    !(own.runAsNonRoot ?? common.runAsNonRoot) && "may run as root",
    (user === undefined || user === 0) && "has no user of its own",
    own.privileged === true && "is privileged",
    own.allowPrivilegeEscalation !== false && "may get more rights",
    own.readOnlyRootFilesystem !== true && "may write to its root",
    !own.capabilities?.drop?.includes("ALL") && "keeps capabilities",
    (own.capabilities?.add ?? []).length > 0 && "gets capabilities",
    (own.seccompProfile ?? common.seccompProfile)?.type !== "RuntimeDefault" && "has no seccomp profile",
    ports.some(({ hostPort }) => hostPort !== undefined) && "takes a port of the node",
  ];
}

/** Images have a version, and never the tag latest. */
export function floatingImages(objects: Objects): string[] {
  return perContainer(objects, ({ image }) => {
    const tag = /:([\w.-]+)$/.exec(image.split("/").at(-1) ?? "")?.[1];
    const isFixed = /@sha256:[0-9a-f]{64}$/.test(image) || (tag !== undefined && tag !== "latest");
    return [!isFixed && `has the image ${image}`];
  });
}

/** Every container says what it needs and what it may have; of memory both, since what is over it is killed. */
export function unlimited(objects: Objects): string[] {
  return perContainer(objects, ({ resources = {} }) =>
    (["requests", "limits"] as const).flatMap((side) =>
      ["cpu", "memory"].map((what) => resources[side]?.[what] === undefined && `has no ${side} for ${what}`),
    ),
  );
}

/** What runs on has the three probes, and those of Parley ask what the server answers. */
export function wrongProbes(objects: Objects): string[] {
  const served = objects.filter(({ kind }) => kind === "Deployment" || kind === "StatefulSet");
  return podsIn(served).flatMap((pods) =>
    pods.spec.containers.flatMap((container) =>
      (["startup", "live", "ready"] as const).flatMap((key) => {
        const probe = {
          startup: container.startupProbe,
          live: container.livenessProbe,
          ready: container.readinessProbe,
        }[key];
        const at = `${pods.title}: ${container.name}`;
        if (!probe) return [`${at} has no probe for ${key}`];
        const isOurs = isServer(container) || container.image.startsWith(`${images.web}:`);
        const { path } = wantedProbes[key];
        return isOurs && probe.httpGet?.path !== path
          ? [`${at} is asked for ${probe.httpGet?.path}, not for ${path}`]
          : [];
      }),
    ),
  );
}

/** A pod may take its drain, and the server's own end after it, before the kubelet ends it. */
export function cutDrains(objects: Objects): string[] {
  return perPod(objects, (pods) =>
    pods.spec.containers.filter(isServer).map((container) => {
      const drain = environmentOf(container, objects).get("PARLEY_DRAIN_MS");
      if (typeof drain !== "string" || !(Number(drain) > 0)) return `${container.name} does not drain`;
      const grace_s = pods.spec.terminationGracePeriodSeconds ?? 30;
      return grace_s <= Number(drain) / 1_000 + END_S && `${grace_s} s are too short for a drain of ${drain} ms`;
    }),
  );
}

const known = new Set(settings.map(({ name }) => name));
/** What the static web image reads: deploy/web/start.sh. */
const webSettings: readonly string[] = [staticWeb.calls, "PORT"];

/** Every variable is a setting of the program that gets it, or stands in the value of one. */
export function unknownSettings(objects: Objects): string[] {
  return perContainer(objects, (container) => {
    const env = environmentOf(container, objects);
    const isStaticWeb = env.has(staticWeb.calls) && !isParley(container);
    if (!isParley(container) && !isStaticWeb) return [];
    const values = [...env.values()].filter((value) => typeof value === "string");
    return [...env.keys()].map((name) => {
      const isKnown = isStaticWeb ? webSettings.includes(name) : known.has(name);
      return !isKnown && !values.some((value) => value.includes(`$(${name})`)) && `has ${name}, which is no setting`;
    });
  });
}

/** What secrets may be, so that a value that is not known here passes as one that is right. */
function standIn(name: string): string {
  const schemes: Record<string, string> = { REDIS_URL: "redis", NATS_URL: "nats", RABBITMQ_URL: "amqp" };
  if (name.startsWith("DATABASE_")) return "postgres://parley:secret@db/parley";
  return name in schemes ? `${schemes[name]}://somewhere` : "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTMyYiE=";
}

/** The server takes its settings: each has a value that it accepts, and they go together. */
export function refusedSettings(objects: Objects): string[] {
  return perContainer(objects, (container) => {
    if (!isServer(container)) return [];
    const env = [...environmentOf(container, objects)].map(([name, value]) => [
      name,
      value === secret ? standIn(name) : value,
    ]);
    try {
      readConfig(Object.fromEntries(env) as Record<string, string>);
      return [];
    } catch (thrown) {
      return [`is refused by the server: ${(thrown as Error).message}`];
    }
  });
}

/** Uploads arrive in a folder below PARLEY_DATA_DIR, also on their way to an object store: whoever takes them has a volume there. */
export function unwritableUploads(objects: Objects): string[] {
  return perContainer(objects, (container) => {
    const env = environmentOf(container, objects);
    const roles = env.get("ROLES") ?? "all";
    if (!isServer(container) || typeof roles !== "string" || !/\b(media|all)\b/.test(roles)) return [];
    const { data, media } = mounts;
    const isWritten = (container.volumeMounts ?? []).some(
      ({ mountPath, readOnly }) => [data, media].some((path) => path === mountPath) && readOnly !== true,
    );
    return [!isWritten && `takes uploads, and may write to nothing at ${media}`];
  });
}

/** The role web gives people archives of what they uploaded: it has the uploads, an object store, or the address of who has them. */
export function archivesWithoutFiles(objects: Objects): string[] {
  return perContainer(objects, (container) => {
    const env = environmentOf(container, objects);
    const roles = env.get("ROLES");
    if (!isServer(container) || typeof roles !== "string" || !/\bweb\b/.test(roles) || /\bmedia\b/.test(roles))
      return [];
    const local: readonly EnvValue[] = localProviders;
    const hasStore = !local.includes(env.get("STORAGE_PROVIDER") ?? "");
    return [!hasStore && !env.has(uploadsOfWeb.setting) && `has the role web, and no ${uploadsOfWeb.setting}`];
  });
}

/** A budget lets a node be drained: one pod at least may be away. */
export function unsatisfiableBudgets(objects: Objects): string[] {
  return ofKind(objects, "PodDisruptionBudget").flatMap((budget) => {
    type Budget = { selector: Selector; minAvailable?: number | string; maxUnavailable?: number | string };
    const { selector, minAvailable, maxUnavailable } = spec<Budget>(budget);
    const guarded = podsIn(objects).filter(({ labels }) => selects(selector, labels));
    const least = guarded.reduce((sum, { owner }) => sum + leastReplicas(owner, objects), 0);
    const isNever = maxUnavailable === 0 || maxUnavailable === "0%" || minAvailable === "100%";
    const isTight = typeof minAvailable === "number" && minAvailable >= least;
    return isNever || isTight ? [`${titleOf(budget)}: with ${least} pods none may ever be away`] : [];
  });
}

function leastReplicas(owner: KubernetesObject, objects: Objects): number {
  const scaled = objects
    .map((object) =>
      spec<{ scaleTargetRef?: { name: string }; minReplicas?: number; minReplicaCount?: number }>(object),
    )
    .find(({ scaleTargetRef }) => scaleTargetRef?.name === owner.metadata.name);
  const { replicas = 1 } = spec<{ replicas?: number }>(owner);
  return scaled?.minReplicas ?? scaled?.minReplicaCount ?? replicas;
}
