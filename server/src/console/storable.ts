/** What PostgreSQL keeps in no text: U+0000, and half of a character. It is refused with a sentence before anybody tries to store it. */
import { matrixError } from "../errors.ts";

/** Throws M_BAD_JSON for a body, M_INVALID_PARAM for what is in the address. However deep the value is, it takes no stack. */
export function refuseUnstorable(value: unknown, where: "body" | "query"): void {
  const left: { value: unknown; name: string }[] = [{ value, name: `the ${where}` }];
  for (let next = left.pop(); next; next = left.pop()) {
    const { value: each, name } = next;
    if (typeof each === "string" && !isStorable(each)) throw refused(name, where);
    if (typeof each !== "object" || each === null) continue;
    for (const [key, member] of Object.entries(each)) {
      if (!isStorable(key)) throw refused(`a name in ${name}`, where);
      left.push({ value: member, name: Array.isArray(each) ? name : `"${key}"` });
    }
  }
}

function isStorable(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}

function refused(name: string, where: "body" | "query") {
  return matrixError(
    where === "body" ? "M_BAD_JSON" : "M_INVALID_PARAM",
    `${name} has a character that can not be kept (U+0000, or half of a character). Leave it out.`,
  );
}
