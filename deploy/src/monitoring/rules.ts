/** Recording rules and alerts, as Prometheus reads them. Each alert says what people notice, and where the way out is. */
import { type Objective, objectives } from "./objectives.ts";

export interface Rule {
  record?: string;
  alert?: string;
  expr: string;
  for?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

export interface RuleGroup {
  name: string;
  rules: Rule[];
}

/** Windows over which the error budget is looked at; an alert asks two of them, so that it ends when the trouble does. */
const windows = ["5m", "30m", "1h", "6h"] as const;

interface Burn {
  severity: "page" | "ticket";
  long: (typeof windows)[number];
  short: (typeof windows)[number];
  /** How many times faster than allowed the budget of 30 days is used up. */
  factor: number;
}

/** At 14.4 times the budget of a month is gone in two days; at 6 times in five. */
const burns: readonly Burn[] = [
  { severity: "page", long: "1h", short: "5m", factor: 14.4 },
  { severity: "ticket", long: "6h", short: "30m", factor: 6 },
];

const record = (name: string, window: string) => `parley:${name}:bad_ratio_${window}`;
const title = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);

function objectiveRules({ name, promise, target, bad }: Objective): Rule[] {
  const recorded = windows.map((window) => ({ record: record(name, window), expr: bad(window) }));
  const alerts = burns.map(({ severity, long, short, factor }) => {
    const most = Number((factor * (1 - target)).toFixed(4));
    return alert(`Parley${title(name)}Budget${severity === "page" ? "Fast" : "Slow"}`, {
      expr: `${record(name, long)} > ${most} and ${record(name, short)} > ${most}`,
      severity,
      summary: `The promise is in danger: ${promise}`,
      description: `Over the last ${long} {{ $value | humanizePercentage }} were not so; at this rate a month's allowance is gone in ${severity === "page" ? "two days" : "five days"}.`,
      runbook: `budget-${name}`,
    });
  });
  return [...recorded, ...alerts];
}

interface Alert {
  expr: string;
  for?: string;
  severity: "page" | "ticket";
  summary: string;
  description: string;
  /** The heading in docs/operations/alerts.md. */
  runbook: string;
}

function alert(name: string, { expr, for: lasting, severity, summary, description, runbook }: Alert): Rule {
  return {
    alert: name,
    expr,
    ...(lasting ? { for: lasting } : {}),
    labels: { severity },
    annotations: { summary, description, runbook: `docs/operations/alerts.md#${runbook}` },
  };
}

const process = "{{ $labels.pod }}{{ $labels.instance }}";

/** Causes: what brings the promises into danger, each with a limit of the server in mind. */
const causes: readonly Rule[] = [
  alert("ParleyAway", {
    expr: 'absent(parley_log_lag_entries) or (count(up{job=~".*parley.*"} == 0) > 0)',
    for: "5m",
    severity: "page",
    summary: "Processes of Parley can not be asked for their metrics.",
    description: "None answers, or some do not. If people can not write either, look at the pods first.",
    runbook: "processes-are-away",
  }),
  alert("ParleyLogBehind", {
    expr: "parley_log_lag_entries > 1000",
    for: "2m",
    severity: "page",
    summary: `${process} is behind the log.`,
    description: "It is {{ $value }} entries behind; its clients see messages late. From 5,000 on it is not ready.",
    runbook: "a-process-is-behind-the-log",
  }),
  alert("ParleyAppendsSlow", {
    expr: "histogram_quantile(0.99, sum by (le) (rate(parley_log_append_duration_seconds_bucket[5m]))) > 0.25",
    for: "10m",
    severity: "ticket",
    summary: "Writing into the log is slow.",
    description:
      "1 % of appends take longer than {{ $value | humanizeDuration }}: look at PostgreSQL's disk and standby.",
    runbook: "appends-are-slow",
  }),
  alert("ParleyBusAway", {
    expr: "parley_bus_connected == 0",
    for: "2m",
    severity: "ticket",
    summary: `${process} has lost the bus.`,
    description: "Messages of other processes reach its clients up to a second late. Nothing is lost.",
    runbook: "the-bus-is-away",
  }),
  alert("ParleyQueueGrows", {
    // Every process counts the whole queue.
    expr: 'max by (queue) (parley_queue_depth{state="waiting"}) > 1000',
    for: "5m",
    severity: "page",
    summary: "The queue {{ $labels.queue }} grows.",
    description: "{{ $value }} messages wait for a worker: senders wait with them.",
    runbook: "a-queue-grows",
  }),
  alert("ParleyDeadLetters", {
    expr: 'max by (queue) (parley_queue_depth{state="dead"}) > 0',
    severity: "ticket",
    summary: "The queue {{ $labels.queue }} has dead messages.",
    description: "{{ $value }} messages failed again and again. They are kept until somebody looks at them.",
    runbook: "dead-messages",
  }),
  alert("ParleyBillingStalls", {
    // Every process with billing sees the whole of it, also where none of them works.
    expr: "max(parley_billing_oldest_waiting_seconds) > 1800 or max(parley_billing_stream_age_seconds) > 7200",
    for: "15m",
    severity: "ticket",
    summary: "The work on billing stands still.",
    description: "For {{ $value | humanizeDuration }}. Nobody is kept from anything; Stripe is told of usage late.",
    runbook: "billing-stands-still",
  }),
  alert("ParleyBillingDeadLetters", {
    expr: "max(parley_billing_dead_deliveries) > 0",
    severity: "ticket",
    summary: "Events of billing could not be handled.",
    description: "{{ $value }} failed on every attempt, and wait for somebody to look at them.",
    runbook: "billing-could-not-handle-an-event",
  }),
  alert("ParleySocketsNearLimit", {
    expr: "parley_streams > 16000",
    for: "5m",
    severity: "ticket",
    summary: `${process} has many streams.`,
    description: "{{ $value }} of the 20,000 that one process takes. More gateways share them.",
    runbook: "many-streams",
  }),
  alert("ParleySlowReaders", {
    expr: "sum(rate(parley_stream_resyncs_total[10m])) > 0.05 * sum(parley_streams) / 600",
    for: "15m",
    severity: "ticket",
    summary: "Many devices do not take what they are sent.",
    description: "More than one in twenty was told anew in ten minutes: look at the network before the gateways.",
    runbook: "slow-readers",
  }),
  alert("ParleyBusyLoop", {
    expr: "nodejs_eventloop_lag_p99_seconds > 0.1",
    for: "10m",
    severity: "ticket",
    summary: `${process} is busy.`,
    description:
      "Its requests wait {{ $value | humanizeDuration }} for their turn: more replicas of its role share the load.",
    runbook: "a-process-is-busy",
  }),
];

export const ruleGroups: readonly RuleGroup[] = [
  ...objectives.map((objective) => ({ name: `parley-${objective.name}`, rules: objectiveRules(objective) })),
  { name: "parley-causes", rules: [...causes] },
];
