/** Rules and dashboards: they name what is really counted, each alert comes when it should, and none without need. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { stringify } from "yaml";
import { createMetrics } from "../../server/src/metrics.ts";
import { rows } from "../src/monitoring/dashboard.ts";
import { monitoringFiles } from "../src/monitoring/files.ts";
import { objectives } from "../src/monitoring/objectives.ts";
import { ruleGroups } from "../src/monitoring/rules.ts";

const root = new URL("../../", import.meta.url);
const rules = ruleGroups.flatMap((group) => group.rules);
const alerts = rules.flatMap(({ alert }) => alert ?? []);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");

/** What the server counts. Those of the queue and of billing are made only where they are, so they are read from their sources. */
async function counted(): Promise<Set<string>> {
  const metrics = await createMetrics().registry.getMetricsAsJSON();
  const sources = read("server/src/queue/open.ts") + read("server/src/billing/metrics.ts");
  const elsewhere = [...sources.matchAll(/name: "(parley_\w+)"/g)].map(([, name]) => name as string);
  return new Set([...metrics.map(({ name }) => name), ...elsewhere]);
}

/** Names in PromQL of what is neither counted nor recorded. */
async function unknownNames(expressions: readonly string[]): Promise<string[]> {
  const known = await counted();
  const recorded = new Set(rules.flatMap((rule) => rule.record ?? []));
  const names = expressions.flatMap((each) => each.match(/\b(parley|nodejs|process)[_:][\w:]+/g) ?? []);
  const isKnown = (name: string) =>
    recorded.has(name) || known.has(name) || known.has(name.replace(/_(bucket|count|sum)$/, ""));
  return names.filter((name) => !isKnown(name));
}

test("rules and panels name what is counted", async () => {
  const drawn = rows.flatMap((row) => row.panels.flatMap((panel) => panel.queries.map(([expression]) => expression)));
  assert.deepEqual(await unknownNames([...drawn, ...rules.map(({ expr }) => expr)]), []);
  assert.deepEqual(await unknownNames(["sum(parley_bus_conected)", "parley:deliverie:bad_ratio_5m"]), [
    "parley_bus_conected",
    "parley:deliverie:bad_ratio_5m",
  ]);
});

/** The labels of each metric, with what Prometheus adds: from where it asked. */
function labelsCounted(): ReadonlyMap<string, readonly string[]> {
  const counted = createMetrics().registry.getMetricsAsArray() as unknown as { name: string; labelNames?: string[] }[];
  const sources = read("server/src/queue/open.ts") + read("server/src/billing/metrics.ts");
  const elsewhere = [...sources.matchAll(/name: "(parley_\w+)",\s+help: "[^"]*",(?:\s+labelNames: (\[[^\]]*\]))?/g)];
  return new Map([
    ...counted.map(({ name, labelNames = [] }) => [name, labelNames] as const),
    ...elsewhere.map(([, name, labels = "[]"]) => [name as string, JSON.parse(labels) as string[]] as const),
  ]);
}

/** Labels that PromQL asks for and that nothing it names has. */
function unknownLabels(expressions: readonly string[]): string[] {
  const known = labelsCounted();
  const everywhere = ["namespace", "pod", "instance", "job", "le"];
  return expressions.flatMap((each) => {
    const names = [...each.matchAll(/\b((?:parley|nodejs|process)_\w+)/g)].map(([, name]) => name as string);
    const ofAll = names.flatMap((name) => known.get(name) ?? known.get(name.replace(/_(bucket|count|sum)$/, "")) ?? []);
    const asked = [...each.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list]) => (list as string).split(/,\s*/));
    const matched = [...each.matchAll(/[{,](\w+)(?:=~|!~|!=|=)"/g)].map(([, label]) => label as string);
    return [...asked, ...matched]
      .filter((label) => ![...everywhere, ...ofAll].includes(label))
      .map((label) => `${label} in ${each}`);
  });
}

test("rules and panels ask for labels that are counted", () => {
  const drawn = rows.flatMap((row) => row.panels.flatMap((panel) => panel.queries.map(([expression]) => expression)));
  assert.deepEqual(unknownLabels([...drawn, ...rules.map(({ expr }) => expr)]), []);
  const planted = [
    "sum by (role, result) (rate(parley_proxied_requests_total[5m]))",
    'parley_queue_depth{state="dead",kind="x"}',
  ];
  assert.deepEqual(
    unknownLabels(planted).map((each) => each.split(" ")[0]),
    ["result", "kind"],
  );
});

test("the bound of the promise on deliveries is one of the histogram", async () => {
  const { registry, delivery_s } = createMetrics();
  delivery_s.observe({ via: "sync" }, 0.2);
  const bound = /le="[\d.]+"/.exec(objectives[0]?.bad("5m") ?? "")?.[0];
  assert.ok((await registry.metrics()).includes(`parley_delivery_duration_seconds_bucket{${bound},via="sync"} 1`));
});

test("the chart has the rules and the dashboard as they are described", () => {
  const different = [...monitoringFiles].filter(([path, text]) => read(path) !== text).map(([path]) => path);
  assert.deepEqual(different, [], "node deploy/src/monitoring/write.ts writes them");
});

test("each alert leads to a heading of the page on alerts", () => {
  const headings = [...read("docs/operations/alerts.md").matchAll(/^## (.+)$/gm)].map(([, text]) =>
    (text as string).toLowerCase().replaceAll(" ", "-"),
  );
  const missing = rules.flatMap(({ annotations }) => annotations?.["runbook"]?.split("#")[1] ?? []);
  assert.deepEqual(
    missing.filter((each) => !headings.includes(each)),
    [],
  );
});

/** Series of an hour and a half, one value a minute, in promtool's notation. */
type Series = Record<string, string>;
const HEALTHY: Series = {
  'parley_log_lag_entries{pod="a"}': "0x90",
  'up{job="parley"}': "1x90",
  'parley_bus_connected{pod="a"}': "1x90",
  'parley_queue_depth{queue="chat.messages",state="waiting"}': "600x90",
  'parley_queue_depth{queue="chat.messages",state="waiting",pod="b"}': "600x90",
  'parley_queue_depth{queue="chat.messages",state="dead"}': "0x90",
  'parley_billing_oldest_waiting_seconds{pod="a"}': "30x90",
  'parley_billing_stream_age_seconds{pod="a"}': "300x90",
  'parley_billing_dead_deliveries{pod="a"}': "0x90",
  'parley_streams{pod="a"}': "500x90",
  'parley_stream_resyncs_total{pod="a"}': "0x90",
  'nodejs_eventloop_lag_p99_seconds{pod="a"}': "0.012x90",
  'parley_log_append_duration_seconds_bucket{le="0.01"}': "0+600x90",
  'parley_log_append_duration_seconds_bucket{le="0.25"}': "0+600x90",
  'parley_log_append_duration_seconds_bucket{le="0.5"}': "0+600x90",
  'parley_log_append_duration_seconds_bucket{le="+Inf"}': "0+600x90",
  'parley_delivery_duration_seconds_bucket{le="0.25"}': "0+6000x90",
  parley_delivery_duration_seconds_count: "0+6000x90",
  'parley_http_request_duration_seconds_count{status="200"}': "0+6000x90",
  'parley_http_request_duration_seconds_count{status="403"}': "0+600x90",
  'parley_client_decryptions_total{outcome="decrypted"}': "0+6000x90",
};

/** What has to be otherwise for each alert to come. */
const trouble: Record<string, Series> = {
  ParleyDeliveryBudgetFast: { 'parley_delivery_duration_seconds_bucket{le="0.25"}': "0+4000x90" },
  ParleyDeliveryBudgetSlow: { 'parley_delivery_duration_seconds_bucket{le="0.25"}': "0+5500x90" },
  ParleyRequestsBudgetFast: { 'parley_http_request_duration_seconds_count{status="500"}': "0+200x90" },
  ParleyRequestsBudgetSlow: { 'parley_http_request_duration_seconds_count{status="503"}': "0+60x90" },
  ParleyDecryptionBudgetFast: { 'parley_client_decryptions_total{outcome="no_key"}': "0+200x90" },
  ParleyDecryptionBudgetSlow: { 'parley_client_decryptions_total{outcome="other"}': "0+60x90" },
  ParleyAway: { 'up{job="parley"}': "0x90" },
  ParleyLogBehind: { 'parley_log_lag_entries{pod="a"}': "2000x90" },
  ParleyAppendsSlow: {
    'parley_log_append_duration_seconds_bucket{le="0.01"}': "0+300x90",
    'parley_log_append_duration_seconds_bucket{le="0.25"}': "0+300x90",
  },
  ParleyBusAway: { 'parley_bus_connected{pod="a"}': "0x90" },
  ParleyQueueGrows: { 'parley_queue_depth{queue="chat.messages",state="waiting"}': "5000x90" },
  ParleyDeadLetters: { 'parley_queue_depth{queue="chat.messages",state="dead"}': "1x90" },
  ParleyBillingStalls: { 'parley_billing_oldest_waiting_seconds{pod="a"}': "4000x90" },
  ParleyBillingDeadLetters: { 'parley_billing_dead_deliveries{pod="a"}': "1x90" },
  ParleySocketsNearLimit: { 'parley_streams{pod="a"}': "17000x90" },
  ParleySlowReaders: { 'parley_stream_resyncs_total{pod="a"}': "0+30x90" },
  ParleyBusyLoop: { 'nodejs_eventloop_lag_p99_seconds{pod="a"}': "0.4x90" },
};

const firing = (name: string) => `count(ALERTS{alertname="${name}",alertstate="firing"}) or vector(0)`;

function scenario(name: string, series: Series, expected: (alert: string) => number | undefined) {
  return {
    name,
    interval: "1m",
    input_series: Object.entries(series).map(([each, values]) => ({ series: each, values })),
    promql_expr_test: alerts.flatMap((each) => {
      const value = expected(each);
      const exp_samples = [{ labels: "{}", value }];
      return value === undefined ? [] : [{ expr: firing(each), eval_time: "90m", exp_samples }];
    }),
  };
}

/** Runs promtool over the rules; gives what it says where something is not as expected. */
function judge(scenarios: readonly object[]): string {
  const directory = mkdtempSync(join(tmpdir(), "parley-rules-"));
  try {
    const [rulesFile] = [...monitoringFiles].filter(([path]) => path.endsWith(".yaml"));
    writeFileSync(join(directory, "rules.yaml"), rulesFile?.[1] ?? "");
    const suite = { rule_files: ["rules.yaml"], evaluation_interval: "1m", tests: scenarios };
    writeFileSync(join(directory, "tests.yaml"), stringify(suite));
    const { status, stdout, stderr } = spawnSync("promtool", ["test", "rules", join(directory, "tests.yaml")], {
      encoding: "utf8",
    });
    return status === 0 ? "" : stdout + stderr;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const missing =
  spawnSync("promtool", ["--version"]).error && "promtool is not installed (Debian: apt-get install prometheus)";

test("no alert comes while all is well, and each comes in its trouble", { skip: missing ?? false }, () => {
  assert.deepEqual(Object.keys(trouble), alerts);
  const scenarios = Object.entries(trouble).map(([name, series]) =>
    scenario(name, { ...HEALTHY, ...series }, (alert) => (alert === name ? 1 : undefined)),
  );
  assert.equal(judge([scenario("all is well", HEALTHY, () => 0), ...scenarios]), "");
});

test("an alert that does not come is noticed", { skip: missing ?? false }, () => {
  assert.match(judge([scenario("planted", HEALTHY, (alert) => (alert === "ParleyBusAway" ? 1 : 0))]), /ParleyBusAway/);
});
