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

/** How much of what is around an element is brought at once. */
export const MOST_BROUGHT = 60;

type Centre = Pick<GraphNode, "id" | "type">;

/** Its id is digits alone, and can not be a parameter: JavaScript would round it. */
function around({ id, type }: Centre): string {
  if (!/^\d+$/.test(id)) throw new Error("this is no id of an element");
  return `MATCH (a:\`${type.replaceAll("`", "``")}\`)-[r]-(b) WHERE id(a) = ${id}`;
}

/** Brings what is around an element, behind what was brought before. */
export function expansionOf(centre: Centre, brought = 0): string {
  return `${around(centre)} RETURN a, r, b ORDER BY id(r) SKIP ${brought} LIMIT ${MOST_BROUGHT}`;
}

/** How many edges an element has. */
export function countOf(centre: Centre): string {
  return `${around(centre)} RETURN count(r)`;
}

export const STUB = "more";

/** A stub beside each element of which not everything was brought: pressed twice, it brings what comes next. */
export function withStubs<T extends GraphData>(data: T, missing: ReadonlyMap<string, number>): T {
  const there = data.nodes.filter(({ id }) => (missing.get(id) ?? 0) > 0);
  const stubs = there.map(({ id }) => {
    const label = `+${(missing.get(id) ?? 0).toLocaleString("en")} more`;
    return { id: `${STUB} ${id}`, type: STUB, label, properties: { of: id } };
  });
  const edges = there.map(({ id }) => ({
    id: `${STUB} ${id}`,
    from: id,
    to: `${STUB} ${id}`,
    type: STUB,
    label: "",
    properties: {},
  }));
  return { ...data, nodes: [...data.nodes, ...stubs], edges: [...data.edges, ...edges] };
}
