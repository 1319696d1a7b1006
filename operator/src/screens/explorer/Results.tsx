import { useRef, useState } from "react";
import { Button } from "../../../../web/src/ui/Button.tsx";
import { MenuButton } from "../../../../web/src/ui/Menu.tsx";
import { Notice } from "../../../../web/src/ui/Notice.tsx";
import type { CanvasHandle } from "../graph/canvas/GraphCanvas.tsx";
import { saveFile } from "../../model/csv.ts";
import { Empty, Loading } from "../../parts/States.tsx";
import { count, sentenceOf } from "../../parts/words.ts";
import { elementsOf } from "./elements.ts";
import { saveBlob, saveRows } from "./exports.ts";
import { ResultGraph } from "./ResultGraph.tsx";
import { ResultTable } from "./ResultTable.tsx";
import { type Result, textOf } from "./shapes.ts";
import { type Ask, isRefusedWrite, type Place, type QueryRun } from "./useQueryRun.ts";
import styles from "./Explorer.module.css";

type View = "graph" | "table" | "text";
const views: readonly View[] = ["graph", "table", "text"];

interface ResultsProps {
  run: QueryRun;
  place: Place;
  asked: Ask;
  /** For owners: runs it so that it writes, after a question. */
  onWrite: (() => void) | undefined;
}

export function Results({ run, place, asked, onWrite }: ResultsProps) {
  const [chosen, setChosen] = useState<View>();
  const canvas = useRef<CanvasHandle>(null);
  const { status, result, error } = run;
  if (error) return <Failure error={error} onWrite={onWrite} />;
  if (status === "idle")
    return <Empty>Write a query, or take one from Templates or from the schema. Ctrl Enter runs it.</Empty>;
  if (!result) return status === "stopped" ? <Empty>The query was stopped in the database.</Empty> : <Loading />;
  const elements = elementsOf([result]);
  const view = chosen ?? (elements.nodes.length > 0 ? "graph" : "table");
  return (
    <section className={styles["results"]} aria-label="Result">
      <div className={styles["bar"]}>
        <div role="group" aria-label="How the result is shown" className={styles["views"]}>
          {views.map((each) => (
            <button key={each} type="button" aria-pressed={view === each} onClick={() => setChosen(each)}>
              {each === "graph" ? "Graph" : each === "table" ? "Table" : "Text"}
            </button>
          ))}
        </div>
        <p className={styles["summary"]} role="status">
          {summaryOf(run)}
        </p>
        <Exports {...{ place, asked, canvas, result }} hasPicture={view === "graph" && elements.nodes.length > 0} />
      </div>
      {result.done?.has_more && (
        <Notice tone="warn">
          There are more rows than the {count(asked.rows, "row")} that were asked for: raise the limit, or ask for less.
        </Notice>
      )}
      {view === "graph" && (
        <ResultGraph result={result} place={place} canvas={canvas} onTable={() => setChosen("table")} />
      )}
      {view === "table" && <ResultTable result={result} />}
      {view === "text" && <TextView result={result} />}
    </section>
  );
}

function summaryOf({ status, result }: QueryRun): string {
  const rows = count(result?.rows.length ?? 0, "row");
  if (status === "running") return `${rows} so far …`;
  if (status === "stopped") return `${rows}, then it was stopped in the database`;
  const { took_ms = 0, is_written } = result?.done ?? {};
  return `${rows} in ${took_ms < 1_000 ? `${took_ms} ms` : `${(took_ms / 1_000).toFixed(1)} s`}${is_written ? ", written" : ""}`;
}

function TextView({ result }: { result: Result }) {
  const lines = result.rows.map((row) => row.map((value, i) => `${result.columns[i]}: ${textOf(value)}`).join("\n"));
  return (
    // What scrolls must be reached by the keyboard.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <pre className={styles["text"]} tabIndex={0} aria-label="Rows as text">
      {lines.length === 0 ? "No rows." : lines.join("\n\n")}
    </pre>
  );
}

function Failure({ error, onWrite }: { error: Error; onWrite: (() => void) | undefined }) {
  const isWrite = isRefusedWrite(error);
  return (
    <div className={styles["failure"]}>
      <Notice
        tone={isWrite ? "warn" : "danger"}
        title={isWrite ? "This changes the graph." : undefined}
        action={
          isWrite &&
          onWrite && (
            <Button size="compact" variant="danger" onPress={onWrite}>
              Run and write
            </Button>
          )
        }
      >
        {sentenceOf(error)}
        {isWrite && !onWrite && " Changing a graph needs the role owner."}
      </Notice>
    </div>
  );
}

interface ExportsProps {
  place: Place;
  asked: Ask;
  canvas: React.RefObject<CanvasHandle | null>;
  result: Result;
  hasPicture: boolean;
}

function Exports({ place, asked, canvas, result, hasPicture }: ExportsProps) {
  const [failure, setFailure] = useState("");
  const save = (act: () => Promise<void> | void) => () => {
    setFailure("");
    Promise.resolve()
      .then(act)
      .catch((error: unknown) => setFailure(sentenceOf(error)));
  };
  const rows = [
    { id: "csv", label: "Rows as CSV", onAction: save(() => saveRows(place, asked, "csv")) },
    { id: "json", label: "Rows as JSON", onAction: save(() => saveRows(place, asked, "json")) },
  ];
  const pictures = [
    {
      id: "svg",
      label: "Picture as SVG",
      onAction: save(() => saveFile("graph.svg", "image/svg+xml", canvas.current?.svg() ?? "")),
    },
    {
      id: "png",
      label: "Picture as PNG",
      onAction: save(async () => saveBlob("graph.png", (await canvas.current?.png()) ?? new Blob())),
    },
  ];
  const canRepeat = !result.done?.is_written;
  return (
    <>
      {failure && (
        <span role="alert" className={styles["refusal"]}>
          {failure}
        </span>
      )}
      <MenuButton
        label="Export"
        placement="bottom end"
        groups={[{ entries: canRepeat ? rows : [] }, { entries: hasPicture ? pictures : [] }]}
      >
        {(trigger) => (
          <Button {...trigger} size="compact" icon="download" isDisabled={!canRepeat && !hasPicture}>
            Export
          </Button>
        )}
      </MenuButton>
    </>
  );
}
