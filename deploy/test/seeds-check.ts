/** Whether what the rows of deploy/src/seeds name is there, and whether the documents say something that has no row. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { commands } from "../../server/src/cli/commands.ts";
import { settings } from "../../server/src/settings/table.ts";
import type { Field, Row, Target } from "../src/seeds/row.ts";
import { objectsOf } from "./kustomizations.ts";
import type { KubernetesObject } from "./schema.ts";
import { repoRoot } from "./tools.ts";

/** Why the target is not there; undefined where it is. */
export async function problemOf(target: Target): Promise<string | undefined> {
  switch (target.is) {
    case "file":
      return problemOfFile(target.path, target.text);
    case "page":
      return problemOfFile(target.path, undefined) ?? problemOfHeading(target.path, target.heading);
    case "setting": {
      const isThere = settings.some(({ name, aliases = [] }) => [name, ...aliases].includes(target.name));
      return isThere ? undefined : `there is no setting ${target.name}`;
    }
    case "command":
      return commands.some(({ name }) => name === target.name) ? undefined : `there is no command ${target.name}`;
    case "value":
      return valuesAt(chartValues(), target.key.split(".")).length > 0
        ? undefined
        : `the chart has no value ${target.key}`;
    case "object":
      return problemOfObject(target, await objectsOf(target.rendering));
  }
}

function problemOfFile(path: string, text: string | undefined): string | undefined {
  if (!existsSync(join(repoRoot, path))) return `there is no ${path}`;
  const isThere = text === undefined || readFileSync(join(repoRoot, path), "utf8").includes(text);
  return isThere ? undefined : `${path} has no "${text}"`;
}

function problemOfHeading(path: string, heading: string): string | undefined {
  const lines = readFileSync(join(repoRoot, path), "utf8").split("\n");
  return lines.some((line) => /^#+ /.test(line) && line.replace(/^#+ /, "") === heading)
    ? undefined
    : `${path} has no heading "${heading}"`;
}

function chartValues(): unknown {
  return parse(readFileSync(join(repoRoot, "deploy/helm/parley/values.yaml"), "utf8"));
}

type ObjectTarget = Extract<Target, { is: "object" }>;

/** A name may end with a star: what is made by a generator has a hash behind it. */
function problemOfObject({ rendering, kind, name, fields }: ObjectTarget, objects: readonly KubernetesObject[]) {
  const found = objects.filter((each) => each.kind === kind && matches(name, each.metadata.name));
  if (found.length === 0) return `${rendering} has no ${kind} ${name}`;
  const wrong = fields.find((field) => !found.some((object) => has(object, field)));
  if (!wrong) return undefined;
  const { path, value } = wrong;
  return `${rendering}: ${kind} ${name} has no ${path}${value === undefined ? "" : ` that is ${String(value)}`}`;
}

function has(object: KubernetesObject, { path, value }: Field): boolean {
  const steps = path.split(/(?<!\\)\./).map((step) => step.replaceAll("\\.", "."));
  const values = valuesAt(object, steps);
  return value === undefined
    ? values.length > 0
    : values.some(
        (each) => each === value || (typeof value === "string" && typeof each === "string" && matches(value, each)),
      );
}

/** What is at a path; `*` is each item of a list. */
function valuesAt(value: unknown, [step, ...others]: readonly string[]): unknown[] {
  if (step === undefined) return value === undefined ? [] : [value];
  if (typeof value !== "object" || value === null) return [];
  if (step === "*") return Object.values(value).flatMap((each) => valuesAt(each, others));
  return valuesAt((value as Record<string, unknown>)[step], others);
}

function matches(pattern: string, text: string): boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[$()+.?[\\\]^{|}]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join(".*")}$`).test(text);
}

/** Names in a document that an operator would look for: environment variables, ports, paths, kinds. */
export function namesIn(text: string): string[] {
  const variables = text.match(/(?<![\w/.$-])[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+\b/g) ?? [];
  const ports = [...text.matchAll(/(?:[Pp]orts?:? |:)(\d{2,5})\b(?![-.])/g)].map(([, port]) => port as string);
  const written = [...text.matchAll(/(?<=[`"' ])(\/(?:api|ws|media|health|api\/health|api\/v1)[\w/]*)(?=[`"' ,]|$)/gm)];
  const paths = written.map(([, path]) => path as string);
  const kinds = [
    ...text.matchAll(
      /\b(?:Namespace|Deployment|StatefulSet|Service|Secret|ConfigMap|Job|Ingress|PersistentVolumeClaim|HorizontalPodAutoscaler|ScheduledBackup|PodDisruptionBudget|ExternalSecret|ClusterSecretStore|SecretStore|(?<=CloudNativePG )Cluster)(?=s?\b)/g,
    ),
  ];
  const unique = new Set([...variables, ...ports, ...paths, ...kinds.map(([kind]) => kind)]);
  return [...unique].filter((name) => !isNoName(name));
}

/** Words in capitals of SQL and of tables that are no variables, and times. */
function isNoName(name: string): boolean {
  return ["CREATE_EXTENSION"].includes(name) || /^0\d$/.test(name);
}

/** Of the names, those that no row has. */
export function withoutRow(names: readonly string[], rows: readonly Row[]): string[] {
  const text = rows.map(({ section, statement, instead = "" }) => `${section} ${statement} ${instead}`).join("\n");
  return names.filter(
    (name) =>
      !new RegExp(String.raw`(?<![\w])${name.replaceAll("/", String.raw`\/`)}(?![\w])`).test(text) &&
      !text.includes(`${name}s`),
  );
}
