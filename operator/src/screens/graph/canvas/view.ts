/** The picture on the screen: sigma on one element, told what to show. */
import { MultiDirectedGraph } from "graphology";
import type { Attributes } from "graphology-types";
import { Sigma } from "sigma";
import type { Settings } from "sigma/settings";
import type { NodeDisplayData } from "sigma/types";
import { lookOf } from "./kinds.ts";
import { layOut } from "./layout.ts";
import { type GraphData, type LayoutName, neighbourhood, type Point } from "./model.ts";
import { ShapeProgram } from "./node-program.ts";

export interface Shown {
  data: GraphData;
  layout: LayoutName;
  roots: readonly string[];
  theme: "light" | "dark";
  selected: string | undefined;
  /** Nodes whose label has this text are brought out. */
  find: string;
  /** Nothing is dragged. */
  isLocked: boolean;
}

export interface Listeners {
  onSelect(id: string | undefined): void;
  onExpand(id: string): void;
}

export interface View {
  show(shown: Shown): void;
  fit(): void;
  positions(): Map<string, Point>;
  close(): void;
}

const INK = {
  light: { text: "#1b1c1a", edge: "#a9a9a1", faint: "#e4e3dc", box: "#ffffff", ground: "#ffffff", strong: "#0b6e63" },
  dark: { text: "#e9eae6", edge: "#5b605e", faint: "#2a2e2f", box: "#1d2021", ground: "#17191a", strong: "#4cc3b2" },
};
/** More labels than this on edges can not be read. */
const EDGE_LABELS = 40;

/** Throws where the browser has no WebGL. */
export function openView(element: HTMLElement, listeners: Listeners): View {
  const graph = new MultiDirectedGraph();
  const pinned = new Map<string, Point>();
  let shown: Shown | undefined;
  let hovered: string | undefined;
  let near: Set<string> | undefined;
  const theme = () => shown?.theme ?? "light";
  const sigma = new Sigma(graph, element, settingsFor(theme));

  function highlight(): void {
    const middle = hovered ?? (shown && graph.hasNode(shown.selected) ? shown.selected : undefined);
    near = middle === undefined ? undefined : neighbourhood(shown?.data.edges ?? [], middle);
    const ink = INK[theme()];
    const found = shown?.find.trim().toLowerCase() ?? "";
    const isFound = (label: unknown) => found !== "" && String(label).toLowerCase().includes(found);
    sigma.setSetting("labelColor", { color: ink.text });
    sigma.setSetting("edgeLabelColor", { color: ink.text });
    sigma.setSetting("nodeReducer", (id, data) => {
      if (found !== "")
        return isFound(data["label"])
          ? { ...data, forceLabel: true, zIndex: 2, size: 12 }
          : { ...data, color: ink.faint, label: null };
      if (near && !near.has(id)) return { ...data, color: ink.faint, label: null };
      return id === middle
        ? { ...data, forceLabel: true, highlighted: id === shown?.selected, zIndex: 2 }
        : { ...data, forceLabel: near !== undefined };
    });
    sigma.setSetting("edgeReducer", (id, data) => {
      const isNear = middle !== undefined && graph.extremities(id).includes(middle);
      if (isNear) return { ...data, color: ink.strong, zIndex: 1, forceLabel: true };
      return near || found !== "" ? { ...data, color: ink.faint, label: null } : { ...data, color: ink.edge };
    });
    sigma.refresh();
  }

  sigma.on("enterNode", ({ node }) => {
    hovered = node;
    highlight();
  });
  sigma.on("leaveNode", () => {
    hovered = undefined;
    highlight();
  });
  sigma.on("clickNode", ({ node }) => listeners.onSelect(node));
  sigma.on("clickStage", () => listeners.onSelect(undefined));
  sigma.on("doubleClickNode", ({ node, preventSigmaDefault }) => {
    preventSigmaDefault();
    listeners.onExpand(node);
  });
  dragging({ sigma, graph, pinned, isLocked: () => shown?.isLocked ?? false });

  return {
    show(next) {
      const isSame = shown && shown.data === next.data && shown.layout === next.layout && shown.theme === next.theme;
      if (shown?.layout !== next.layout) pinned.clear();
      shown = next;
      if (!isSame) {
        sigma.setCustomBBox(null);
        fill(graph, next, pinned);
      }
      sigma.setSetting("renderEdgeLabels", next.data.edges.length <= EDGE_LABELS);
      hovered = undefined;
      highlight();
    },
    fit: () => void sigma.getCamera().animatedReset({ duration: 0 }),
    positions: () => new Map(graph.mapNodes(placeOf)),
    close: () => sigma.kill(),
  };
}

const placeOf = (id: string, { x, y }: Attributes): [string, Point] => [id, { x: x as number, y: y as number }];

function settingsFor(theme: () => "light" | "dark"): Partial<Settings> {
  return {
    nodeProgramClasses: { shape: ShapeProgram },
    defaultNodeType: "shape",
    defaultEdgeType: "arrow",
    labelFont: "IBM Plex Sans Variable, sans-serif",
    labelSize: 12,
    edgeLabelFont: "IBM Plex Sans Variable, sans-serif",
    edgeLabelSize: 11,
    labelRenderedSizeThreshold: 4,
    labelDensity: 1.2,
    zIndex: true,
    stagePadding: 48,
    allowInvalidContainer: true,
    defaultDrawNodeLabel: (pen, data) => drawLabel(pen, data, theme()),
    defaultDrawNodeHover: (pen, data) => drawHover(pen, data, theme()),
  };
}

const LABEL = "12px 'IBM Plex Sans Variable', sans-serif";

/** Beside its node, on the side where there is room for it, with a rim that keeps the edges out of its letters. */
function drawLabel(
  pen: CanvasRenderingContext2D,
  { label, x, y, size }: Pick<NodeDisplayData, "label"> & Point & { size: number },
  theme: "light" | "dark",
): void {
  if (!label) return;
  pen.font = LABEL;
  const width = pen.measureText(label).width;
  const end = pen.canvas.width / devicePixelRatio;
  const right = x + size + 4;
  const left = right + width > end ? Math.max(2, x - size - 4 - width) : right;
  pen.lineWidth = 3;
  pen.lineJoin = "round";
  pen.strokeStyle = INK[theme].ground;
  pen.strokeText(label, left, y + 4);
  pen.fillStyle = INK[theme].text;
  pen.fillText(label, left, y + 4);
}

/** The label of what is hovered or chosen, on a ground of the theme's own. */
function drawHover(
  pen: CanvasRenderingContext2D,
  data: Partial<NodeDisplayData> & Point & { size: number },
  theme: "light" | "dark",
): void {
  const ink = INK[theme];
  pen.font = "600 12px 'IBM Plex Sans Variable', sans-serif";
  const { label } = data;
  pen.strokeStyle = ink.strong;
  pen.lineWidth = 2;
  pen.beginPath();
  pen.arc(data.x, data.y, data.size + 4, 0, 2 * Math.PI);
  pen.stroke();
  if (!label) return;
  const width = pen.measureText(label).width;
  pen.fillStyle = ink.box;
  pen.fillRect(data.x + data.size + 5, data.y - 10, width + 8, 20);
  pen.fillStyle = ink.text;
  pen.fillText(label, data.x + data.size + 9, data.y + 4);
}

/** Brings the graph in line with what is shown; what is pinned stays where it was put. */
function fill(
  graph: MultiDirectedGraph,
  { data, layout, roots, theme }: Shown,
  pinned: ReadonlyMap<string, Point>,
): void {
  const before = new Map(graph.mapNodes(placeOf));
  const places = layOut(layout, data, { roots, before: layout === "force" ? before : new Map() });
  graph.clear();
  for (const { id, type, label } of data.nodes) {
    const { shape, colour } = lookOf(type, theme);
    const place = pinned.get(id) ?? places.get(id) ?? { x: 0, y: 0 };
    graph.addNode(id, { ...place, label, color: colour, shape, type: "shape", size: roots.includes(id) ? 11 : 8 });
  }
  for (const { id, from, to, label } of data.edges)
    if (!graph.hasEdge(id)) graph.addEdgeWithKey(id, from, to, { label, size: 1.5, type: "arrow" });
}

interface Dragging {
  sigma: Sigma;
  graph: MultiDirectedGraph;
  pinned: Map<string, Point>;
  isLocked(): boolean;
}

/** A node that is dragged is pinned where it is let go. */
function dragging({ sigma, graph, pinned, isLocked }: Dragging): void {
  let dragged: string | undefined;
  sigma.on("downNode", ({ node, preventSigmaDefault }) => {
    if (isLocked()) return;
    preventSigmaDefault();
    dragged = node;
  });
  sigma.on("moveBody", ({ event, preventSigmaDefault }) => {
    if (dragged === undefined) return;
    // From here on the picture is not fitted to where its nodes are, until it shows something else.
    if (!sigma.getCustomBBox()) sigma.setCustomBBox(sigma.getBBox());
    const place = sigma.viewportToGraph(event);
    pinned.set(dragged, place);
    graph.mergeNodeAttributes(dragged, place);
    preventSigmaDefault();
    event.original.preventDefault();
  });
  const release = () => void (dragged = undefined);
  sigma.on("upNode", release);
  sigma.on("upStage", release);
}
