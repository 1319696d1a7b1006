/**
 * Which process tries failed bills again, and replays the stream of what is billed. Starter charts set these for every process of
 * an installation, so they are known here and checked. This version bills nobody: a process that is told to do it says so at its
 * start, and does nothing.
 */
import type { RoleName } from "../roles.ts";
import { type Env, oneOf, refuse } from "./read.ts";
import type { Setting } from "./setting.ts";

const SWITCHES = ["ENABLE_BILLING_RETRY_WORKER", "ENABLE_BILLING_STREAM_REPLAY"] as const;

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

/** The switches that are on, and that there is nothing for yet. Throws StartError where a process may not have them. */
export function readBilling(env: Env, roles: readonly RoleName[]): readonly string[] {
  const on = SWITCHES.filter((name) => oneOf(env, name, ["true", "false"]) === "true");
  const mode = oneOf(env, "BILLING_RETRY_DEPLOYMENT_MODE", ["embedded", "dedicated"]);
  if (mode === "dedicated" && on.length > 0 && !roles.includes("worker"))
    refuse(
      "BILLING_RETRY_DEPLOYMENT_MODE",
      mode,
      `set it to embedded, ROLES to some with worker, or ${on[0]} to false.`,
    );
  return on;
}
