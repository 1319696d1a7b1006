/**
 * Numbers of another server, to stand beside the measured ones. They are fixed: measured once by
 * hand on a machine like ours, with plain HTTP clients, and not by this harness.
 */
export const REFERENCE = {
  name: "Synapse 1.160",
  source: "Synapse 1.160 on PostgreSQL, measured on a machine like this one (2 cores, shared with plain HTTP clients)",
  /** By the scenario's name. Only what was measured is here. */
  numbers: new Map([
    ["sends-many", "31 sends/s, p99 1,819 ms"],
    ["sends-one", "27 sends/s"],
    ["deliveries", "100 deliveries/s"],
    ["latency", "p50 1,426 ms"],
    ["joins-one", "9.5 joins/s"],
    ["memory", "176 MB"],
  ]),
} as const;
