import { lazy, Suspense, useState } from "react";
import { Button } from "../../../../web/src/ui/Button.tsx";
import { type MenuGroups, MenuButton } from "../../../../web/src/ui/Menu.tsx";
import { useOperator } from "../../frame/context.ts";
import { call } from "../../api.ts";
import { useAnswer } from "../../model/queries.ts";
import { type Act, ask } from "../../parts/acts.ts";
import { Loading } from "../../parts/States.tsx";
import { sentenceOf } from "../../parts/words.ts";
import { holds } from "../../session.ts";
import { forgetHistory, type Past, readHistory, remember } from "./history.ts";
import { ImportDialog } from "./ImportDialog.tsx";
import { type Plan, PlanDialog } from "./PlanDialog.tsx";
import { Results } from "./Results.tsx";
import type { Schema, Template } from "./shapes.ts";
import { templateAct } from "./templates.ts";
import { type Ask, bodyOf, graphPath, type Place, positionOf, type QueryRun, useQueryRun } from "./useQueryRun.ts";
import styles from "./Explorer.module.css";

const Editor = lazy(async () => ({ default: (await import("./Editor.tsx")).Editor }));

interface QueryPaneProps {
  place: Place;
  schema: Schema | undefined;
  /** A query that was asked for elsewhere; the count says that it is a new wish. */
  draft: { cypher: string; count: number };
  /** Whether anybody may write here; who may is decided by the role. */
  mayWrite: boolean;
}

export function QueryPane({ place, schema, draft, mayWrite }: QueryPaneProps) {
  const { role, user_id: userId } = useOperator();
  const [text, setText] = useState({ cypher: "", parameters: "" });
  const [most, setMost] = useState({ timeout_s: 5, rows: 5_000 });
  const [asked, setAsked] = useState<Ask>();
  const [past, setPast] = useState(() => readHistory(userId));
  const [taken, setTaken] = useState(draft.count);
  const [isImporting, setIsImporting] = useState(false);
  const query = useQueryRun();
  const isOwner = mayWrite && holds(role, "owner");
  if (taken !== draft.count) {
    setTaken(draft.count);
    setText({ cypher: draft.cypher, parameters: "" });
  }
  const current: Ask = { ...text, ...most };
  const run = (now: Ask = current) => {
    if (now.cypher.trim() === "") return;
    setAsked(now);
    setPast(remember(userId, { cypher: now.cypher, parameters: now.parameters, at_ms: Date.now() }));
    void query.run(place, now);
  };
  const write = () => ask(writeAct(place, async () => run({ ...(asked ?? current), isWrite: true })));
  return (
    <div className={styles["centre"]}>
      <div className={styles["bar"]}>
        <RunButton query={query} isEmpty={text.cypher.trim() === ""} onRun={() => run()} />
        <PlanButton place={place} current={current} />
        <Templates schema={schema} onFill={setText} />
        <History past={past} onFill={setText} onForget={() => (forgetHistory(userId), setPast([]))} />
        {isOwner && (
          <Button size="compact" onPress={() => setIsImporting(true)}>
            Import CSV
          </Button>
        )}
        <span className={styles["gap"]} />
        <Limit
          label="seconds"
          value={most.timeout_s}
          choices={[5, 15, 60]}
          onChange={(timeout_s) => setMost({ ...most, timeout_s })}
        />
        <Limit
          label="rows"
          value={most.rows}
          choices={[100, 5_000, 50_000]}
          onChange={(rows) => setMost({ ...most, rows })}
        />
      </div>
      <Inputs text={text} onChange={setText} onRun={() => run()} schema={schema} errorAt={positionOf(query.error)} />
      <Results run={query} place={place} asked={asked ?? current} onWrite={isOwner ? write : undefined} />
      {isImporting && <ImportDialog place={place} onClose={() => setIsImporting(false)} />}
    </div>
  );
}

type Text = Pick<Ask, "cypher" | "parameters">;

function writeAct({ graph }: Place, run: () => Promise<void>): Act {
  return {
    title: `Change the graph ${graph}?`,
    consequence: "The query runs, and what it changes is kept. There is no way back but another query.",
    label: "Run and write",
    isDangerous: true,
    typed: graph,
    run,
  };
}

function RunButton({ query, isEmpty, onRun }: { query: QueryRun; isEmpty: boolean; onRun: () => void }) {
  if (query.status === "running")
    return (
      <Button variant="danger" size="compact" onPress={query.stop}>
        Stop
      </Button>
    );
  return (
    <Button variant="primary" size="compact" isDisabled={isEmpty} onPress={onRun}>
      Run
    </Button>
  );
}

function PlanButton({ place, current }: { place: Place; current: Ask }) {
  const [plan, setPlan] = useState<Plan>();
  const [refusal, setRefusal] = useState("");
  const explain = async () => {
    setRefusal("");
    try {
      const { rows: _, ...body } = bodyOf(place, current);
      setPlan((await call<{ plan: Plan }>(`${graphPath(place)}/plan`, { method: "POST", body })).plan);
    } catch (error) {
      setRefusal(sentenceOf(error));
    }
  };
  return (
    <>
      <Button size="compact" isDisabled={current.cypher.trim() === ""} onPress={() => void explain()}>
        Plan
      </Button>
      {refusal && (
        <span role="alert" className={styles["refusal"]}>
          {refusal}
        </span>
      )}
      {plan && <PlanDialog plan={plan} onClose={() => setPlan(undefined)} />}
    </>
  );
}

interface InputsProps {
  text: Text;
  onChange: (text: Text) => void;
  onRun: () => void;
  schema: Schema | undefined;
  errorAt: number | undefined;
}

function Inputs({ text, onChange, onRun, schema, errorAt }: InputsProps) {
  return (
    <div className={styles["inputs"]}>
      <Suspense fallback={<Loading />}>
        <Editor
          value={text.cypher}
          onChange={(cypher) => onChange({ ...text, cypher })}
          onRun={onRun}
          schema={schema}
          errorAt={errorAt}
        />
      </Suspense>
      <label className={styles["parameters"]}>
        Parameters
        <textarea
          value={text.parameters}
          spellCheck={false}
          placeholder={'{"name": "Ana"}'}
          onChange={({ target }) => onChange({ ...text, parameters: target.value })}
        />
      </label>
    </div>
  );
}

interface LimitProps {
  label: string;
  value: number;
  choices: readonly number[];
  onChange: (value: number) => void;
}

function Limit({ label, value, choices, onChange }: LimitProps) {
  return (
    <label className={styles["limit"]}>
      <select value={value} aria-label={`Most ${label}`} onChange={({ target }) => onChange(Number(target.value))}>
        {choices.map((each) => (
          <option key={each} value={each}>
            {each.toLocaleString("en")}
          </option>
        ))}
      </select>{" "}
      {label}
    </label>
  );
}

type Fill = (filled: Text) => void;

function Templates({ schema, onFill }: { schema: Schema | undefined; onFill: Fill }) {
  const { data } = useAnswer<{ items: Template[] }>("/explorer/templates");
  const entries = (data?.items ?? []).map((template) => ({
    id: template.id,
    label: template.title,
    onAction: () => ask(templateAct(template, schema, onFill)),
  }));
  return (
    <MenuButton label="Templates" groups={[{ entries }]}>
      {(trigger) => (
        <Button {...trigger} size="compact" isDisabled={entries.length === 0}>
          Templates
        </Button>
      )}
    </MenuButton>
  );
}

const SHOWN = 15;

function History({ past, onFill, onForget }: { past: readonly Past[]; onFill: Fill; onForget: () => void }) {
  const entries = past.slice(0, SHOWN).map((each) => ({
    id: `${each.at_ms}`,
    label: each.cypher.replaceAll(/\s+/g, " ").slice(0, 80),
    onAction: () => onFill({ cypher: each.cypher, parameters: each.parameters }),
  }));
  const groups: MenuGroups = [
    { title: "On this device", entries },
    { entries: [{ id: "forget", label: "Forget them", danger: true, onAction: onForget }] },
  ];
  return (
    <MenuButton label="History" groups={groups}>
      {(trigger) => (
        <Button {...trigger} size="compact" isDisabled={past.length === 0}>
          History
        </Button>
      )}
    </MenuButton>
  );
}
