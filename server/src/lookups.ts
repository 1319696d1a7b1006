/**
 * Questions of one kind to the database, asked together: those of one turn of the loop in one statement, and those that come while
 * it is on its way in the next. A thousand clients that come back at once cost a dozen statements, and one that comes alone waits
 * for nobody.
 */
import { openBatches } from "./batches.ts";

export interface LookupOptions<Key, Value> {
  /** The most keys of one statement. */
  most: number;
  /** Gives the answers in the order of the keys. */
  ask(keys: readonly Key[]): Promise<readonly Value[]>;
}

/** A function that asks for one key, together with whoever else asks. A statement that fails, fails for all who are in it. */
export function openLookup<Key, Value>({ most, ask }: LookupOptions<Key, Value>): (key: Key) => Promise<Value> {
  const batches = openBatches<{ key: Key; value?: Value | undefined }>(most, async (asked) => {
    const values = await ask(asked.map(({ key }) => key));
    for (const [i, each] of asked.entries()) each.value = values[i];
  });
  return async (key) => {
    const asked: { key: Key; value?: Value } = { key };
    await batches.add(asked);
    return asked.value as Value;
  };
}
