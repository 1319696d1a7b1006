/** Where the nodes stand. All layouts are deterministic: the same graph is drawn the same way. */
import { MultiDirectedGraph } from "graphology";
import forceAtlas2 from "graphology-layout-forceatlas2";
import type { GraphData, LayoutName, Point } from "./model.ts";

export interface LayoutOptions {
  /** What the picture is about: the middle of a radial layout, the top of a layered one. */
  roots: readonly string[];
  /** Where nodes stand already: they stay about there in a force layout. */
  before: ReadonlyMap<string, Point>;
}

const GOLDEN = Math.PI * (3 - Math.sqrt(5));
const STEP = 100;

export function layOut(name: LayoutName, data: GraphData, options: LayoutOptions): Map<string, Point> {
  if (name === "layered") return layered(data, options.roots);
  if (name === "radial") return radial(data, options.roots);
  return force(data, options);
}

/** Springs between neighbours, and everything keeps away from everything. */
function force({ nodes, edges }: GraphData, { before, roots }: LayoutOptions): Map<string, Point> {
  const graph = new MultiDirectedGraph();
  const start = radial({ nodes, edges }, roots);
  for (const { id } of nodes) graph.addNode(id, { ...(before.get(id) ?? start.get(id)), size: 10 });
  for (const { from, to } of edges) graph.addEdge(from, to);
  if (nodes.length > 1) {
    const settings = { ...forceAtlas2.inferSettings(graph), adjustSizes: true, scalingRatio: 60, gravity: 0.6 };
    forceAtlas2.assign(graph, { iterations: nodes.length > 150 ? 120 : 250, settings });
  }
  return new Map(
    graph.mapNodes((id, attributes) => [id, { x: attributes["x"] as number, y: attributes["y"] as number }]),
  );
}

/** How far each node is from the roots, and from which node it was reached first. */
function ranks({ nodes, edges }: GraphData, roots: readonly string[]): Map<string, number> {
  const next = new Map<string, string[]>(nodes.map(({ id }) => [id, []]));
  for (const { from, to } of edges) {
    next.get(from)?.push(to);
    next.get(to)?.push(from);
  }
  const found = new Map<string, number>();
  const known = roots.filter((id) => next.has(id));
  const starts = known.length > 0 ? known : nodes.slice(0, 1).map(({ id }) => id);
  let queue = starts;
  for (const id of starts) found.set(id, 0);
  for (let rank = 1; queue.length > 0; rank++) {
    const reached = queue.flatMap((id) => next.get(id) ?? []).filter((id) => !found.has(id));
    for (const id of reached) found.set(id, rank);
    queue = [...new Set(reached)];
  }
  const last = Math.max(0, ...found.values());
  for (const { id } of nodes) if (!found.has(id)) found.set(id, last + 1);
  return found;
}

/** Row below row, by the distance from the roots. */
function layered(data: GraphData, roots: readonly string[]): Map<string, Point> {
  const placed = new Map<string, Point>();
  for (const [rank, ids] of rows(data, roots))
    for (const [index, id] of ids.entries())
      placed.set(id, { x: (index - (ids.length - 1) / 2) * STEP, y: -rank * STEP * 1.6 });
  return placed;
}

/** Ring around ring. A node alone in the middle stands at 0/0. */
function radial(data: GraphData, roots: readonly string[]): Map<string, Point> {
  const placed = new Map<string, Point>();
  let before = 0;
  for (const [rank, ids] of rows(data, roots)) {
    const radius =
      rank === 0 && ids.length === 1 ? 0 : Math.max(before + STEP, (ids.length * STEP * 0.6) / (2 * Math.PI));
    for (const [index, id] of ids.entries()) {
      const angle = (index / ids.length) * 2 * Math.PI + rank * GOLDEN;
      placed.set(id, { x: Math.cos(angle) * radius, y: Math.sin(angle) * radius });
    }
    before = radius;
  }
  return placed;
}

/** The nodes by rank; within one, those of a type together. */
function rows(data: GraphData, roots: readonly string[]): [number, string[]][] {
  const rank = ranks(data, roots);
  const sorted = data.nodes.toSorted((a, b) => a.type.localeCompare(b.type) || a.label.localeCompare(b.label));
  const byRank = Map.groupBy(sorted, ({ id }) => rank.get(id) ?? 0);
  return [...byRank].toSorted(([a], [b]) => a - b).map(([each, nodes]) => [each, nodes.map(({ id }) => id)]);
}
