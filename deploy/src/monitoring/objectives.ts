/** What an installation promises its people, and how it is measured: the objectives behind dashboards and alerts. */

export interface Objective {
  /** As the names of its recording rules have it. */
  name: string;
  /** In a sentence, for the dashboard and the documentation. */
  promise: string;
  /** The part of what is counted that must be good. */
  target: number;
  /** PromQL of the part that was not good, over a window such as 5m. */
  bad(window: string): string;
}

/** Deliveries that take longer than this are noticed. It is a bound of the histogram. */
const DELIVERED_S = 0.25;

const rate = (metric: string, window: string, labels = "") => `sum(rate(${metric}${labels}[${window}]))`;

/** The part of `all` that is in `bad`; nothing where nothing was counted. */
const part = (bad: string, all: string) => `(${bad}) / (${all} > 0)`;

export const objectives: readonly Objective[] = [
  {
    name: "delivery",
    promise: `99 % of messages reach the connected devices of their readers within ${DELIVERED_S * 1_000} ms.`,
    target: 0.99,
    bad(window) {
      const all = rate("parley_delivery_duration_seconds_count", window);
      const inTime = rate("parley_delivery_duration_seconds_bucket", window, `{le="${DELIVERED_S}"}`);
      return part(`${all} - ${inTime}`, all);
    },
  },
  {
    name: "requests",
    promise: "99.9 % of requests are answered without a failure of the server.",
    target: 0.999,
    bad: (window) =>
      part(
        `${rate("parley_http_request_duration_seconds_count", window, '{status=~"5.."}')} or vector(0)`,
        rate("parley_http_request_duration_seconds_count", window),
      ),
  },
  {
    name: "decryption",
    promise: "99.9 % of encrypted messages can be read by the devices that they reach, as these report.",
    target: 0.999,
    bad: (window) =>
      part(
        `${rate("parley_client_decryptions_total", window, '{outcome=~"no_key|other"}')} or vector(0)`,
        rate("parley_client_decryptions_total", window),
      ),
  },
];
