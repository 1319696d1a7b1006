/**
 * `POST /_parley/client/v1/decryptions`: clients say how many of the encrypted messages that reached them they could read, and why
 * not the others. Numbers alone: no room, no event, no sender. See docs/operations/observability.md.
 */
import { z } from "zod";
import { whoRefuses } from "../account/privacy.ts";
import { route } from "../http.ts";
import { limits } from "../limits.ts";

const count = z.number().int().min(0).max(limits.decryptionReport_events);
const outcomes = ["decrypted", "late", "no_key", "withheld", "other"] as const;

export const reportDecryptions = route({
  method: "POST",
  path: "/_parley/client/v1/decryptions",
  access: "session",
  rate: "telemetry",
  body: z.strictObject(Object.fromEntries(outcomes.map((outcome) => [outcome, count.optional()]))),
  async handle({ body, session }, ctx) {
    // An app that does not know the setting goes on reporting: it is not counted.
    if ((await whoRefuses(ctx, "decryption_reports", [session.userId])).size > 0) return {};
    for (const outcome of outcomes) ctx.metrics.decryptions.inc({ outcome }, body[outcome] ?? 0);
    return {};
  },
});
