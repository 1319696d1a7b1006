import { Link } from "@tanstack/react-router";
import { Icon } from "../../../../web/src/ui/Icon.tsx";
import { cx } from "../../../../web/src/ui/cx.ts";
import { pathOf } from "../../api.ts";
import { Screen, Section } from "../../frame/Screen.tsx";
import { useAnswer } from "../../model/queries.ts";
import { lengthOf } from "../../model/time.ts";
import { parseSearch } from "../../model/search.ts";
import { useNow } from "../../model/useNow.ts";
import { Shown } from "../../parts/Shown.tsx";
import { Sparkline } from "../../parts/Sparkline.tsx";
import { valueIn } from "../../parts/units.ts";
import styles from "./Overview.module.css";

/** How Parley is, as the operator API tells of it (server/src/insight/operations.ts). */
interface Answer {
  version: string;
  at_ts: number;
  health: { part: string; state: "ok" | "warn" | "off"; says: string; since_ts: number }[];
  numbers: { name: string; title: string; unit: string; value: number | null; spark: { values: (number | null)[] } }[];
  attention: {
    kind: string;
    severity: "failure" | "warning" | "notice";
    says: string;
    fix?: string;
    target?: string;
  }[];
  checklist: { step: string; title: string; done: boolean }[];
}

const LOOK_MS = 30_000;
const MINUTE_MS = 60_000;

export default function Overview() {
  const overview = useAnswer<Answer>("/overview", { every_ms: LOOK_MS });
  return (
    <Screen title="Overview" {...(overview.data ? { detail: `Parley ${overview.data.version}` } : {})}>
      <Shown answer={overview}>
        {(data) => (
          <>
            <Health health={data.health} />
            <Numbers numbers={data.numbers} />
            <Attention attention={data.attention} />
            {data.checklist.some(({ done }) => !done) && <Checklist steps={data.checklist} />}
          </>
        )}
      </Shown>
    </Screen>
  );
}

const PARTS: Readonly<Record<string, string>> = {
  api: "API",
  sockets: "WebSockets",
  database: "Database",
  storage: "Files",
  push: "Push",
  queue: "Queue",
};

function Health({ health }: Pick<Answer, "health">) {
  const now_ms = useNow();
  return (
    <section aria-label="Health">
      <ul className={styles["health"]}>
        {health.map(({ part, state, says, since_ts }) => (
          <li key={part} className={styles[state]}>
            <p className={styles["part"]}>
              <Icon name={state === "ok" ? "check" : state === "off" ? "ban" : "alert"} size={14} />
              {PARTS[part] ?? part} <span className={styles["state"]}>{state}</span>
            </p>
            <p className={styles["says"]}>{says}</p>
            {state !== "off" && (
              <p className={styles["says"]}>
                {now_ms - since_ts < MINUTE_MS ? "since just now" : `for ${lengthOf(now_ms - since_ts)}`}
              </p>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Numbers({ numbers }: Pick<Answer, "numbers">) {
  return (
    <section aria-label="Numbers">
      <ul className={styles["numbers"]}>
        {numbers.map(({ name, title, unit, value, spark }) => (
          <li key={name}>
            <p className={styles["title"]}>
              {title}
              {unit === "per hour" && " an hour"}
            </p>
            <p className={styles["value"]}>{value === null ? "–" : valueIn(unit, value)}</p>
            <Sparkline values={spark.values} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Attention({ attention }: Pick<Answer, "attention">) {
  return (
    <Section title="To look at">
      {attention.length === 0 ? (
        <p className={styles["nothing"]}>
          <Icon name="check" size={14} /> Nothing needs you.
        </p>
      ) : (
        <ul className={styles["attention"]}>
          {attention.map(({ kind, severity, says, fix, target }) => (
            <li key={`${kind} ${target ?? ""} ${says}`} className={styles[severity]}>
              <Icon name={severity === "notice" ? "info" : "alert"} />
              <div>
                <p>
                  {says} <Look kind={kind} target={target} />
                </p>
                {fix && <p className={styles["says"]}>{fix}</p>}
              </div>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

/** Where each kind is looked at. */
const PLACES: Readonly<Record<string, string>> = {
  doctor: "/system/doctor",
  open_acts: "/audit?outcome=begun",
  dead_letters: "/system/failures",
  failed_jobs: "/system/jobs",
  version_behind: "/system",
  log_lag: "/system",
  no_worker: "/system",
  backup: "/system/backups",
  maintenance: "/system",
  registration_open: "/registration/settings",
  audit_stream: "/audit",
  service_failing: "/integrations/services",
  webhook_failing: "/integrations/webhooks",
};

function Look({ kind, target }: { kind: string; target: string | undefined }) {
  const place = target?.startsWith("@") ? pathOf`/users/${target}` : PLACES[kind];
  if (place === undefined) return null;
  const [to, search = ""] = place.split("?");
  return (
    <Link to={to} search={parseSearch(search) as never}>
      Look
    </Link>
  );
}

function Checklist({ steps }: { steps: Answer["checklist"] }) {
  const left = steps.filter(({ done }) => !done).length;
  return (
    <Section title="First steps" intro={`${steps.length - left} of ${steps.length} are done.`}>
      <ul className={styles["steps"]}>
        {steps.map(({ step, title, done }) => (
          <li key={step} className={cx(done && styles["done"])}>
            <span className={styles["box"]}>{done && <Icon name="check" size={12} />}</span>
            {title}
            <span className="visuallyHidden">{done ? "done" : "not done"}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
