import { type Ref, useMemo, useRef, useState } from "react";
import { Button } from "../../../../web/src/ui/Button.tsx";
import { call } from "../../api.ts";
import { csvOf, saveFile } from "../../model/csv.ts";
import type { Search } from "../../model/search.ts";
import { type CanvasHandle, GraphCanvas } from "./canvas/GraphCanvas.tsx";
import { Legend } from "./canvas/Legend.tsx";
import { type GraphNode, type LayoutName, layoutNames, MOST_NODES } from "./canvas/model.ts";
import { sentenceOf } from "../../parts/words.ts";
import { AnswerTable, AnswerText } from "./AnswerViews.tsx";
import { Inspector } from "./Inspector.tsx";
import { type Answer, around, merged, within, wordsOf } from "./questions.ts";
import { Toolbar, type View, views } from "./Toolbar.tsx";
import styles from "./Graph.module.css";

export interface AnswerPaneProps {
  answer: Answer;
  search: Search;
  set: (search: Search) => void;
}

const oneOf = <T extends string>(values: readonly T[], value: string | undefined, otherwise: T): T =>
  values.find((each) => each === value) ?? otherwise;

/** An answer: the picture, table or text, and what is chosen in it. */
export function AnswerPane({ answer, search, set }: AnswerPaneProps) {
  const canvas = useRef<CanvasHandle>(null);
  const [more, setMore] = useState<readonly Answer[]>([]);
  const [refusal, setRefusal] = useState("");
  const view = oneOf<View>(views, search["view"], "graph");
  const whole = useMemo(() => merged([answer, ...more], MOST_NODES), [answer, more]);
  const change = (name: string, value: string) => {
    const { [name]: _, ...rest } = search;
    set(value === "" ? rest : { ...rest, [name]: value });
  };
  const expand = async (id: string) => {
    const node = whole.nodes.find((each) => each.id === id);
    const next = node && around(node);
    if (!next) return;
    try {
      const found = await call<Answer>(next.path, { query: next.query });
      setMore((before) => [...before, found]);
      setRefusal("");
    } catch (error) {
      setRefusal(`What is around ${node?.label} did not come: ${sentenceOf(error)}`);
    }
  };
  return (
    <>
      <section className={styles["centre"]} aria-label="Answer">
        <Toolbar
          view={view}
          layout={search["layout"] ?? "force"}
          depth={search["depth"] ?? "4"}
          find={search["find"] ?? ""}
          isLocked={search["lock"] === "1"}
          onChange={change}
          onFit={() => canvas.current?.fit()}
          onExport={(form) => void exportAnswer(form, answer, canvas.current)}
        />
        {refusal && view === "graph" && (
          <p className={styles["large"]} role="alert">
            {refusal}
          </p>
        )}
        {view === "graph" && (
          <Picture
            handle={canvas}
            answer={answer}
            more={more}
            whole={whole}
            search={search}
            onChange={change}
            onExpand={(id) => void expand(id)}
          />
        )}
        {view === "table" && <AnswerTable answer={answer} />}
        {view === "text" && <AnswerText answer={answer} />}
      </section>
      <Inspector
        node={whole.nodes.find(({ id }) => id === search["node"])}
        // Beside a table or text there is nothing to choose.
        nodes={view === "graph" ? whole.nodes : []}
        edges={whole.edges}
        sentence={answer.sentence}
        details={answer.details}
        search={search}
      />
    </>
  );
}

interface PictureProps {
  handle: Ref<CanvasHandle>;
  answer: Answer;
  /** What nodes were expanded to. */
  more: readonly Answer[];
  whole: ReturnType<typeof merged>;
  search: Search;
  onChange: (name: string, value: string) => void;
  onExpand: (id: string) => void;
}

function Picture({ handle, answer, more, whole, search, onChange, onExpand }: PictureProps) {
  const { depth = "4", hide = "", find = "" } = search;
  const hidden = useMemo(() => new Set(hide.split(",").filter(Boolean)), [hide]);
  const roots = useMemo(() => [...answer.roots, ...more.flatMap((each) => each.roots)], [answer, more]);
  const shown = useMemo(() => within(whole, roots, Number(depth)), [whole, roots, depth]);
  const types = useMemo(() => typesOf(whole.nodes), [whole]);
  const left = answer.more_nodes + whole.left;
  const toggle = (type: string) => {
    const next = hidden.has(type) ? [...hidden].filter((each) => each !== type) : [...hidden, type];
    onChange("hide", next.join(","));
  };
  return (
    <>
      {left > 0 && (
        <p className={styles["large"]} role="status">
          +{left.toLocaleString()} more: too many for a picture. Leave a type out below, ask about less, or{" "}
          <Button size="compact" variant="quiet" onPress={() => onChange("view", "table")}>
            see the table
          </Button>
        </p>
      )}
      <div className={styles["stage"]}>
        <GraphCanvas
          ref={handle}
          nodes={shown.nodes}
          edges={shown.edges}
          layout={oneOf<LayoutName>(layoutNames, search["layout"], "force")}
          roots={answer.roots}
          selection={search["node"]}
          onSelect={(id) => onChange("node", id ?? "")}
          onExpand={onExpand}
          hidden={hidden}
          find={find}
          isLocked={search["lock"] === "1"}
          label={`${answer.sentence} Table and text say the same.`}
        />
      </div>
      <Legend types={types} hidden={hidden} onToggle={toggle} />
    </>
  );
}

function typesOf(nodes: readonly GraphNode[]) {
  const byType = Map.groupBy(nodes, ({ type }) => type);
  return [...byType].map(([type, list]) => ({ type, label: wordsOf(type), count: list.length }));
}

async function exportAnswer(
  form: "png" | "svg" | "csv" | "json",
  answer: Answer,
  canvas: CanvasHandle | null,
): Promise<void> {
  if (form === "svg" && canvas) return saveFile("graph.svg", "image/svg+xml", canvas.svg());
  if (form === "png" && canvas) return saveBlob("graph.png", await canvas.png());
  if (form === "json") return saveFile("graph.json", "application/json", `${JSON.stringify(answer, null, 2)}\n`);
  const head = Object.keys(answer.items[0] ?? {});
  return saveFile(
    "graph.csv",
    "text/csv",
    csvOf(
      head,
      answer.items.map((item) => head.map((name) => item[name])),
    ),
  );
}

function saveBlob(name: string, blob: Blob): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  [link.href, link.download] = [address, name];
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1_000);
}
