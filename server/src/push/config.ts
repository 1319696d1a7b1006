/** Push, as the settings say it. */
import { type Allowed, readAllowed } from "../outward/guard.ts";
import { type Address, isInFile, isReference, valueOf } from "../secrets/address.ts";
import { type Env, refuse, secret, text } from "../settings/read.ts";

export interface PushConfig {
  /** Gateways and push services that are not on the public internet, and may be reached all the same. */
  hosts: Allowed;
  /** PARLEY_VAPID_PRIVATE_KEY. */
  vapidKey: Address | undefined;
}

export const PUSH_HOSTS = "PARLEY_PUSH_HOSTS";

/** Throws StartError on the first setting that is wrong. */
export function readPush(env: Env): PushConfig {
  return { hosts: readHosts(env), vapidKey: readKey(env) };
}

function readHosts(env: Env): Allowed {
  const value = text(env, PUSH_HOSTS);
  try {
    return readAllowed(value);
  } catch {
    const fix = "hosts, addresses and networks with commas between: ntfy.example.org, *.push.example.org, 10.1.0.0/16";
    return refuse(PUSH_HOSTS, value, `set it to ${fix}; a port may follow, as in ntfy.example.org:8443.`);
  }
}

/** A value is looked at now, so that a start fails and not the first notification. */
function readKey(env: Env): Address | undefined {
  const name = "PARLEY_VAPID_PRIVATE_KEY";
  const address = secret(env, name);
  if (address === undefined || isReference(address) || isInFile(address)) return address;
  if (!/^[A-Za-z0-9_-]{43}=?$/.test(valueOf(address).trim()))
    refuse(name, "…", "set it to the 32 bytes of a P-256 private key in base64url, or file:// and a file with that.");
  return address;
}
