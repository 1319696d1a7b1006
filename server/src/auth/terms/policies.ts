/** The policies of this server, and how they are shown to somebody. Specification: client-server-api, "Terms of service at registration". */
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import type { Policy, Translation } from "./config.ts";

/** Versions by the id of their policy. */
export type Versions = Readonly<Record<string, string>>;

type Asked = Pick<Context, "config">;

/** Of the stage m.login.terms in `params`: definition "m.login.terms params". */
export function termsParams({ config }: Asked): { policies: Record<string, object> } {
  const shown = config.terms.map(({ id, version, translations }) => [id, { ...translations, version }] as const);
  return { policies: Object.fromEntries(shown) };
}

export function versionsOf({ config }: Asked): Versions {
  return Object.fromEntries(config.terms.map(({ id, version }) => [id, version]));
}

/** Whether these are all policies, in the versions that they have now. */
export function areCurrent({ config }: Asked, versions: Versions): boolean {
  return config.terms.every(({ id, version }) => versions[id] === version);
}

/** The languages that somebody reads, the dearest first. RFC 9110, "Accept-Language". */
export function readLanguages(header: string | undefined): string[] {
  const ranges = (header ?? "").split(",", limits.browserLanguages).map((each) => {
    const [tag = "", ...parameters] = each.split(";").map((part) => part.trim());
    const weight = parameters.find((parameter) => parameter.startsWith("q="));
    return { tag, weight: weight === undefined ? 1 : Number(weight.slice(2)) };
  });
  return ranges
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => b.weight - a.weight)
    .map(({ tag }) => tag);
}

export interface Shown extends Translation {
  language: string;
}

/** The policy in the first of the languages that it is there in, else in English, else in any. `pt` finds `pt-BR` and the other way round. */
export function inLanguage({ translations }: Policy, languages: readonly string[]): Shown {
  const there = Object.keys(translations);
  const best = [...languages, "en"].flatMap((wanted) => closest(there, wanted) ?? [])[0] ?? there[0] ?? "";
  return { ...(translations[best] as Translation), language: best };
}

function closest(there: readonly string[], wanted: string): string | undefined {
  const plain = (tag: string) => tag.toLowerCase().replaceAll("_", "-");
  const base = (tag: string) => plain(tag).split("-")[0];
  return (
    there.find((each) => plain(each) === plain(wanted)) ??
    there.find((each) => plain(each) === base(wanted)) ??
    there.find((each) => base(each) === base(wanted))
  );
}
