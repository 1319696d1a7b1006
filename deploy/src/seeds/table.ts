/** The rows as tables in docs/operations/kubernetes.md: `node deploy/src/seeds/table.ts` writes them there. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { seeds } from "./all.ts";
import type { Field, Row, Seed, Target } from "./row.ts";

export const pagePath = "docs/operations/kubernetes.md";
const root = join(import.meta.dirname, "..", "..", "..");
const [BEGIN, END] = ["<!-- seeds: begin -->", "<!-- seeds: end -->"];

/** The page with the tables of the rows in it. Throws where it has no place for them. */
export function withTables(text: string): string {
  const [before, after] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (before < 0 || after < before) throw new Error(`${pagePath} has no ${BEGIN} before an ${END}`);
  return `${text.slice(0, before + BEGIN.length)}\n${seeds.map(tableOf).join("\n")}${text.slice(after)}`;
}

function tableOf({ name, title, rows }: Seed): string {
  const head = ["| below | it says | here | instead, and why |", "|---|---|---|---|"];
  return [`### ${name}: ${title}`, "", ...head, ...rows.map(lineOf), ""].join("\n");
}

function lineOf({ section, statement, met, instead = "as it says" }: Row): string {
  return `| ${section} | ${cell(statement)} | ${met.map(textOf).join("<br>")} | ${cell(instead)} |`;
}

const cell = (text: string) => text.replaceAll("|", "\\|");

/** A target as a reader finds it. */
export function textOf(target: Target): string {
  switch (target.is) {
    case "file":
      return link(target.path);
    case "page":
      return `[${target.path.split("/").at(-1)}, ${target.heading}](${relative(target.path)}#${anchor(target.heading)})`;
    case "setting":
      return `setting \`${target.name}\``;
    case "value":
      return `chart \`${target.key}\``;
    case "command":
      return `\`parley ${target.name}\``;
    case "object":
      return `${target.rendering}: ${target.kind} \`${target.name.replace("*", "")}\`${target.fields.map(fieldText).join("")}`;
  }
}

function fieldText({ path, value }: Field): string {
  const shown = path
    .replaceAll("\\.", ".")
    .replace("spec.template.spec.", "")
    .replace("containers.0.", "")
    .replaceAll(".*", "");
  return value === undefined ? `, \`${shown}\`` : `, \`${shown}: ${String(value)}\``;
}

const link = (path: string) => `[${path.replace("deploy/", "")}](${relative(path)})`;

function relative(path: string): string {
  return path.startsWith("docs/operations/")
    ? path.slice("docs/operations/".length)
    : path.startsWith("docs/")
      ? `../${path.slice(5)}`
      : `../../${path}`;
}

/** The anchor of a heading, as GitHub makes it. */
export function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
}

if (import.meta.main) {
  const path = join(root, pagePath);
  writeFileSync(path, withTables(readFileSync(path, "utf8")));
}
