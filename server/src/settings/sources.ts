/** What each setting is and where that comes from, for operators. No secret is in it. */
import { isInFile, isReference } from "../secrets/address.ts";
import type { Env } from "./read.ts";
import { settings } from "./table.ts";

export interface SettingSource {
  name: string;
  /** As it was written; null where nothing was, or where nobody may see it. */
  value: string | null;
  isSecret: boolean;
  /** Where it comes from: the variable of its name, that of an alias, or nowhere. */
  from: "environment" | "alias" | "default";
  doc: string;
}

/** Of every setting, in the order of the table. Where a secret stands is told; what it is is not. */
export function settingSources(env: Env): SettingSource[] {
  return settings.map(({ name, aliases = [], default: byDefault, secret = false, doc }) => {
    const own = env[name] || undefined;
    const given = own ?? aliases.map((alias) => env[alias] || undefined).find((each) => each !== undefined);
    const from = own !== undefined ? "environment" : given !== undefined ? "alias" : "default";
    const value = given === undefined ? (byDefault ?? null) : secret ? placeOf(given) : withoutPassword(given);
    return { name, value, isSecret: secret, from, doc };
  });
}

function placeOf(value: string): string | null {
  return !value.includes(",") && (isInFile(value) || isReference(value)) ? value : null;
}

/** An address may have somebody's name and password in it, also in a setting that is not meant for that. */
function withoutPassword(value: string): string {
  return value.replace(/\/\/[^/@\s,]*@/g, "//…@");
}
