/** What is wrong with a provider, in words for whoever has to set it right; they go on from "it". */
import { asError, MatrixError } from "../../errors.ts";
import { limits } from "../../limits.ts";

/** Why what was asked of a provider did not come. What the other end said is quoted only where it names an address, an issuer or a code. */
export function faultOf(thrown: unknown): string {
  const chain = causesOf(thrown);
  const refused = chain.find((each) => each instanceof MatrixError);
  if (refused) return refused.message;
  const { code, cause } = asError(thrown) as Error & { code?: unknown };
  switch (code) {
    case "OAUTH_RESPONSE_IS_NOT_CONFORM":
      return cause instanceof Response ? statusFault(cause) : "what it answers is not right";
    case "OAUTH_RESPONSE_IS_NOT_JSON":
    case "OAUTH_PARSE_ERROR":
      return "what it answers is no JSON, as where there is a page and no provider";
    case "OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED":
      return issuerFault(chain);
    case "OAUTH_WWW_AUTHENTICATE_CHALLENGE":
      return "it refuses the id and the secret";
    case "OAUTH_INVALID_RESPONSE":
      return "what it answers does not name an issuer";
    case "OAUTH_HTTP_REQUEST_FORBIDDEN":
      return "it names an address with http://, over which nothing is sent";
  }
  // The innermost one says what happened: a name without an address, a certificate, a time that was over.
  return chain.at(-1)?.message ?? "it is not known why";
}

function causesOf(thrown: unknown): Error[] {
  const chain: Error[] = [];
  for (let at = thrown; at instanceof Error && chain.length < 8; at = at.cause) chain.push(at);
  return chain;
}

function statusFault({ status, headers }: Response): string {
  const to = headers.get("location");
  if (status >= 300 && status < 400 && to !== null)
    return `it sends on to ${quoted(to)}, and nobody is followed: set the issuer to the address that the provider itself names`;
  return `it answers with the status ${status}`;
}

/** Character for character: a slash at the end makes another one at many providers. */
function issuerFault(chain: readonly Error[]): string {
  const { body } = (chain.at(-1)?.cause ?? {}) as { body?: { issuer?: unknown } };
  return typeof body?.issuer === "string"
    ? `it calls itself ${quoted(body.issuer)}: set the issuer to exactly that`
    : "it calls itself by another name";
}

/** A text of the other end, on one line and not long. */
export function quoted(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, "").slice(0, limits.ssoQuoted_characters);
}
