/** Cursors of lists: what the next page begins behind, as one opaque text. Each is the sort key of the last row that was shown. */
import type { z } from "zod";
import { matrixError } from "../errors.ts";

export function cursorOf(key: readonly (string | number | null)[]): string {
  return Buffer.from(JSON.stringify(key)).toString("base64url");
}

/** What `cursorOf` was given. Throws M_INVALID_PARAM for anything else. */
export function readCursor<T extends z.ZodType>(text: string, key: T): z.output<T> {
  const parsed = key.safeParse(parse(text));
  if (!parsed.success) throw matrixError("M_INVALID_PARAM", `"from" is no cursor of this list.`);
  return parsed.data;
}

/** A text that PostgreSQL can not hold is in no cursor of ours. */
function parse(text: string): unknown {
  try {
    const json = Buffer.from(text, "base64url").toString();
    return json.includes("\\u0000") ? undefined : JSON.parse(json);
  } catch {
    return undefined;
  }
}
