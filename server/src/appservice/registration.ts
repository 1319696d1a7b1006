/**
 * What a registration file says of an application service. Specification: application-service-api, "Registration". What bridges
 * write beside it is taken under the names that they use: push_ephemeral (MSC2409) and the switches of MSC3202 and MSC4190.
 */
import { z } from "zod";
import { StartError } from "../errors.ts";
import { limits } from "../limits.ts";

const token = z
  .string()
  .min(limits.serviceTokenLeast_characters, `must have at least ${limits.serviceTokenLeast_characters} characters`)
  .max(512)
  .regex(/^[\x21-\x7e]+$/, "must have no blanks and only ASCII characters");

const namespace = z.looseObject({
  exclusive: z.boolean("must be true or false"),
  regex: z.string().min(1).max(limits.serviceRegex_characters),
});
const namespaces = z.array(namespace).max(limits.serviceNamespaces).nullish();

const shape = z.looseObject({
  id: z.string().min(1).max(255),
  url: z
    .union([
      z.null(),
      z.literal(""),
      z.string().regex(/^https?:\/\/[^\s@]+$/, "must be null or begin with http:// or https://, and hold no password"),
    ])
    .optional(),
  as_token: token,
  hs_token: token,
  sender_localpart: z
    .string()
    .max(200)
    .regex(/^[a-z0-9._=/+-]+$/, "may have only the letters a to z, digits and . _ = - / +"),
  namespaces: z.looseObject({ users: namespaces, aliases: namespaces, rooms: namespaces }),
  rate_limited: z.boolean().nullish(),
  protocols: z.array(z.string().min(1).max(255)).max(limits.serviceProtocols).nullish(),
  receive_ephemeral: z.boolean().nullish(),
  "de.sorunome.msc2409.push_ephemeral": z.boolean().nullish(),
  push_ephemeral: z.boolean().nullish(),
  "org.matrix.msc3202": z.boolean().nullish(),
  "io.element.msc4190": z.boolean().nullish(),
});

export interface Namespace {
  exclusive: boolean;
  regex: string;
}

/** An application service as its operator registered it. */
export interface Registration {
  id: string;
  /** Without a slash at its end; undefined where nothing is to be sent to it. */
  url: string | undefined;
  asToken: string;
  hsToken: string;
  senderLocalpart: string;
  users: readonly Namespace[];
  aliases: readonly Namespace[];
  rooms: readonly Namespace[];
  isRateLimited: boolean;
  protocols: readonly string[];
  takesEphemeral: boolean;
  /** Under which names transactions hold ephemeral data: that of the specification, that of before it, or both. */
  ephemeralNames: readonly string[];
  /** Whether it keeps keys of its users: it is then sent their to-device messages, device lists and counts of keys. */
  takesEncryption: boolean;
}

/** Reads the text of a registration file. Throws StartError with the file, the field and the fix, and no value of a token. */
export async function readRegistration(text: string, file: string): Promise<Registration> {
  const { parse } = await import("yaml");
  let parsed: unknown;
  try {
    parsed = parse(text, { maxAliasCount: 10 });
  } catch (thrown) {
    // The message of the parser quotes the line, which may hold a token.
    const { linePos } = thrown as { linePos?: [{ line: number }] };
    throw new StartError(`${file} is not YAML (line ${linePos?.[0].line ?? "unknown"}): correct it.`);
  }
  const result = shape.safeParse(parsed);
  if (!result.success) throw new StartError(faultOf(result.error, file));
  return registrationOf(result.data);
}

function faultOf(error: z.ZodError, file: string): string {
  const issue = error.issues[0] as z.core.$ZodIssue;
  const field = issue.path.join(".") || "the file";
  return `${file}: ${field} is not valid: ${issue.message}. Correct it as the documentation of the bridge says.`;
}

function registrationOf(given: z.output<typeof shape>): Registration {
  const encryption = given["org.matrix.msc3202"] === true;
  const names = [
    ...(given.receive_ephemeral === true ? ["ephemeral"] : []),
    ...((given["de.sorunome.msc2409.push_ephemeral"] ?? given.push_ephemeral) === true
      ? ["de.sorunome.msc2409.ephemeral"]
      : []),
  ];
  return {
    id: given.id,
    url: given.url ? given.url.replace(/\/+$/, "") : undefined,
    asToken: given.as_token,
    hsToken: given.hs_token,
    senderLocalpart: given.sender_localpart,
    users: given.namespaces.users ?? [],
    aliases: given.namespaces.aliases ?? [],
    rooms: given.namespaces.rooms ?? [],
    isRateLimited: given.rate_limited ?? true,
    protocols: given.protocols ?? [],
    takesEphemeral: names.length > 0,
    ephemeralNames: names,
    takesEncryption: encryption,
  };
}
