/** Which accounts are bots, and who answers for each. */
import type { Context } from "../context.ts";

export interface BotRow {
  user_id: string;
  owner: string;
  purpose: string | null;
  created_by: string;
  created_ts: number;
}

const BOT = `user_id, owner, purpose, created_by, floor(extract(epoch from created_at) * 1000)::bigint as created_ts`;

export interface BotsAsked {
  limit: number;
  after: string | undefined;
  /** A part of the user id or the purpose. */
  q: string | undefined;
  owner: string | undefined;
}

/** By their user ids. */
export function listBots(ctx: Context, { limit, after, q, owner }: BotsAsked): Promise<BotRow[]> {
  return ctx.db.console.query<BotRow>(
    `select ${BOT} from console.bots
     where ($1::text is null or user_id > $1) and ($2::text is null or owner = $2)
       and ($3::text is null or strpos(lower(user_id), $3) > 0 or strpos(lower(purpose), $3) > 0)
     order by user_id limit $4`,
    [after ?? null, owner ?? null, q?.toLowerCase() || null, limit],
  );
}

export function readBot(ctx: Context, userId: string): Promise<BotRow | undefined> {
  return ctx.db.console.one<BotRow>(`select ${BOT} from console.bots where user_id = $1`, [userId]);
}

/** Those of these people that are bots, with their owners. */
export async function ownersOfBots(ctx: Context, userIds: readonly string[]): Promise<Map<string, string>> {
  const rows = await ctx.db.console.query<{ user_id: string; owner: string }>(
    "select user_id, owner from console.bots where user_id = any ($1)",
    [userIds],
  );
  return new Map(rows.map(({ user_id, owner }) => [user_id, owner]));
}
