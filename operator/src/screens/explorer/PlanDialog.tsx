import { Dialog } from "../../../../web/src/ui/Dialog.tsx";
import { grouped } from "../../parts/words.ts";
import styles from "./Explorer.module.css";

/** One step of a plan, as PostgreSQL tells it in JSON. */
interface Step {
  "Node Type": string;
  "Relation Name"?: string;
  "Index Name"?: string;
  Filter?: string;
  "Plan Rows": number;
  "Total Cost": number;
  Plans?: Step[];
}

export type Plan = readonly [{ Plan: Step }];

/** How the database would run a query: each step with what it expects, the last one first. */
export function PlanDialog({ plan, onClose }: { plan: Plan; onClose: () => void }) {
  return (
    <Dialog
      isOpen
      size="l"
      title="Plan"
      intro="How the database would run this query. It was not run. Costs are the database's own measure."
      onClose={onClose}
    >
      <ul className={styles["plan"]}>
        <PlanStep step={plan[0].Plan} whole={plan[0].Plan["Total Cost"]} />
      </ul>
    </Dialog>
  );
}

function PlanStep({ step, whole }: { step: Step; whole: number }) {
  const at = step["Index Name"] ?? step["Relation Name"];
  const cost = step["Total Cost"];
  return (
    <li>
      <p>
        <strong>{step["Node Type"]}</strong> {at && <code>{at}</code>}{" "}
        <span className={styles["kind"]}>
          {grouped(Math.round(step["Plan Rows"]))} rows, cost {grouped(Math.round(cost))} (
          {Math.round((100 * cost) / Math.max(whole, 1e-9))} %)
        </span>
      </p>
      {step.Filter && <p className={styles["filter"]}>{step.Filter}</p>}
      {step.Plans && (
        <ul>
          {step.Plans.map((each, index) => (
            <PlanStep key={index} step={each} whole={whole} />
          ))}
        </ul>
      )}
    </li>
  );
}
