/** Reading settings: each is checked, and a wrong one is refused with its name, its value (never a secret) and the fix. */
import { StartError } from "../errors.ts";
import { type Address, isInFile, isReference } from "../secrets/address.ts";
import { settings } from "./table.ts";

export type Env = Record<string, string | undefined>;

export function refuseUnknown(env: Env): void {
  const known = settings.map((setting) => setting.name);
  const unknown = Object.keys(env).find((name) => name.startsWith("PARLEY_") && !known.includes(name));
  if (unknown === undefined) return;
  throw new StartError(
    `There is no setting ${unknown}. The settings are ${known.slice(0, -1).join(", ")} and ${known.at(-1)}.`,
  );
}

/** An empty variable is as good as none. */
export function given(env: Env): Env {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value));
}

export function text(env: Env, name: string): string {
  return env[name] || (settings.find((setting) => setting.name === name)?.default ?? "");
}

export function refuse(name: string, value: string, fix: string): never {
  const secret = settings.find((setting) => setting.name === name)?.secret ?? false;
  throw new StartError(`${name} is ${secret ? "not valid" : `"${value}"`}: ${fix}`);
}

export function integer(env: Env, name: string, [least, most]: readonly [least: number, most: number]): number {
  const value = text(env, name);
  const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= least && number <= most)) refuse(name, value, `set it to a whole number from ${least} to ${most}.`);
  return number;
}

export function oneOf<const T extends string>(env: Env, name: string, allowed: readonly T[]): T {
  const value = text(env, name);
  const found = allowed.find((each) => each === value);
  return found ?? refuse(name, value, `set it to ${allowed.slice(0, -1).join(", ")} or ${allowed.at(-1)}.`);
}

export function url(env: Env, name: string, protocols: readonly string[]): string | undefined {
  const value = env[name];
  if (!value) return undefined;
  const protocol = URL.canParse(value) ? new URL(value).protocol : value.split("/")[0];
  const wanted = protocols.map((each) => `${each}//`).join(" or ");
  // A socket's address (postgres://user@/db?host=/run) has no host and is right all the same.
  if (!protocol || !protocols.includes(protocol))
    refuse(name, value, `set it to an address that starts with ${wanted}.`);
  return value;
}

/** With what is set under an alias under its name too. Throws StartError where two names of one setting differ. */
export function withAliases(env: Env): Env {
  const found: Env = {};
  for (const { name, aliases = [] } of settings) {
    const [first, ...others] = [name, ...aliases].filter((each) => env[each]);
    if (first === undefined) continue;
    const other = others.find((each) => env[each] !== env[first]);
    if (other !== undefined)
      throw new StartError(`${first} and ${other} are one setting and differ: set one of them, or both to the same.`);
    found[name] = env[first];
  }
  return { ...env, ...found };
}

/** A refusal, of the setting under the name that it was given by. */
export function underItsName(thrown: unknown, env: Env): unknown {
  if (!(thrown instanceof StartError)) return thrown;
  const refused = settings.find(({ name }) => thrown.message.startsWith(`${name} is `) && !env[name]);
  const alias = refused?.aliases?.find((each) => env[each]);
  return refused && alias ? new StartError(`${alias}${thrown.message.slice(refused.name.length)}`) : thrown;
}

/** What must be set for something else that is. */
export function needed(env: Env, name: string, { by, example }: { by: string; example: string }): string {
  const value = text(env, name);
  if (value === "") throw new StartError(`${by} needs ${name}, which is not set: set it, such as to ${example}.`);
  return value;
}

/** A value that nobody may see, as text, `file://` or `secret://`. */
export function secret(env: Env, name: string): Address | undefined {
  const value = env[name];
  if (!value) return undefined;
  if (isReference(value) && (env["SECRETS_PROVIDER"] || "none") === "none")
    refuse(
      name,
      value,
      "set it to a value or to file:// and a path, or set SECRETS_PROVIDER, which knows secret:// names.",
    );
  return value;
}

/** An address that may have a password in it: as text, `file://` or `secret://`. */
export function secretUrl(env: Env, name: string, protocols: readonly string[]): Address | undefined {
  const value = secret(env, name);
  if (value === undefined || isInFile(value) || isReference(value)) return value;
  return url(env, name, [...protocols, "file:"]);
}
