/**
 * `POST /_parley/client/v1/decryptions`: clients say how many of the encrypted messages that reached them they could read, and why
 * not the others. Numbers alone: no room, no event, no sender. See docs/operations/observability.md.
 */
import { z } from "zod";
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
  handle({ body }, { metrics }) {
    for (const outcome of outcomes) metrics.decryptions.inc({ outcome }, body[outcome] ?? 0);
    return {};
  },
});
