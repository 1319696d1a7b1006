/** Filters of a list of people. RFC 7644, section 3.4.2.2: of it what directories send to find one person. */
import { refused } from "./answer.ts";

export interface Filter {
  by: "userName" | "externalId" | "id" | "email";
  value: string;
}

const ATTRIBUTES: ReadonlyMap<string, Filter["by"]> = new Map([
  ["username", "userName"],
  ["externalid", "externalId"],
  ["id", "id"],
  ["emails", "email"],
  ["emails.value", "email"],
]);
const EQUALS = /^\s*([^\s[\]]+|emails\s*\[[^\]]*\]\s*\.value)\s+eq\s+("(?:[^"\\]|\\.)*")\s*$/i;

/** Throws invalidFilter for anything but one comparison by `eq` of what names a person. */
export function readFilter(text: string): Filter {
  const [, path = "", json = ""] = EQUALS.exec(text) ?? [];
  const attribute = path
    .toLowerCase()
    .replace(/^urn:ietf:params:scim:schemas:core:2\.0:user:/, "")
    .replace(/\s*\[[^\]]*\]\s*/, "");
  const by = ATTRIBUTES.get(attribute);
  const value = textOf(json);
  if (by === undefined || value === undefined)
    throw refused(
      400,
      "invalidFilter",
      'People are found by userName, externalId, id or emails.value, with one comparison: userName eq "ana@example.org".',
    );
  return { by, value };
}

function textOf(json: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json);
    // What can not be kept is nobody's.
    return typeof value === "string" ? value.toWellFormed().replaceAll("\0", "\uFFFD") : undefined;
  } catch {
    return undefined;
  }
}
