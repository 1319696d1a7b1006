/** What is switched on of billing. See billing.ts. */
import type { RoleName } from "../roles.ts";
import { type Env, oneOf, refuse } from "./read.ts";

const SWITCHES = ["ENABLE_BILLING_RETRY_WORKER", "ENABLE_BILLING_STREAM_REPLAY"] as const;

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
