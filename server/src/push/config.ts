/** Push, as the settings say it. */
import { type Allowed, readAllowed } from "../outward/guard.ts";
import { type Env, refuse, text } from "../settings/read.ts";

export interface PushConfig {
  /** Gateways and push services that are not on the public internet, and may be reached all the same. */
  hosts: Allowed;
}

export const PUSH_HOSTS = "PARLEY_PUSH_HOSTS";

/** Throws StartError where the setting is wrong. */
export function readPush(env: Env): PushConfig {
  const value = text(env, PUSH_HOSTS);
  try {
    return { hosts: readAllowed(value) };
  } catch {
    const fix = "hosts, addresses and networks with commas between: ntfy.example.org, *.push.example.org, 10.1.0.0/16";
    return refuse(PUSH_HOSTS, value, `set it to ${fix}; a port may follow, as in ntfy.example.org:8443.`);
  }
}
