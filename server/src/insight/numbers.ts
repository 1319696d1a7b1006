/**
 * The few numbers that a process tells of itself once a minute. Counts only grow while it runs, and are told as their growth;
 * gauges are what is so at the moment. Those of all processes are added up, so nothing is here that has no sum.
 */
import type { Counter, Histogram } from "prom-client";
import type { Context } from "../context.ts";

export type Numbers = Readonly<Record<string, number>>;

export interface OwnNumbers {
  counts: Numbers;
  gauges: Numbers;
}

const SEND_ROUTE = "/_matrix/client/v3/rooms/:roomId/send/:eventType/:txnId";

/** Upper ends of the buckets of delivery, in seconds: d0, d1, …; the one behind the last has no end. */
export const deliveryBuckets_s = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

/** The statuses that are told apart; others are told by their hundred: 4xx, 5xx. */
const STATUSES = ["400", "401", "403", "404", "429"];

export async function readOwnNumbers(ctx: Context): Promise<OwnNumbers> {
  const { metrics, db } = ctx;
  const load = db.load();
  const sum = (of: (each: (typeof load)[number]) => number) => load.reduce((total, each) => total + of(each), 0);
  return {
    counts: {
      ...(await answers(metrics.http)),
      stream_sends: await counted(metrics.streamSends, ({ outcome }) => outcome === "sent"),
      connects: await counted(metrics.streamConnects, () => true),
      decrypted: await counted(metrics.decryptions, ({ outcome }) => outcome === "decrypted" || outcome === "late"),
      undecryptable: await counted(metrics.decryptions, ({ outcome }) => outcome !== "decrypted" && outcome !== "late"),
      ...(await totals(metrics.append_s, "append")),
      ...(await buckets(metrics.delivery_s)),
    },
    gauges: {
      processes: 1,
      streams: await gauge(metrics.streams),
      syncs_waiting: await gauge(metrics.syncWaiting),
      db_connections: sum(({ total }) => total),
      db_waiting: sum(({ waiting }) => waiting),
      memory_bytes: process.memoryUsage.rss(),
    },
  };
}

/** Requests, sends among them, and refusals by their status. */
async function answers(http: Histogram<"method" | "route" | "status">): Promise<Numbers> {
  const found: Record<string, number> = { requests: 0, sends: 0 };
  const add = (name: string, value: number) => (found[name] = (found[name] ?? 0) + value);
  for (const { metricName, labels, value } of (await http.get()).values) {
    if (!metricName?.endsWith("_count")) continue;
    const status = String(labels.status);
    add("requests", value);
    if (labels.route === SEND_ROUTE && status === "200") add("sends", value);
    if (status >= "400") add(`errors_${STATUSES.includes(status) ? status : `${status[0]}xx`}`, value);
  }
  return found;
}

async function counted<L extends string>(
  counter: Counter<L>,
  isMeant: (labels: Partial<Record<L, string | number>>) => boolean,
): Promise<number> {
  const { values } = await counter.get();
  return values.filter(({ labels }) => isMeant(labels)).reduce((sum, { value }) => sum + value, 0);
}

async function gauge(metric: { get(): Promise<{ values: readonly { value: number }[] }> }): Promise<number> {
  return (await metric.get()).values.reduce((sum, { value }) => sum + value, 0);
}

async function totals(histogram: Histogram, name: string): Promise<Numbers> {
  const { values } = await histogram.get();
  const of = (ending: string) => values.find(({ metricName }) => metricName?.endsWith(ending))?.value ?? 0;
  return { [`${name}_n`]: of("_count"), [`${name}_s`]: of("_sum") };
}

/** How many deliveries fell into each bucket: the histogram counts each in all the wider ones too. */
async function buckets(histogram: Histogram<"via">): Promise<Numbers> {
  const cumulative = deliveryBuckets_s.map(() => 0).concat(0);
  for (const { metricName, labels, value } of (await histogram.get()).values) {
    if (!metricName?.endsWith("_bucket")) continue;
    const end = (labels as { le?: string | number }).le;
    const at = end === "+Inf" ? deliveryBuckets_s.length : deliveryBuckets_s.findIndex((each) => each === Number(end));
    if (at >= 0) cumulative[at] = (cumulative[at] ?? 0) + value;
  }
  return Object.fromEntries(cumulative.map((value, i) => [`d${i}`, value - (cumulative[i - 1] ?? 0)]));
}

/** The growth of counts since `before`; nothing that did not grow is told. */
export function growth(counts: Numbers, before: Numbers): Numbers {
  const grown = Object.entries(counts).map(([name, value]) => [name, value - (before[name] ?? 0)] as const);
  return Object.fromEntries(grown.filter(([, value]) => value > 0));
}

/**
 * The value below which this part of all deliveries stayed, in milliseconds, from the counts of the buckets; null where there were none.
 * Inside of a bucket they count as spread evenly, so the answer is as fine as the buckets are.
 */
export function deliveryQuantile_ms(numbers: Numbers, part: number): number | null {
  const counts = [...deliveryBuckets_s, Number.POSITIVE_INFINITY].map((_, i) => numbers[`d${i}`] ?? 0);
  const wanted = counts.reduce((sum, each) => sum + each, 0) * part;
  if (wanted === 0) return null;
  let below = 0;
  for (const [i, count] of counts.entries()) {
    const [from_s, to_s] = [deliveryBuckets_s[i - 1] ?? 0, deliveryBuckets_s[i]];
    if (below + count >= wanted)
      return (to_s === undefined ? from_s : from_s + ((wanted - below) / count) * (to_s - from_s)) * 1_000;
    below += count;
  }
  return null;
}
