/** Which back end answers, and how old what it says is. */
import type { Context } from "../context.ts";
import { sqlState } from "../db/database.ts";
import { asError } from "../errors.ts";
import { readHead } from "../log/queries.ts";
import { type Answer, bounded, type Found } from "./answer.ts";
import type { Graph } from "./port.ts";
import { readProgress } from "./project.ts";
import { tablesGraph } from "./tables.ts";

/** Asks Apache AGE where the projection keeps a graph there, the tables everywhere else. */
export async function openGraph(ctx: Context, mirrored: boolean): Promise<Graph> {
  if (!mirrored) return tablesGraph(ctx.db.graph);
  const { ageGraph } = await import("./age/graph.ts");
  return ageGraph(ctx.db.graph);
}

/** How far the projection is, and how old: 0 where nothing of the log is missing. */
export async function ageOf(
  ctx: Context,
): Promise<{ as_of_ts: number | null; behind_ms: number | null; mirrored: boolean }> {
  const [progress, head] = await Promise.all([readProgress(ctx), readHead(ctx.db.log)]);
  const { asOf_ms, position, mirrored } = progress;
  const now_ms = ctx.seams.now_ms();
  if (asOf_ms === null) return { as_of_ts: null, behind_ms: null, mirrored };
  const isCurrent = position >= head.position && progress.epoch === head.epoch;
  return isCurrent
    ? { as_of_ts: now_ms, behind_ms: 0, mirrored }
    : { as_of_ts: asOf_ms, behind_ms: Math.max(0, now_ms - asOf_ms), mirrored };
}

/** Answers one question, with how old the answer is. */
export async function answer(ctx: Context, question: (graph: Graph) => Promise<Found>): Promise<Answer> {
  const { mirrored, ...age } = await ageOf(ctx);
  const graph = await openGraph(ctx, mirrored);
  const { found, kind } = await ask(ctx, graph, question);
  return { ...bounded(found), ...age, back_end: kind };
}

/** Somebody may drop the graph of Apache AGE, or take a right away, while nothing is written that would tell: the tables answer then too. */
async function ask(ctx: Context, graph: Graph, question: (graph: Graph) => Promise<Found>) {
  try {
    return { found: await question(graph), kind: graph.kind };
  } catch (thrown) {
    if (graph.kind === "tables" || !GONE.has(sqlState(thrown) ?? "")) throw thrown;
    ctx.logger.warn({ reason: asError(thrown).message }, "the graph of Apache AGE can not be asked; the tables answer");
    // The worker brings it anew when it can.
    await ctx.db.graph.query("update graph.progress set mirrored = false where mirrored");
    const tables = tablesGraph(ctx.db.graph);
    return { found: await question(tables), kind: tables.kind };
  }
}

/** No such schema, table, column, function or type, and no right to it. */
const GONE: ReadonlySet<string> = new Set(["3F000", "42P01", "42703", "42883", "42704", "42501"]);
