/**
 * Calls through a TURN server that shares a secret with this one: whoever is signed in gets a name and a password for it that end by
 * themselves. Specification: client-server-api, "Voice over IP"; the form is that of coturn (`use-auth-secret`), and of
 * draft-uberti-behave-turn-rest-00.
 */
import { createHmac } from "node:crypto";
import { type Address, valueOf } from "../secrets/address.ts";
import { type Env, integer, refuse, secret, text } from "../settings/read.ts";

const [URIS, SECRET, TTL] = ["PARLEY_TURN_URIS", "PARLEY_TURN_SECRET", "PARLEY_TURN_TTL_S"];

export interface Turn {
  uris: readonly string[];
  /** What the TURN server has as `static-auth-secret`. */
  secret: Address;
  ttl_s: number;
}

export interface TurnCredentials {
  username: string;
  password: string;
  uris: readonly string[];
  /** In seconds. */
  ttl: number;
}

/** Undefined where there is none. Throws StartError where a setting is wrong, or one of the two is missing. */
export function readTurn(env: Env): Turn | undefined {
  const written = text(env, URIS);
  const uris = written.split(",").flatMap((each) => each.trim() || []);
  const shared = secret(env, SECRET);
  const ttl_s = integer(env, TTL, [60, 604_800]);
  if (uris.length === 0 && shared === undefined) return undefined;
  if (uris.length === 0) refuse(SECRET, "", `set it to nothing, or ${URIS} to where the TURN server is.`);
  if (shared === undefined) refuse(URIS, written, `set it to nothing, or ${SECRET} to the secret that its server has.`);
  const areRight = uris.every((uri) => /^turns?:[\w.:[\]-]+(\?transport=(udp|tcp))?$/.test(uri));
  if (!areRight)
    refuse(URIS, written, "set it to addresses such as turn:turn.example.org:3478?transport=udp, with commas between.");
  return { uris, secret: shared, ttl_s };
}

/** What the person may use the TURN server with from now on. */
export function turnCredentials(
  { uris, secret: shared, ttl_s }: Turn,
  userId: string,
  now_ms: number,
): TurnCredentials {
  const username = `${Math.floor(now_ms / 1_000) + ttl_s}:${userId}`;
  const password = createHmac("sha1", valueOf(shared)).update(username).digest("base64");
  return { username, password, uris, ttl: ttl_s };
}
