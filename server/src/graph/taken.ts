/**
 * Exports and legal access in the graph: what has left the server, and who may take more. The log does not tell of them; they are looked
 * for where they are kept. What was taken stays known here when it is no longer kept there.
 */
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import {
  type Behind,
  exportsForGraph,
  fetchesForGraph,
  keptExports,
  legalAccessForGraph,
} from "../person/for-the-graph.ts";
import { put } from "./rows.ts";
import type { Transaction } from "../db/database.ts";

/** Takes in what is new since then; with 0 all of it, and what was removed before its time. */
export async function putTaken(ctx: Context, since_ms: number): Promise<void> {
  await eachPage(exportsForGraph, { ctx, since_ms, numberOf: ({ exportId }) => exportId }, async (db, rows) => {
    await know(
      db,
      rows.map(({ userId }) => userId),
    );
    await put(db, "exports", rows);
  });
  await eachPage(fetchesForGraph, { ctx, since_ms, numberOf: ({ fetchId }) => fetchId }, async (db, rows) => {
    await know(
      db,
      rows.map(({ userId }) => userId),
    );
    await put(db, "fetches", rows);
  });
  await eachPage(legalAccessForGraph, { ctx, since_ms, numberOf: ({ accessId }) => accessId }, async (db, rows) => {
    await know(
      db,
      rows.flatMap(({ userId, holder }) => [userId, holder]),
    );
    await put(db, "legal_access", rows);
  });
  if (since_ms === 0) await endRemoved(ctx);
}

/** An edge is there when both its ends are. Who acts from a shell has no account, and is a node all the same. */
async function know(db: Transaction, userIds: readonly (string | null)[]): Promise<void> {
  const people = [...new Set(userIds.filter((userId) => userId !== null))];
  await db.query(
    `insert into graph.people (user_id, kind) select id, case when id like 'shell:%' then 'shell' else 'person' end
     from unnest($1::text[]) as given(id) on conflict do nothing`,
    [people],
  );
}

interface Paging<T> {
  ctx: Context;
  since_ms: number;
  numberOf: (row: T) => number;
}

async function eachPage<T>(
  read: (ctx: Context, behind: Behind) => Promise<T[]>,
  { ctx, since_ms, numberOf }: Paging<T>,
  save: (db: Transaction, rows: T[]) => Promise<void>,
): Promise<void> {
  for (let after = 0; ;) {
    const rows = await read(ctx, { after, limit: limits.graphAccounts, since_ms });
    if (rows.length > 0) await ctx.db.graph.transaction((db) => save(db, rows));
    if (rows.length < limits.graphAccounts) return;
    after = numberOf(rows.at(-1) as T);
  }
}

/** An export that had to make room for newer ones, or went with its person, can not be fetched any more. */
async function endRemoved(ctx: Context): Promise<void> {
  const kept = await keptExports(ctx);
  const now_ms = ctx.seams.now_ms();
  await ctx.db.graph.query(
    "update graph.exports set until_ms = $2 where until_ms > $2 and not export_id = any ($1::bigint[])",
    [kept, now_ms],
  );
}
