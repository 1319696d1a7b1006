/** One statement on one connection of the driver. */
import type pg from "pg";

/**
 * Asks through the driver's callback, and makes the promise here. The callback that the driver makes where it is asked for a
 * promise holds the statement that holds it; V8 then found every statement's values reachable from what was dead and old, until
 * the next marking of the old space: all texts of all appends became old (docs/operations/performance.md has the numbers).
 */
export function ask<R extends object>(client: pg.ClientBase, config: pg.QueryConfig): Promise<pg.QueryResult<R>> {
  const { promise, resolve, reject } = Promise.withResolvers<pg.QueryResult<R>>();
  client.query<R>(config, settle(resolve, reject));
  return promise;
}

/** Made where nothing of the statement is in sight, so that it can hold nothing of it. */
function settle<T>(
  resolve: (result: T) => void,
  reject: (error: Error) => void,
): (error: Error | null, result: T) => void {
  return (error, result) => {
    if (error) reject(error);
    else resolve(result);
  };
}
