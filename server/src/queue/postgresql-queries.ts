/** The queue's tables in PostgreSQL: one statement for each step of a message's life. */
import type { Db } from "../db/database.ts";
import type { Depth, QueueName } from "./queue.ts";

export interface Taken {
  id: number;
  body: string;
  attempts: number;
  format: number;
}

export interface NewMessage {
  name: QueueName;
  body: string;
  format: number;
}

export async function insertMessages(db: Db, messages: readonly NewMessage[]): Promise<void> {
  await db.change(
    "insert into queue.messages (name, body, format) select * from unnest($1::text[], $2::text[], $3::integer[])",
    [messages.map(({ name }) => name), messages.map(({ body }) => body), messages.map(({ format }) => format)],
  );
}

/**
 * Takes the oldest messages that nobody has, for `visibility_ms`. Two who take at the same time never get the same one: what the
 * other is about to take is locked, and skipped. What is of a later format than `format` stays for others.
 */
export async function takeMessages(
  db: Pick<Db, "query">,
  name: QueueName,
  { limit, visibility_ms, format }: { limit: number; visibility_ms: number; format: number },
): Promise<Taken[]> {
  const taken = await db.query<Taken>(
    `with next as (
       select id from queue.messages where name = $1 and visible_at <= now() and format <= $4
       order by visible_at, id limit $2 for update skip locked
     )
     update queue.messages m set attempts = m.attempts + 1, visible_at = now() + $3 * interval '1 millisecond'
     from next where m.id = next.id returning m.id, m.body, m.attempts, m.format`,
    [name, limit, visibility_ms, format],
  );
  // An update gives its rows in no order.
  return taken.toSorted((a, b) => a.id - b.id);
}

export async function deleteMessages(db: Db, ids: readonly number[]): Promise<void> {
  await db.change("delete from queue.messages where id = any($1)", [ids]);
}

/** Keeps messages taken for another `visibility_ms`. */
export async function holdMessages(db: Db, ids: readonly number[], visibility_ms: number): Promise<void> {
  await db.change("update queue.messages set visible_at = now() + $2 * interval '1 millisecond' where id = any($1)", [
    ids,
    visibility_ms,
  ]);
}

/** Lets the message come again after `delay_ms`, unless another consumer has it meanwhile. */
export async function putBack(db: Db, { id, attempts }: Taken, delay_ms: number): Promise<void> {
  await db.change(
    "update queue.messages set visible_at = now() + $3 * interval '1 millisecond' where id = $1 and attempts = $2",
    [id, attempts, delay_ms],
  );
}

/** Moves the message to the dead ones, unless another consumer has it meanwhile. */
export async function bury(db: Db, { id, attempts }: Taken, reason: string): Promise<void> {
  await db.change(
    `with gone as (delete from queue.messages where id = $1 and attempts = $2 returning id, name, body, attempts, format)
     insert into queue.dead (id, name, body, attempts, format, reason) select id, name, body, attempts, format, $3 from gone`,
    [id, attempts, reason],
  );
}

export function countMessages(db: Db, names: readonly QueueName[]): Promise<Depth[]> {
  return db.query<Depth>(
    `select n.name,
       (select count(*) from queue.messages m where m.name = n.name) as waiting,
       (select count(*) from queue.dead d where d.name = n.name) as dead
     from unnest($1::text[]) n(name)`,
    [names],
  );
}

/** Puts the oldest dead messages back as if they were new. */
export function retryDeadOf(db: Db, name: QueueName, limit: number): Promise<number> {
  return countOf(
    db,
    `with gone as (
       delete from queue.dead where id in (select id from queue.dead where name = $1 order by id limit $2) returning id, name, body, format
     ),
     back as (insert into queue.messages (name, body, format) select name, body, format from gone order by id)
     select count(*) as count from gone`,
    [name, limit],
  );
}

export function discardDeadOf(db: Db, name: QueueName): Promise<number> {
  return countOf(
    db,
    "with gone as (delete from queue.dead where name = $1 returning id) select count(*) as count from gone",
    [name],
  );
}

async function countOf(db: Db, sql: string, params: unknown[]): Promise<number> {
  return (await db.one<{ count: number }>(sql, params))?.count ?? 0;
}
