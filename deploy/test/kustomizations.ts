/** What `kubectl apply -k` may be given, and what it gives. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { readdir } from "node:fs/promises";
import { type KubernetesObject, schemaProblems } from "./schema.ts";
import { render, repoRoot } from "./tools.ts";

/** Installations: each comes up by itself. */
export const installations: Readonly<Record<string, { path: string; namespace: string }>> = {
  minikube: { path: "deploy/kustomize/overlays/minikube", namespace: "parley" },
  telegram: { path: "deploy/kustomize/overlays/telegram", namespace: "minitelegram" },
  irc: { path: "deploy/kustomize/overlays/irc", namespace: "irc" },
  "minikube-with-backup": { path: "deploy/kustomize/overlays/minikube-with-backup", namespace: "parley" },
  "irc-with-backup": { path: "deploy/kustomize/overlays/irc-with-backup", namespace: "irc" },
  cnpg: { path: "deploy/cnpg/parley", namespace: "parley" },
  "cnpg-with-backup": { path: "deploy/cnpg/parley-with-backup", namespace: "parley" },
  "cnpg-recovered": { path: "deploy/cnpg/recovered", namespace: "parley" },
};

/** Parts of the installation in `of`, which are applied by themselves where the rest of it is there. */
export const parts: Readonly<Record<string, { path: string; of: string }>> = {
  "minikube-auth": { path: "deploy/kustomize/overlays/minikube-auth", of: "minikube" },
  "minikube-keys": { path: "deploy/kustomize/overlays/minikube-keys", of: "minikube" },
  "minikube-messages": { path: "deploy/kustomize/overlays/minikube-messages", of: "minikube" },
  "minikube-gateway": { path: "deploy/kustomize/overlays/minikube-gateway", of: "minikube" },
  "cnpg-database": { path: "deploy/cnpg/database", of: "cnpg" },
  "cnpg-restore-drill": { path: "deploy/cnpg/restore-drill", of: "cnpg-with-backup" },
};

export const paths: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({ ...installations, ...parts }).map(([name, { path }]) => [name, path]),
);

const rendered = new Map<string, Promise<KubernetesObject[]>>();

/** The objects of one of them. */
export function objectsOf(name: string): Promise<KubernetesObject[]> {
  const path = paths[name];
  if (path === undefined) throw new Error(`there is no kustomization ${name}`);
  let objects = rendered.get(name);
  if (!objects) rendered.set(name, (objects = render("kubectl", ["kustomize", path])));
  return objects;
}

/** Folders below deploy/ that somebody may give to `kubectl apply -k`: those with a Kustomization, and not only a Component. */
export async function applicableFolders(): Promise<string[]> {
  const found = await Promise.all(
    ["deploy/kustomize/overlays", "deploy/cnpg"].map(async (folder) => {
      const names = (await readdir(join(repoRoot, folder), { withFileTypes: true })).filter((each) =>
        each.isDirectory(),
      );
      return names.map(({ name }) => `${folder}/${name}`).filter(isKustomization);
    }),
  );
  return found.flat();
}

function isKustomization(folder: string): boolean {
  try {
    return /^kind: Kustomization$/m.test(readFileSync(join(repoRoot, folder, "kustomization.yaml"), "utf8"));
  } catch {
    return false;
  }
}

const key = {
  type: "object",
  properties: { name: { type: "string" }, key: { type: "string" } },
  required: ["name", "key"],
  additionalProperties: false,
};
const archive = {
  type: "object",
  properties: {
    compression: { enum: ["bzip2", "gzip", "lz4", "snappy", "xz", "zstd"] },
    encryption: { enum: ["AES256", "aws:kms"] },
    maxParallel: { type: "integer", minimum: 1 },
    jobs: { type: "integer", minimum: 1 },
  },
  additionalProperties: false,
};

/** The fields of barmancloud.cnpg.io/v1 that are used here, from the reference of the plugin: no package has them. */
const objectStore = {
  type: "object",
  properties: {
    retentionPolicy: { type: "string", pattern: "^[1-9]\\d*[dwm]$" },
    configuration: {
      type: "object",
      properties: {
        destinationPath: { type: "string", pattern: "^(s3|https?|gs)://" },
        endpointURL: { type: "string", pattern: "^https?://" },
        s3Credentials: {
          type: "object",
          properties: {
            accessKeyId: key,
            secretAccessKey: key,
            region: key,
            sessionToken: key,
            inheritFromIAMRole: { type: "boolean" },
          },
          additionalProperties: false,
        },
        wal: archive,
        data: archive,
      },
      required: ["destinationPath"],
      additionalProperties: false,
    },
  },
  required: ["configuration"],
  additionalProperties: false,
};
const isObjectStore = new Ajv({ allErrors: true }).compile(objectStore);

/** What an API server would refuse of the object. */
export async function problemsOf(object: KubernetesObject): Promise<string[]> {
  if (object.apiVersion !== "barmancloud.cnpg.io/v1") return schemaProblems(object);
  if (object.kind !== "ObjectStore") return [`there is no ${object.kind} in ${object.apiVersion}`];
  if (isObjectStore(object["spec"])) return [];
  return (isObjectStore.errors ?? []).map(({ instancePath, message }) => `ObjectStore${instancePath} ${message}`);
}
