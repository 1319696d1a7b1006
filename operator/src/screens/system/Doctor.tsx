import { Icon } from "../../../../web/src/ui/Icon.tsx";
import { call } from "../../api.ts";
import { Section } from "../../frame/Screen.tsx";
import { useAnswer } from "../../model/queries.ts";
import { exactTime } from "../../model/time.ts";
import type { Act } from "../../parts/acts.ts";
import { ActButton } from "../../parts/ActButton.tsx";
import { Shown } from "../../parts/Shown.tsx";
import { Empty } from "../../parts/States.tsx";
import styles from "./Doctor.module.css";
import type { Examination } from "./shapes.ts";

const LOOK_MS = 2_000;

/** What the doctor found, and a new look. */
export function Doctor() {
  const answer = useAnswer<{ run: Examination | null }>("/system/doctor", { every_ms: LOOK_MS });
  return (
    <Section
      title="What the doctor found"
      intro={answer.data?.run && saysWhen(answer.data.run)}
      action={<ActButton act={examine}>Examine</ActButton>}
    >
      <Shown answer={answer}>
        {({ run }) => (run ? <Findings run={run} /> : <Empty>The doctor has not looked yet.</Empty>)}
      </Shown>
    </Section>
  );
}

function saysWhen({ state, started_ts, by }: Examination): string {
  const who = by === "worker" ? "by itself" : `asked for by ${by}`;
  if (state === "running") return `Looking since ${exactTime(started_ts)}, ${who}.`;
  if (state === "lost") return `Began ${exactTime(started_ts)}; the process that ran it ended.`;
  return `${exactTime(started_ts)}, ${who}.`;
}

/** What needs hands first. */
const ORDER = ["failure", "warning", "ok"];

function Findings({ run }: { run: Examination }) {
  const found = run.findings.toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
  return (
    <ul className={styles["findings"]}>
      {found.map(({ check, state, says, fix }) => (
        <li key={`${check} ${says}`} className={styles[state]}>
          <Icon name={state === "ok" ? "check" : "alert"} />
          <div>
            <p>
              <b>{check}</b> <span className={styles["state"]}>{state}</span>
            </p>
            <p className={styles["says"]}>{says}</p>
            {fix && <p className={styles["says"]}>{fix}</p>}
          </div>
        </li>
      ))}
    </ul>
  );
}

function examine(): Act {
  return {
    title: "Examine the installation?",
    consequence: "It goes on in the background, and changes nothing. What is found appears as it is found.",
    label: "Examine",
    fields: [
      {
        name: "depth",
        label: "How closely",
        options: [
          { value: "quick", label: "Quickly", hint: "Seconds." },
          {
            value: "slow",
            label: "With the way through proxies",
            hint: "Keeps connections idle through the public address: minutes.",
          },
        ],
      },
    ],
    run: ({ depth }) => call("/system/doctor", { method: "POST", body: { slow: depth === "slow" } }),
    done: "The doctor is looking.",
  };
}
