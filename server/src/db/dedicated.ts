/** A database connection that is held: for LISTEN and for locks, which end with the connection that has them. */
import type { Row } from "./database.ts";
import { ask } from "./ask.ts";
import { connectOwner, prepared } from "./database.ts";
import { roleOf, type Schema } from "./roles.ts";

export interface Dedicated {
  query<R extends object = Row>(sql: string, params?: readonly unknown[]): Promise<R[]>;
  /** Ends it at once, with what it holds. */
  close(): Promise<void>;
}

export interface DedicatedOptions {
  url: string;
  /** What the database lists it as. */
  name: string;
  /** Whose rights it has. */
  role: Schema;
  settings?: Readonly<Record<string, string>>;
  onNotification?(payload: string): void;
  /** The connection is gone. Not called after `close()`. */
  onLost(reason: Error): void;
}

/** Where this end vanishes without a word, the database notices within about ten seconds, and lets go of the locks. */
const KEEPALIVE = { tcp_keepalives_idle: "4", tcp_keepalives_interval: "2", tcp_keepalives_count: "3" };

/** Connects to the server that takes changes. Throws StartError where there is none. */
export async function openDedicated(options: DedicatedOptions): Promise<Dedicated> {
  const client = await connectOwner(options.url);
  let over = false;
  /** Not `end()`, which waits for an answer that may never come. */
  const cut = () => {
    over = true;
    client.connection.stream.destroy();
  };
  const lose = (reason: Error) => {
    if (over) return;
    cut();
    options.onLost(reason);
  };
  client.on("notification", ({ payload }) => options.onNotification?.(payload ?? ""));
  client.on("error", lose);
  client.on("end", () => lose(new Error("the connection ended")));
  // Texts are constants of the code: what has parameters is parsed and planned once.
  const query = async <R extends object>(sql: string, params: readonly unknown[] = []) =>
    (await ask<R>(client, params.length === 0 ? { text: sql } : prepared(sql, params))).rows;
  try {
    const settings = { ...KEEPALIVE, application_name: options.name, ...options.settings, role: roleOf(options.role) };
    const setAll = "select set_config(name, value, false) from json_each_text($1) as setting(name, value)";
    await query(setAll, [JSON.stringify(settings)]);
  } catch (thrown) {
    cut();
    throw thrown;
  }
  return { query, close: async () => cut() };
}
