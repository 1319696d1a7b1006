/** How Parley is: the overview, and what was counted over time. See docs/operations/insight.md. */
import { z } from "zod";
import { operation, type Operation } from "../console/operation.ts";
import { time } from "../console/users/shapes.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { version } from "../version.ts";
import { readAttention, readSteps } from "./attention.ts";
import { type Chart, rangeNames, readChart, readNewest } from "./chart.ts";
import { lookAtHealth, parts, readSince } from "./health.ts";
import { allSeries, type SeriesName, seriesNames } from "./series.ts";

/** The six numbers, in their order. */
const SIX = [
  "active_day",
  "messages_per_hour",
  "online",
  "sockets",
  "storage_bytes",
  "failed_jobs",
] as const satisfies SeriesName[];

const line = {
  from_ts: time,
  step_s: z.int(),
  values: z.array(z.number().nullable()).meta({ description: "One for each step; null where nothing is known." }),
};

const overview = z.object({
  version: z.string(),
  at_ts: time,
  health: z.array(
    z.object({
      part: z.enum(parts),
      state: z.enum(["ok", "warn", "off"]),
      says: z.string(),
      since_ts: time.meta({ description: "Since when it is in this state; a minute late at most." }),
    }),
  ),
  numbers: z.array(
    z.object({
      name: z.enum(SIX),
      title: z.string(),
      unit: z.string(),
      value: z.number().nullable(),
      spark: z.object(line).meta({ description: "The last 24 hours." }),
    }),
  ),
  attention: z.array(
    z.object({
      kind: z.string(),
      severity: z.enum(["failure", "warning", "notice"]),
      says: z.string(),
      fix: z.string().optional(),
      target: z.string().optional(),
    }),
  ),
  checklist: z.array(z.object({ step: z.string(), title: z.string(), done: z.boolean() })),
});

const readOverview = operation({
  id: "overview.read",
  method: "GET",
  path: "/overview",
  summary: "Shows how Parley is: its parts, six numbers, what to look at, and the first steps",
  role: "auditor",
  answer: overview,
  command: { name: "overview" },
  async handle(_request, ctx) {
    const [chart, newest] = [await readChart(ctx, "24h", SIX), await readNewest(ctx)];
    return {
      version,
      at_ts: ctx.seams.now_ms(),
      health: await healthSince(ctx),
      numbers: SIX.map((name) => ({
        name,
        title: allSeries[name].title,
        unit: allSeries[name].unit,
        value: newest(name),
        spark: lineOf(chart, name),
      })),
      attention: await readAttention(ctx),
      checklist: await readSteps(ctx),
    };
  },
});

/** A state that the worker has not seen yet began just now. */
async function healthSince(ctx: Context) {
  const [found, since] = [await lookAtHealth(ctx), await readSince(ctx)];
  const now_ms = ctx.seams.now_ms();
  return found.map((each) => {
    const seen = since.get(each.part);
    return { ...each, since_ts: seen?.state === each.state ? seen.since_ms : now_ms };
  });
}

function lineOf({ from_ms, step_ms, series }: Chart, name: SeriesName) {
  const values = series.find((each) => each.name === name)?.values ?? [];
  return { from_ts: from_ms, step_s: step_ms / 1_000, values };
}

const isName = (name: string): name is SeriesName => Object.hasOwn(allSeries, name);

const readMetrics = operation({
  id: "metrics.read",
  method: "GET",
  path: "/metrics",
  summary: "Shows what was counted over time",
  description: `All processes together. By minutes for up to 6 hours, by quarters of an hour beyond. Series: ${seriesNames.join(", ")}.`,
  role: "auditor",
  query: z.object({
    range: z.enum(rangeNames).default("24h"),
    series: z.string().max(1_000).optional().meta({ description: "Names with commas between; by default all." }),
  }),
  answer: z.object({
    from_ts: time,
    step_s: z.int(),
    grafana_url: z.string().nullable().meta({ description: "PARLEY_GRAFANA_URL, where it is set." }),
    items: z.array(z.object({ series: z.string(), title: z.string(), unit: z.string(), values: line.values })),
  }),
  command: { name: "metrics", columns: ["series", "title", "unit", "values"] },
  async handle({ query: { range, series } }, ctx) {
    const names = series === undefined ? seriesNames : series.split(",").map((name) => name.trim());
    const unknown = names.find((name) => !isName(name));
    if (unknown !== undefined) throw matrixError("M_INVALID_PARAM", `There is no series "${unknown}".`);
    const chart = await readChart(ctx, range, names.filter(isName));
    return {
      from_ts: chart.from_ms,
      step_s: chart.step_ms / 1_000,
      grafana_url: ctx.config.grafanaUrl ?? null,
      items: chart.series.map(({ name, values }) => ({
        series: name,
        title: allSeries[name].title,
        unit: allSeries[name].unit,
        values,
      })),
    };
  },
});

export const operations: readonly Operation[] = [readOverview, readMetrics];
