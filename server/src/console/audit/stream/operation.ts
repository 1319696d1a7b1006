/** How far the audit log was streamed to the system that collects it. */
import { z } from "zod";
import type { Context } from "../../../context.ts";
import { operation } from "../../operation.ts";
import { time } from "../../users/shapes.ts";
import { targetOf } from "./config.ts";
import { readStreamState } from "./place.ts";

export const showAuditStream = operation({
  id: "audit.stream",
  method: "GET",
  path: "/audit/stream",
  summary: "Tells where the audit log is streamed to, up to which entry it was taken there, and what is wrong",
  role: "auditor",
  answer: z.object({
    target: z.string().nullable().meta({ description: "Protocol and host; null where it is streamed nowhere." }),
    position: z.int().meta({ description: "Up to this entry everything was taken." }),
    end: z.int().meta({ description: "The newest entry." }),
    sent_ts: time.nullable(),
    failures: z.int().meta({ description: "Tries that failed since the last that did not." }),
    failing_since_ts: time.nullable(),
    error: z.string().nullable(),
  }),
  command: { name: "audit stream" },
  handle: async (_request, ctx) => ({ target: nameOf(ctx), ...(await readStreamState(ctx)) }),
});

/** Nothing of the address that may be a secret. Where its file went wrong meanwhile, that it is set is all that is known. */
function nameOf({ config: { auditStream } }: Context): string | null {
  if (!auditStream) return null;
  try {
    const { protocol, host } = targetOf(auditStream);
    return `${protocol}//${host}`;
  } catch {
    return "set, and not valid";
  }
}
