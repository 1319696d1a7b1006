/** What a picture of a graph is made of, whatever it comes from. */

export interface GraphNode {
  id: string;
  /** Decides colour and shape: see kinds.ts. */
  type: string;
  label: string;
  properties: Readonly<Record<string, unknown>>;
}

export interface GraphEdge {
  id: string;
  from: string;
  to: string;
  type: string;
  label: string;
  properties: Readonly<Record<string, unknown>>;
}

export interface GraphData {
  nodes: readonly GraphNode[];
  edges: readonly GraphEdge[];
}

export type LayoutName = "force" | "layered" | "radial";
export const layoutNames: readonly LayoutName[] = ["force", "layered", "radial"];

/** No more is drawn: nothing larger can be read, nor moved smoothly without a graphics card. */
export const MOST_NODES = 300;

export interface Point {
  x: number;
  y: number;
}

/** What is drawn: edges whose both ends are there, and nothing of the hidden types. */
export function visibleOf({ nodes, edges }: GraphData, hidden: ReadonlySet<string>): GraphData {
  const shown = nodes.filter(({ type }) => !hidden.has(type)).slice(0, MOST_NODES);
  const ids = new Set(shown.map(({ id }) => id));
  return {
    nodes: shown,
    edges: edges.filter(({ from, to, type }) => ids.has(from) && ids.has(to) && !hidden.has(type)),
  };
}

/** The node with all that it has an edge with. */
export function neighbourhood(edges: readonly GraphEdge[], id: string): Set<string> {
  const found = new Set([id]);
  for (const { from, to } of edges) {
    if (from === id) found.add(to);
    if (to === id) found.add(from);
  }
  return found;
}

/** How many edges each node has. */
export function degrees(edges: readonly GraphEdge[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const { from, to } of edges) for (const id of [from, to]) found.set(id, (found.get(id) ?? 0) + 1);
  return found;
}
