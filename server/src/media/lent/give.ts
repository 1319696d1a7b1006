/** Lends a file to a process that does not reach the uploads, and that shows a ticket for it: see ask.ts. */
import { accessTokenOf } from "../../access-token.ts";
import { matrixError } from "../../errors.ts";
import { Answer, route } from "../../http.ts";
import { blobsOf } from "../store.ts";
import { useLentTicket } from "./tickets.ts";

export const LENT_PATH = "/_parley/internal/v1/upload";
/** Of a file that is not there any more: what is not at this path at all answers otherwise. */
export const GONE = 410;

/**
 * Which file it is, the ticket says and nothing else. Throws M_UNKNOWN_TOKEN where it is not good (any more), and M_NOT_FOUND (410) where
 * the person has no such file, or the store has not.
 */
export const giveLent = route({
  method: "GET",
  path: LENT_PATH,
  access: "anyone",
  async handle({ headers }, ctx) {
    const ticket = accessTokenOf({ headers, query: {} }, false);
    if (!ticket) throw matrixError("M_MISSING_TOKEN", "The request has no ticket.");
    const lent = await useLentTicket(ctx, ticket);
    if (!lent) throw matrixError("M_UNKNOWN_TOKEN", "This ticket is not known, was used, or is too old.");
    const stream = lent.sha256 === null ? undefined : await blobsOf(ctx).get(lent.sha256);
    if (!stream) throw matrixError("M_NOT_FOUND", "The file is not there any more.", { status: GONE });
    return new Answer({
      headers: {
        "content-type": "application/octet-stream",
        "content-length": String(lent.size_bytes),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
      },
      payload: stream,
    });
  },
});
