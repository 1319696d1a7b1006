/** Templates as acts: what a person chooses, and the query that comes of it. */
import type { Act, ActField } from "../../parts/acts.ts";
import { written } from "./names.ts";
import type { Schema, Template } from "./shapes.ts";

const MOST_CHOICES = 12;

function fieldFor(name: Template["names"][number], schema: Schema | undefined): ActField {
  const all = {
    label: schema?.labels.map((each) => each.name) ?? [],
    edge: schema?.edges.map((each) => each.name) ?? [],
    property: [...new Set(schema?.labels.flatMap(({ properties }) => properties.map((each) => each.name)) ?? [])],
  }[name];
  const label = { label: "Label", edge: "Edge type", property: "Property" }[name];
  const initial = all[0] ?? "";
  if (all.length === 0 || all.length > MOST_CHOICES) return { name, label, initial };
  return { name, label, initial, options: all.map((value) => ({ value, label: value })) };
}

export interface Filled {
  cypher: string;
  parameters: string;
}

export function templateAct(template: Template, schema: Schema | undefined, onFilled: (filled: Filled) => void): Act {
  const given = Object.entries(template.parameters);
  return {
    title: template.title,
    consequence: template.about,
    label: "Put it into the editor",
    fields: [
      ...template.names.map((name) => fieldFor(name, schema)),
      ...given.map(([name, initial]) => ({ name: `$${name}`, label: `$${name}`, initial: String(initial) })),
    ],
    async run(values) {
      const cypher = template.cypher.replaceAll(/\{(label|edge|property)\}/g, (_, name: string) =>
        written(values[name] ?? ""),
      );
      const parameters = Object.fromEntries(given.map(([name]) => [name, valueOf(values[`$${name}`] ?? "")]));
      onFilled({ cypher, parameters: given.length === 0 ? "" : JSON.stringify(parameters, undefined, 1) });
    },
  };
}

/** What looks like a number is one: properties are compared with their kind. */
function valueOf(text: string): string | number {
  return /^-?(0|[1-9]\d{0,14})(\.\d+)?$/.test(text) ? Number(text) : text;
}
