import { lazy, type RefObject, Suspense, useState } from "react";
import { Notice } from "../../../../web/src/ui/Notice.tsx";
import { Button } from "../../../../web/src/ui/Button.tsx";
import { callStream } from "../../api.ts";
import { Empty, Loading } from "../../parts/States.tsx";
import { grouped, sentenceOf } from "../../parts/words.ts";
import type { CanvasHandle } from "../graph/canvas/GraphCanvas.tsx";
import { Legend } from "../graph/canvas/Legend.tsx";
import { degrees, type GraphNode, type LayoutName, layoutNames, MOST_NODES } from "../graph/canvas/model.ts";
import { countOf, elementsOf, expansionOf, MOST_BROUGHT, STUB, withStubs } from "./elements.ts";
import { type Result, textOf, type Value } from "./shapes.ts";
import { graphPath, type Place } from "./useQueryRun.ts";
import styles from "./Results.module.css";

// The picture's code is large, and a table needs none of it.
const GraphCanvas = lazy(async () => ({ default: (await import("../graph/canvas/GraphCanvas.tsx")).GraphCanvas }));

interface ResultGraphProps {
  result: Result;
  place: Place;
  canvas: RefObject<CanvasHandle | null>;
  onTable: () => void;
}

export function ResultGraph({ result, place, canvas, onTable }: ResultGraphProps) {
  const [layout, setLayout] = useState<LayoutName>("force");
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [selection, setSelection] = useState<string>();
  const { rows, missing, failure, expand: bring } = useExpansion(place, result);
  const { nodes, edges, found } = withStubs(elementsOf([result, { rows }]), missing);
  if (nodes.length === 0)
    return (
      <Empty
        action={
          <Button size="compact" onPress={onTable}>
            Show the table
          </Button>
        }
      >
        There is no element in this result: return n, r or p rather than their properties to see a graph.
      </Empty>
    );
  const expand = (id: string) => {
    const pressed = nodes.find((each) => each.id === id);
    bring(pressed?.type === STUB ? nodes.find((each) => each.id === pressed.properties["of"]) : pressed);
  };
  const toggle = (type: string) =>
    setHidden((before) => new Set(before.has(type) ? [...before].filter((each) => each !== type) : [...before, type]));
  return (
    <div className={styles["graph"]}>
      <div className={styles["canvasPane"]}>
        <CanvasBar layout={layout} onLayout={setLayout} onFit={() => canvas.current?.fit()} />
        {found > MOST_NODES && <TooMany found={found} onTable={onTable} />}
        {failure && <Notice tone="danger">{failure}</Notice>}
        <Suspense fallback={<Loading />}>
          <GraphCanvas
            ref={canvas}
            nodes={nodes}
            edges={edges}
            layout={layout}
            selection={selection}
            onSelect={setSelection}
            onExpand={expand}
            hidden={hidden}
            label={`A graph of ${nodes.length} elements and ${edges.length} edges. The table has the same.`}
          />
        </Suspense>
        <Legend types={typesOf(nodes)} hidden={hidden} onToggle={toggle} />
      </div>
      <Properties
        node={nodes.find(({ id }) => id === selection)}
        degree={degrees(edges).get(selection ?? "") ?? 0}
        onExpand={expand}
      />
    </div>
  );
}

/** Of the edges of one element. */
interface Counts {
  brought: number;
  /** Undefined until it is known. */
  total: number | undefined;
}

interface Brought {
  of: Result;
  rows: Value[][];
  counts: ReadonlyMap<string, Counts>;
}

/** What was brought to a result belongs to it alone. */
function useExpansion(place: Place, result: Result) {
  const [state, setMore] = useState<Brought>({ of: result, rows: [], counts: new Map() });
  const [failure, setFailure] = useState("");
  const more = state.of === result ? state : { of: result, rows: [], counts: new Map<string, Counts>() };
  const expand = (node: GraphNode | undefined) => {
    if (!node) return;
    setFailure("");
    const before = more.counts.get(node.id) ?? { brought: 0, total: undefined };
    expansion(place, node, before).then(
      ({ rows, ...counts }) =>
        setMore({ of: result, rows: [...more.rows, ...rows], counts: new Map(more.counts).set(node.id, counts) }),
      (error: unknown) => setFailure(sentenceOf(error)),
    );
  };
  const missing = new Map([...more.counts].map(([id, { brought, total = 0 }]) => [id, total - brought]));
  return { rows: more.rows, missing, failure, expand };
}

interface CanvasBarProps {
  layout: LayoutName;
  onLayout: (layout: LayoutName) => void;
  onFit: () => void;
}

function CanvasBar({ layout, onLayout, onFit }: CanvasBarProps) {
  return (
    <div className={styles["canvasBar"]}>
      <label>
        Layout{" "}
        <select value={layout} onChange={({ target }) => onLayout(target.value as LayoutName)}>
          {layoutNames.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <Button size="compact" variant="quiet" onPress={onFit}>
        Fit
      </Button>
      <span className={styles["hint"]}>Press an element twice to bring what is around it.</span>
    </div>
  );
}

function TooMany({ found, onTable }: { found: number; onTable: () => void }) {
  return (
    <Notice
      tone="warn"
      action={
        <Button size="compact" onPress={onTable}>
          Table
        </Button>
      }
    >
      {grouped(found)} elements are too many for a picture: the first {MOST_NODES} are drawn. Ask for less with LIMIT or
      WHERE; the table has all.
    </Notice>
  );
}

/** What comes next around an element, and, where that may not be all of it, how much there is. */
async function expansion(place: Place, node: GraphNode, before: Counts): Promise<Counts & { rows: Value[][] }> {
  const rows = await rowsOf(place, expansionOf(node, before.brought));
  const brought = before.brought + rows.length;
  if (rows.length < MOST_BROUGHT) return { rows, brought, total: brought };
  return { rows, brought, total: before.total ?? Number((await rowsOf(place, countOf(node)))[0]?.[0] ?? 0) };
}

async function rowsOf(place: Place, cypher: string): Promise<Value[][]> {
  const body = { cypher, rows: MOST_BROUGHT };
  const response = await callStream(`${graphPath(place)}/query`, { method: "POST", body });
  const lines = (await response.text()).trim().split("\n");
  return lines.flatMap((line) => (JSON.parse(line) as { rows?: Value[][] }).rows ?? []);
}

function typesOf(nodes: readonly GraphNode[]) {
  const counts = new Map<string, number>();
  for (const { type } of nodes) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].map(([type, count]) => ({ type, label: type, count }));
}

interface PropertiesProps {
  node: GraphNode | undefined;
  degree: number;
  onExpand: (id: string) => void;
}

function Properties({ node, degree, onExpand }: PropertiesProps) {
  return (
    // What scrolls must be reached by the keyboard.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <aside className={styles["side"]} aria-label="Element" tabIndex={0}>
      {node ? (
        <>
          <h2>{node.label}</h2>
          <dl>
            <dt>label</dt>
            <dd>{node.type}</dd>
            <dt>id</dt>
            <dd>
              <code>{node.id}</code>
            </dd>
            <dt>edges here</dt>
            <dd>{degree}</dd>
            {Object.entries(node.properties).map(([name, value]) => [
              <dt key={`${name} name`}>{name}</dt>,
              <dd key={name}>{textOf(value as Value)}</dd>,
            ])}
          </dl>
          <Button size="compact" onPress={() => onExpand(node.id)}>
            Bring what is around it
          </Button>
        </>
      ) : (
        <p className={styles["quiet"]}>Choose an element to see its properties.</p>
      )}
    </aside>
  );
}
