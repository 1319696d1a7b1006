/** Previews of web pages, as the settings say it. */
import { type Allowed, readAllowed } from "../../outward/guard.ts";
import { type Env, oneOf, refuse, text } from "../../settings/read.ts";

export interface PreviewConfig {
  isOn: boolean;
  /** Hosts that are not on the public internet, and may be reached all the same. */
  hosts: Allowed;
}

export const PREVIEW_HOSTS = "PARLEY_PREVIEW_HOSTS";

/** Throws StartError where a setting is wrong. */
export function readPreviews(env: Env): PreviewConfig {
  const isOn = oneOf(env, "PARLEY_PREVIEWS", ["off", "on"]) === "on";
  const value = text(env, PREVIEW_HOSTS);
  try {
    return { isOn, hosts: readAllowed(value) };
  } catch {
    const fix = "hosts, addresses and networks with commas between: wiki.example.org, *.docs.example.org, 10.1.0.0/16";
    return refuse(PREVIEW_HOSTS, value, `set it to ${fix}; a port may follow, as in wiki.example.org:8443.`);
  }
}
