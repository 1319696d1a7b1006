/** The search index, as operators see it. */
import { z } from "zod";
import { operation } from "../console/operation.ts";
import { limits } from "../limits.ts";
import { readHead } from "../log/queries.ts";
import { readProgress, startOver } from "./project.ts";

const status = operation({
  id: "search.status",
  method: "GET",
  path: "/search/status",
  summary: "How far the search index is",
  role: "auditor",
  answer: z.object({
    position: z.int(),
    behind: z.int().meta({ description: "Entries of the log that are not in it yet." }),
    as_of_ts: z.int().nullable().meta({ description: "When it last had everything; null while it is built." }),
    is_kept: z.boolean().meta({ description: "Whether a worker keeps it at this moment." }),
    is_stale: z.boolean().meta({ description: "Whether searches no longer wait for it to be complete." }),
    events: z.int().meta({ description: "Events that can be found; an estimate." }),
  }),
  command: { name: "search status" },
  async handle(_request, ctx) {
    const [progress, head] = await Promise.all([readProgress(ctx), readHead(ctx.db.log)]);
    const sql = "select greatest(reltuples, 0)::bigint as events from pg_class where oid = 'search.events'::regclass";
    const row = await ctx.db.search.one<{ events: number }>(sql);
    const behind = Math.max(0, head.position - progress.position);
    return {
      position: progress.position,
      behind,
      as_of_ts: progress.asOf_ms,
      is_kept: progress.isHeld,
      is_stale: !progress.isHeld || behind > limits.searchBehind_entries,
      events: row?.events ?? 0,
    };
  },
});

const rebuild = operation({
  id: "search.rebuild",
  method: "POST",
  path: "/search/rebuild",
  summary: "Empties the search index and has it built anew from the log",
  description:
    "Answers at once; `search.status` tells when it is done. Until then only what is there already is found.",
  role: "operator",
  answer: z.object({ rebuilding: z.literal(true) }),
  command: { name: "search rebuild" },
  async handle(_request, ctx) {
    await startOver(ctx);
    return { rebuilding: true as const };
  },
});

export const searchOperations = [status, rebuild];
