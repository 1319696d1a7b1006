/**
 * The policies that whoever makes an account has to accept, as the settings say them: in JSON, in the form that clients are told of them.
 * Specification: client-server-api, "Terms of service at registration", `policies`.
 */
import { z } from "zod";
import { asError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { isInFile, valueOf } from "../../secrets/address.ts";
import { type Env, refuse, text } from "../../settings/read.ts";

const TERMS = "PARLEY_TERMS";
const EXAMPLE = `{"terms_of_service":{"version":"1.2","en":{"name":"Terms of Service","url":"https://example.org/terms-1.2.html"}}}`;

/** Specification: appendices, "Opaque Identifiers". */
const opaque = z.string().regex(/^[0-9A-Za-z._~-]{1,255}$/, "has up to 255 of the characters a-z A-Z 0-9 . _ ~ -");

const translation = z.strictObject({
  name: z.string().min(1).max(limits.policyName_characters),
  url: z.string().max(limits.policyUrl_characters).refine(isWebAddress, "is an https:// address"),
});
export type Translation = z.output<typeof translation>;

const policies = z.record(opaque, z.object({ version: opaque }).catchall(translation));

export interface Policy {
  id: string;
  version: string;
  /** By language; there is at least one. */
  translations: Readonly<Record<string, Translation>>;
}

function isWebAddress(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && ["https:", "http:"].includes(url.protocol) && url.username === "";
}

/** Throws StartError where the setting is wrong. */
export function readTerms(env: Env): readonly Policy[] {
  const written = text(env, TERMS);
  if (written === "") return [];
  const given = policies.safeParse(parsed(written));
  if (!given.success) {
    const { path, message } = given.error.issues[0] ?? { path: [], message: "" };
    return wrong(written, `${path.length === 0 ? "it" : path.join(", ")} is not right (${message})`);
  }
  const list = Object.entries(given.data).map(([id, { version, ...translations }]) => ({ id, version, translations }));
  if (list.length > limits.policies) wrong(written, `it has more than ${limits.policies} policies`);
  for (const policy of list) checkLanguages(written, policy);
  return list;
}

/** RFC 5646; some write an underscore for the dash. */
const LANGUAGE = /^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$/;

function checkLanguages(written: string, { id, translations }: Policy): void {
  const languages = Object.keys(translations);
  if (languages.length === 0) wrong(written, `${id} has no language`);
  if (languages.length > limits.policyLanguages)
    wrong(written, `${id} has more than ${limits.policyLanguages} languages`);
  const odd = languages.find((language) => !LANGUAGE.test(language));
  if (odd !== undefined) wrong(written, `${id} has "${odd}", which is no language such as en or pt-BR`);
}

function parsed(written: string): unknown {
  try {
    return JSON.parse(isInFile(written) ? valueOf(written) : written) as unknown;
  } catch (thrown) {
    return wrong(written, asError(thrown).message.replace(/\.$/, ""));
  }
}

function wrong(written: string, why: string): never {
  return refuse(TERMS, written, `${why}: set it to policies such as ${EXAMPLE}, or to file:// and a file with them.`);
}
