/**
 * Which process tries failed bills again, and replays the stream of what is billed. Starter charts set these for every process of
 * an installation, so they are known here and checked. This version bills nobody: a process that is told to do it says so at its
 * start, and does nothing.
 */
import type { Setting } from "./setting.ts";

export const billingSettings: readonly Setting[] = [
  {
    name: "ENABLE_BILLING_RETRY_WORKER",
    default: "false",
    doc: "true or false: whether this process tries failed bills again. This version has no bills, and says so.",
  },
  {
    name: "ENABLE_BILLING_STREAM_REPLAY",
    default: "false",
    doc: "true or false: whether this process replays the stream of what is billed. This version has none, and says so.",
  },
  {
    name: "BILLING_RETRY_DEPLOYMENT_MODE",
    default: "embedded",
    doc: "embedded (in any process) or dedicated (only in one with the role worker).",
  },
];
