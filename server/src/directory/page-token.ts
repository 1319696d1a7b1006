/** Tokens that say where a page begins, for lists whose order is not that of the log. All that is needed stands in them. */
import type { z } from "zod";
import { matrixError } from "../errors.ts";

/** The token that stands for a value. */
export function writePageToken(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** The value of a token that a client sent back. Throws M_INVALID_PARAM for anything that this server never gave out. */
export function readPageToken<T extends z.ZodType>(shape: T, token: string, parameter: string): z.output<T> {
  const read = shape.safeParse(parse(token));
  if (read.success) return read.data;
  throw matrixError("M_INVALID_PARAM", `"${parameter}" is not a token of this server. Leave it out to start over.`);
}

function parse(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token, "base64url").toString());
  } catch {
    return undefined;
  }
}
