/** Bodies of requests that are not JSON for a handler of ours: forms of the pages, and what OAuth sends. */
import { matrixError } from "../../errors.ts";
import { limits } from "../../limits.ts";

/** The whole body as text. Throws M_TOO_LARGE. `body` is what a route with the body `stream` is given. */
export async function readBody(body: unknown, most_bytes: number): Promise<string> {
  const pieces: Buffer[] = [];
  let size_bytes = 0;
  for await (const piece of body as AsyncIterable<Buffer>) {
    size_bytes += piece.length;
    if (size_bytes > most_bytes) throw matrixError("M_TOO_LARGE", "The body is larger than what belongs into it.");
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

export type Form = (name: string) => string;

/** A field of a form; empty where it is not there. No field can hold what the database can not. */
export async function readForm(body: unknown): Promise<Form> {
  const fields = new URLSearchParams(await readBody(body, limits.oauthForm_bytes));
  return (name) => (fields.get(name) ?? "").replaceAll("\0", "");
}
