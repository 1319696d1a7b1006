import { useRef, useState } from "react";
import { Button } from "../../../../web/src/ui/Button.tsx";
import { Dialog } from "../../../../web/src/ui/Dialog.tsx";
import { Field } from "../../../../web/src/ui/Field.tsx";
import { Notice } from "../../../../web/src/ui/Notice.tsx";
import { refresh } from "../../model/queries.ts";
import { count, sentenceOf } from "../../parts/words.ts";
import { type End, firstLine, type Kind, kinds, mappingOf, type Plan, planFor } from "./mapping.ts";
import { linesOf } from "./stream.ts";
import { graphPath, type Place } from "./useQueryRun.ts";
import styles from "./Explorer.module.css";

type Part =
  | { progress: { lines: number; created: number } }
  | { done: { lines: number; created: number } }
  | { failed: { lines: number; errors: { line: number; error: string }[] } };

/** A CSV file becomes elements or edges: all of it, or nothing. */
export function ImportDialog({ place, onClose }: { place: Place; onClose: () => void }) {
  const [file, setFile] = useState<File>();
  const [plan, setPlan] = useState<Plan>();
  const [typed, setTyped] = useState("");
  const { state, busy, start, stop } = useImport(place);
  const choose = async (chosen: File | undefined) => {
    setFile(chosen);
    setPlan(chosen && planFor(await firstLine(chosen)));
  };
  const close = () => (stop(), onClose());
  const isReady = plan !== undefined && plan.label !== "" && typed === place.graph && !(state && "done" in state);
  return (
    <Dialog
      isOpen
      size="l"
      title={`Import CSV into ${place.graph}`}
      intro="The whole file is written, or nothing of it: a line that is not right is told, and leaves the graph as it was."
      onClose={close}
      dismissable={!busy}
      actions={
        <>
          <Button onPress={close}>{busy ? "Stop" : "Close"}</Button>
          <Button
            variant="primary"
            busy={busy}
            isDisabled={!isReady}
            onPress={() => file && plan && void start(file, plan)}
          >
            Import
          </Button>
        </>
      }
    >
      <label className={styles["file"]}>
        File{" "}
        <input
          type="file"
          accept=".csv,.tsv,text/csv"
          onChange={({ target }) => void choose(target.files?.[0])}
          disabled={busy}
        />
      </label>
      {plan && <PlanFields plan={plan} onChange={setPlan} />}
      {plan && (
        <Field
          label={`Type ${place.graph} to go on`}
          value={typed}
          onChange={setTyped}
          mono
          autoCapitalize="none"
          autoComplete="off"
        />
      )}
      {state && <Progress state={state} />}
    </Dialog>
  );
}

/** Sends the file, and tells how far the server is. */
function useImport(place: Place) {
  const [state, setState] = useState<Part | { error: string }>();
  const [busy, setBusy] = useState(false);
  const running = useRef<AbortController>(undefined);
  const start = async (file: File, plan: Plan) => {
    const own = new AbortController();
    running.current = own;
    setBusy(true);
    setState({ progress: { lines: 0, created: 0 } });
    const query = { confirm: place.graph, mapping: JSON.stringify(mappingOf(plan)) };
    const sent = { path: `${graphPath(place)}/import`, body: file, query, signal: own.signal };
    try {
      for await (const part of linesOf<Part>(sent)) setState(part);
      await refresh();
    } catch (error) {
      const wasStopped = own.signal.aborted;
      setState({ error: wasStopped ? "It was stopped: nothing of the file is in the graph." : sentenceOf(error) });
    }
    setBusy(false);
  };
  return { state, busy, start, stop: () => running.current?.abort() };
}

interface PlanProps {
  plan: Plan;
  onChange: (plan: Plan) => void;
}

function PlanFields({ plan, onChange }: PlanProps) {
  const { columns, edge } = plan;
  const end = (column: number) => ({
    header: columns[column]?.header ?? "",
    label: "",
    property: "id",
    type: "text" as const,
  });
  return (
    <div className={styles["mapping"]}>
      <div role="group" aria-label="What the lines are" className={styles["views"]}>
        <button type="button" aria-pressed={!edge} onClick={() => onChange({ ...plan, edge: undefined })}>
          Elements
        </button>
        <button
          type="button"
          aria-pressed={Boolean(edge)}
          onClick={() => onChange({ ...plan, edge: { from: end(0), to: end(1) } })}
        >
          Edges
        </button>
      </div>
      <Field
        label={edge ? "Type of the edges" : "Label of the elements"}
        value={plan.label}
        onChange={(label) => onChange({ ...plan, label })}
        autoCapitalize="none"
      />
      {edge &&
        (["from", "to"] as const).map((side) => (
          <EndFields
            key={side}
            side={side}
            end={edge[side]}
            headers={columns.map(({ header }) => header)}
            onChange={(changed) => onChange({ ...plan, edge: { ...edge, [side]: changed } })}
          />
        ))}
      <ColumnFields plan={plan} onChange={onChange} />
    </div>
  );
}

interface EndProps {
  side: "from" | "to";
  end: End;
  headers: readonly string[];
  onChange: (end: End) => void;
}

function EndFields({ side, end, headers, onChange }: EndProps) {
  return (
    <div className={styles["end"]}>
      <span>{side === "from" ? "From the element" : "To the element"}</span>
      <input
        aria-label={`Label of the element ${side}`}
        placeholder="Label"
        value={end.label}
        onChange={({ target }) => onChange({ ...end, label: target.value })}
      />
      <input
        aria-label={`Property of the element ${side}`}
        placeholder="Property"
        value={end.property}
        onChange={({ target }) => onChange({ ...end, property: target.value })}
      />
      <span>=</span>
      <select
        aria-label={`Column of the element ${side}`}
        value={end.header}
        onChange={({ target }) => onChange({ ...end, header: target.value })}
      >
        {headers.map((header) => (
          <option key={header}>{header}</option>
        ))}
      </select>
      <KindSelect
        label={`Kind of the column ${side}`}
        value={end.type}
        onChange={(type) => onChange({ ...end, type })}
      />
    </div>
  );
}

function ColumnFields({ plan, onChange }: PlanProps) {
  const { columns } = plan;
  const change = (index: number, over: Partial<Plan["columns"][number]>) =>
    onChange({ ...plan, columns: columns.map((column, i) => (i === index ? { ...column, ...over } : column)) });
  return (
    <table>
      <thead>
        <tr>
          <th>Column</th>
          <th>Property</th>
          <th>Kind</th>
        </tr>
      </thead>
      <tbody>
        {columns.map(({ header, property, type, isUsed }, index) => (
          <tr key={header}>
            <td>
              <label>
                <input
                  type="checkbox"
                  checked={isUsed}
                  onChange={({ target }) => change(index, { isUsed: target.checked })}
                />{" "}
                {header}
              </label>
            </td>
            <td>
              <input
                aria-label={`Property of ${header}`}
                value={property}
                disabled={!isUsed}
                onChange={({ target }) => change(index, { property: target.value })}
              />
            </td>
            <td>
              <KindSelect label={`Kind of ${header}`} value={type} onChange={(kind) => change(index, { type: kind })} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function KindSelect({ label, value, onChange }: { label: string; value: Kind; onChange: (kind: Kind) => void }) {
  return (
    <select aria-label={label} value={value} onChange={({ target }) => onChange(target.value as Kind)}>
      {kinds.map((kind) => (
        <option key={kind}>{kind}</option>
      ))}
    </select>
  );
}

function Progress({ state }: { state: Part | { error: string } }) {
  if ("error" in state) return <Notice tone="danger">{state.error}</Notice>;
  if ("progress" in state)
    return (
      <Notice>
        {count(state.progress.lines, "line")} read, {count(state.progress.created, "element")} made …
      </Notice>
    );
  if ("done" in state)
    return (
      <Notice tone="ok">
        Done: {count(state.done.created, "element or edge", "elements or edges")} of {count(state.done.lines, "line")}{" "}
        written.
      </Notice>
    );
  return (
    <Notice tone="danger" title={`Nothing was written: ${count(state.failed.errors.length, "line")} not right.`}>
      <ul className={styles["errors"]}>
        {state.failed.errors.map(({ line, error }) => (
          <li key={line}>
            Line {line}: {error}
          </li>
        ))}
      </ul>
    </Notice>
  );
}
