import { type Ref, useEffect, useImperativeHandle, useMemo, useRef, useState } from "react";
import { toPng, toSvg } from "./drawing.ts";
import { type GraphEdge, type GraphNode, type LayoutName, visibleOf } from "./model.ts";
import { useEffectiveTheme } from "./useEffectiveTheme.ts";
import { openView, type View } from "./view.ts";
import styles from "./GraphCanvas.module.css";

/** What can be done with a picture from outside. */
export interface CanvasHandle {
  fit(): void;
  svg(): string;
  png(): Promise<Blob>;
}

export interface GraphCanvasProps {
  /** No more than MOST_NODES are drawn; leave the rest out, and say that there is more. */
  nodes: readonly GraphNode[];
  edges: readonly GraphEdge[];
  layout?: LayoutName;
  /** What the picture is about. */
  roots?: readonly string[];
  /** The node that is chosen. */
  selection?: string | undefined;
  onSelect?: (id: string | undefined) => void;
  /** A node was pressed twice: bring what is around it. */
  onExpand?: (id: string) => void;
  /** Types of nodes and edges that are not drawn. */
  hidden?: ReadonlySet<string>;
  find?: string;
  isLocked?: boolean;
  /** What the picture shows, for who can not see it. The same must stand beside it as a table or text. */
  label: string;
  ref?: Ref<CanvasHandle>;
}

const NONE: ReadonlySet<string> = new Set();
const NOTHING: readonly string[] = [];

function hasWebGl(): boolean {
  const canvas = document.createElement("canvas");
  return (canvas.getContext("webgl2") ?? canvas.getContext("webgl")) !== null;
}

/** A graph as a picture that can be moved, dragged and expanded. */
export function GraphCanvas(props: GraphCanvasProps) {
  const {
    nodes,
    edges,
    layout = "force",
    roots = NOTHING,
    selection,
    hidden = NONE,
    find = "",
    isLocked = false,
    label,
    ref,
  } = props;
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<View>(undefined);
  const listeners = useRef({ onSelect: props.onSelect, onExpand: props.onExpand });
  const [canDraw] = useState(hasWebGl);
  const theme = useEffectiveTheme();
  const data = useMemo(() => visibleOf({ nodes, edges }, hidden), [nodes, edges, hidden]);

  useEffect(() => {
    listeners.current = { onSelect: props.onSelect, onExpand: props.onExpand };
  });
  useEffect(() => {
    if (!host.current) return undefined;
    view.current = openView(host.current, {
      onSelect: (id) => listeners.current.onSelect?.(id),
      onExpand: (id) => listeners.current.onExpand?.(id),
    });
    return () => {
      view.current?.close();
      view.current = undefined;
    };
  }, []);
  useEffect(() => {
    view.current?.show({ data, layout, roots, theme, selected: selection, find, isLocked });
  }, [data, layout, roots, theme, selection, find, isLocked]);
  useImperativeHandle(ref, () => {
    const drawing = () => ({ data, theme, positions: view.current?.positions() ?? new Map() });
    return { fit: () => view.current?.fit(), svg: () => toSvg(drawing()), png: () => toPng(drawing()) };
  }, [data, theme]);

  if (!canDraw)
    return (
      <p className={styles["failure"]}>
        This browser can not draw graphs: it has no WebGL. Table and text have everything.
      </p>
    );
  return <div ref={host} className={styles["canvas"]} role="img" aria-label={label} data-nodes={data.nodes.length} />;
}
