/** The mounts of an executed pod, each a folder or file of this machine, with the contents that the manifests name. */
import { existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { mounts as places } from "../src/release.ts";
import type { Container, PodTemplate, Volume } from "./executed-manifests.ts";

/** Contents by key; undefined where there is no such object. */
export type Lookup = (kind: "Secret" | "ConfigMap", name: string) => Record<string, string> | undefined;

export interface VolumeSources {
  /** Where the folders are made. */
  directory: string;
  namespace: string;
  lookup: Lookup;
  /** Changes what is written into files: addresses of this machine in place of names. */
  localise(text: string): string;
  /** For a volume `serviceAccountToken`. */
  token: string;
}

/** A folder of the image, below which a pod may mount something without mounting it itself. */
const DATA: string = places.data;

/** The same where nothing is mounted below it either: a file is where uploads would arrive, as their folder can not be made in a root that is read-only. */
const DATA_OF_ROOT = `${DATA} of the image`;

/** The folder of each volume of a pod. Throws where something that is no option is not there. */
export function makeVolumes(spec: PodTemplate["spec"], sources: VolumeSources): Map<string, string> {
  const base = mkdtempSync(join(sources.directory, "pod-"));
  const all = spec.volumes ?? [];
  const folders = new Map(
    all.map(({ name, persistentVolumeClaim: claim }) => [
      name,
      claim ? join(sources.directory, `claim-${claim.claimName}`) : join(base, name),
    ]),
  );
  folders.set(DATA, join(base, "image-data"));
  mkdirSync(join(base, "image-data"));
  folders.set(DATA_OF_ROOT, join(base, "image-root"));
  mkdirSync(join(base, "image-root"));
  writeFileSync(join(base, "image-root", "media"), "");
  const mounts = [...(spec.initContainers ?? []), ...spec.containers].flatMap((each) => mountsOf(each, folders));
  for (const volume of all) {
    const folder = folders.get(volume.name) as string;
    mkdirSync(folder, { recursive: true });
    for (const [path, text] of Object.entries(contentOf(volume, sources))) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), sources.localise(replacePaths(text, mounts)));
    }
  }
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) nest(mountsOf(container, folders));
  return folders;
}

/** A mount below another one is found there too, by whoever knows only the upper one. */
function nest(mounts: readonly (readonly [path: string, local: string])[]): void {
  for (const [path, local] of mounts) {
    const upper = mounts.find(([other]) => path.startsWith(`${other}/`));
    if (!upper) continue;
    const place = join(upper[1], path.slice(upper[0].length));
    mkdirSync(dirname(place), { recursive: true });
    if (!existsSync(place)) symlinkSync(local, place);
  }
}

function contentOf({ secret, configMap, projected }: Volume, sources: VolumeSources): Record<string, string> {
  const take = (kind: "Secret" | "ConfigMap", name: string, { items, optional }: Picking) => {
    const data = sources.lookup(kind, name);
    if (!data && !optional) throw new Error(`there is no ${kind} ${name}`);
    return pick(data ?? {}, items, `${kind} ${name}`);
  };
  if (secret) return take("Secret", secret.secretName, secret);
  if (configMap) return take("ConfigMap", configMap.name, configMap);
  return Object.assign(
    {},
    ...(projected?.sources ?? []).map((source) => ({
      ...(source.secret && take("Secret", source.secret.name, source.secret)),
      ...(source.configMap && take("ConfigMap", source.configMap.name, source.configMap)),
      ...(source.serviceAccountToken && { [source.serviceAccountToken.path]: sources.token }),
      ...Object.fromEntries(source.downwardAPI?.items.map(({ path }) => [path, sources.namespace]) ?? []),
    })),
  ) as Record<string, string>;
}

type Picking = { items?: { key: string; path: string }[]; optional?: boolean };

function pick(data: Record<string, string>, items: Picking["items"], where: string): Record<string, string> {
  if (!items) return data;
  return Object.fromEntries(
    items.map(({ key, path }) => {
      if (data[key] === undefined) throw new Error(`${where} has no ${key}`);
      return [path, data[key]];
    }),
  );
}

/** Where the mounts of a container are on this machine, the longest path first. */
export function mountsOf(container: Container, volumes: ReadonlyMap<string, string>): [path: string, local: string][] {
  const mounts = (container.volumeMounts ?? []).map(({ name, mountPath, subPath }): [string, string] => {
    const folder = volumes.get(name);
    if (folder === undefined) throw new Error(`the container ${container.name} mounts ${name}, which is no volume`);
    return [mountPath, subPath === undefined ? folder : join(folder, subPath)];
  });
  const isBelow = mounts.some(([path]) => path.startsWith(`${DATA}/`));
  const isMounted = mounts.some(([path]) => path === DATA);
  const upper: [string, string][] = isMounted ? [] : [[DATA, volumes.get(isBelow ? DATA : DATA_OF_ROOT) ?? ""]];
  return [...mounts, ...upper].toSorted(([a], [b]) => b.length - a.length);
}

/** The text with each path below a mount replaced by where it is on this machine. */
export function replacePaths(text: string, mounts: readonly (readonly [path: string, local: string])[]): string {
  if (mounts.length === 0) return text;
  const paths = mounts.map(([path]) => path.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const pattern = new RegExp(`(?<![\\w.-])(${paths.join("|")})(?![\\w.-])`, "g");
  return text.replaceAll(pattern, (path) => new Map(mounts).get(path) ?? path);
}
