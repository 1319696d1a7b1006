/** Settings in parts, and several in one: what they make of the settings that are read. See parts.ts. */
import { isIPv6 } from "node:net";
import { StartError } from "../errors.ts";
import { isInFile, isReference } from "../secrets/address.ts";
import { type Env, integer, needed, refuse } from "./read.ts";

const databaseParts = ["DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD"] as const;
/** Where an address names no host, everybody may connect. */
const ANYWHERE = "0.0.0.0";

/** With what is set in parts, or in one, under the settings that are read. Throws StartError where it is wrong or stands twice. */
export function withParts(env: Env): Env {
  return { ...env, ...databaseOf(env), ...listeningOf(env) };
}

function databaseOf(env: Env): Env {
  const part = databaseParts.find((name) => env[name]);
  if (part === undefined) return {};
  if (env["DATABASE_URL"])
    throw new StartError(`DATABASE_URL and ${part} both say where the database is: set one of them.`);
  const required = (name: string, example: string) => needed(env, name, { by: part, example });
  const host = required("DB_HOST", "db.example.org");
  if (!/^[\w.-]+$/.test(host) && !isIPv6(bare(host)))
    refuse("DB_HOST", host, "set it to a host, such as db.example.org.");
  const user = encodeURIComponent(required("DB_USER", "parley"));
  const place = `${inAddress(host)}:${integer(env, "DB_PORT", [1, 65_535])}`;
  const database = encodeURIComponent(required("DB_NAME", "parley"));
  return { DATABASE_URL: `postgres://${user}${passwordOf(env)}@${place}/${database}` };
}

function passwordOf(env: Env): string {
  const name = "DB_PASSWORD";
  const password = env[name];
  if (!password) return "";
  if (isInFile(password) || isReference(password))
    refuse(
      name,
      password,
      "set it to the password itself, or have the whole address there and set DATABASE_URL to where it is.",
    );
  return `:${encodeURIComponent(password)}`;
}

/** An IPv6 address has brackets in an address. */
function inAddress(host: string): string {
  return isIPv6(bare(host)) ? `[${bare(host)}]` : host;
}

function bare(host: string): string {
  return host.replaceAll(/^\[|\]$/g, "");
}

function listeningOf(env: Env): Env {
  const name = "ADDR";
  const value = env[name];
  if (!value) return {};
  const [, host = "", port = ""] = /^([\w.-]*|\[[\da-f:.]+\]):(\d{1,5})$/i.exec(value) ?? [];
  if (port === "" || Number(port) > 65_535)
    refuse(name, value, "set it to a port with a colon before it, such as :8082, or to host:port.");
  const own = bare(host);
  refuseOther(env, "PARLEY_PORT", port);
  if (own !== "") refuseOther(env, "PARLEY_HOST", own);
  return { PARLEY_PORT: port, PARLEY_HOST: own || env["PARLEY_HOST"] || ANYWHERE };
}

function refuseOther(env: Env, name: string, value: string): void {
  if (env[name] && env[name] !== value)
    throw new StartError(`ADDR and ${name} both say where to listen, and differ: set one of them.`);
}
