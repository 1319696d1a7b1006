/** The vertices and edges that stand anywhere in rows, as the canvas draws them. */
import { type GraphData, type GraphEdge, type GraphNode, MOST_NODES } from "../graph/canvas/model.ts";
import { type Edge, isEdge, isPath, isVertex, type Result, textOf, type Value, type Vertex } from "./shapes.ts";

export interface Elements extends GraphData {
  /** How many vertices there are in all: of these only the first are drawn. */
  found: number;
}

/** Of several results, such as a query's and those of what was expanded. */
export function elementsOf(results: readonly Pick<Result, "rows">[]): Elements {
  const nodes = new Map<string, GraphNode>();
  const edges = new Map<string, GraphEdge>();
  const look = (value: Value): void => {
    if (isVertex(value)) nodes.set(value["$vertex"].id, nodeOf(value["$vertex"]));
    else if (isEdge(value)) edges.set(value["$edge"].id, edgeOf(value["$edge"]));
    else if (isPath(value)) value["$path"].forEach(look);
    else if (Array.isArray(value)) value.forEach(look);
    else if (typeof value === "object" && value !== null) Object.values(value).forEach(look);
  };
  for (const { rows } of results) for (const row of rows) row.forEach(look);
  const drawn = [...nodes.values()].slice(0, MOST_NODES);
  const ids = new Set(drawn.map(({ id }) => id));
  return {
    nodes: drawn,
    edges: [...edges.values()].filter(({ from, to }) => ids.has(from) && ids.has(to)),
    found: nodes.size,
  };
}

function nodeOf({ id, label, properties }: Vertex): GraphNode {
  return { id, type: label, label: titleOf(properties) ?? `${label} ${id}`, properties };
}

function edgeOf({ id, label, start, end, properties }: Edge): GraphEdge {
  return { id, from: start, to: end, type: label, label, properties };
}

const TITLES = ["name", "title", "label", "full_name", "display_name", "username", "email", "id", "key"];

/** What a person would call it: a property with one of the usual names, else the first short text. */
function titleOf(properties: Readonly<Record<string, Value>>): string | undefined {
  const usual = TITLES.find((name) => isShort(properties[name]));
  if (usual !== undefined) return textOf(properties[usual] ?? null);
  const first = Object.values(properties).find((value) => typeof value === "string" && isShort(value));
  return first === undefined ? undefined : textOf(first);
}

function isShort(value: Value | undefined): boolean {
  if (typeof value === "number") return true;
  return typeof value === "string" && value !== "" && value.length <= 60;
}

/** Brings what is around an element. Its id is digits alone, and can not be a parameter: JavaScript would round it. */
export function expansionOf({ id, type }: Pick<GraphNode, "id" | "type">): string {
  if (!/^\d+$/.test(id)) throw new Error("this is no id of an element");
  return `MATCH (a:\`${type.replaceAll("`", "``")}\`)-[r]-(b) WHERE id(a) = ${id} RETURN a, r, b LIMIT 60`;
}
