/** Messages of a queue in PostgreSQL that could not be done, as operators see them: never what is in them. */
import type { Context } from "../context.ts";

export interface DeadLetter {
  letter_id: number;
  queue: string;
  attempts: number;
  /** The error of the last attempt. */
  reason: string;
  died_ts: number;
  size_bytes: number;
}

const LETTER = `id as letter_id, name as queue, attempts, reason, octet_length(body) as size_bytes,
  floor(extract(epoch from died_at) * 1000)::bigint as died_ts`;

/** The newest first. */
export function listDead(ctx: Context, { limit, before }: { limit: number; before: number | undefined }) {
  return ctx.db.queue.query<DeadLetter>(
    `select ${LETTER} from queue.dead where $1::bigint is null or id < $1 order by id desc limit $2`,
    [before ?? null, limit],
  );
}

/** Dead messages wherever they are; those of a broker that is away are not known. */
export async function countDead(ctx: Context): Promise<number> {
  if (ctx.config.queue === "rabbitmq") {
    const depths = (await ctx.queue?.depths().catch(() => [])) ?? [];
    return depths.reduce((sum, { dead }) => sum + dead, 0);
  }
  return (await ctx.db.queue.one<{ dead: number }>("select count(*) as dead from queue.dead"))?.dead ?? 0;
}

/** Puts the message back as if it were new; undefined where there is none. What is done twice is the same: see queue.ts. */
export function retryDead(ctx: Context, id: number): Promise<DeadLetter | undefined> {
  return ctx.db.queue.one<DeadLetter>(
    `with gone as (delete from queue.dead where id = $1 returning *),
       back as (insert into queue.messages (name, body, format) select name, body, format from gone)
     select ${LETTER} from gone`,
    [id],
  );
}

/** Removes the message for good; undefined where there is none. */
export function discardDead(ctx: Context, id: number): Promise<DeadLetter | undefined> {
  return ctx.db.queue.one<DeadLetter>(
    `with gone as (delete from queue.dead where id = $1 returning *) select ${LETTER} from gone`,
    [id],
  );
}
