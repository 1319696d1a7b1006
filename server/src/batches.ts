/**
 * Gathers what arrives while the previous batch is under way and does it together: the more there is to do, the larger the
 * batches, and nobody waits for a timer.
 */
import { asError } from "./errors.ts";

export interface Batches<Item> {
  /** Resolves when the batch with the item is done; rejects with what it threw. */
  add(item: Item): Promise<void>;
  /** How many items wait for the next batch. */
  waiting(): number;
  /** Resolves when nothing waits and nothing is under way. */
  drained(): Promise<void>;
}

interface Waiting<Item> {
  item: Item;
  resolve(): void;
  reject(error: Error): void;
}

/** `run` gets at most `max` items at once, in the order in which they came, and never runs twice at the same time. */
export function openBatches<Item>(max: number, run: (items: Item[]) => Promise<void>): Batches<Item> {
  let waiting: Waiting<Item>[] = [];
  let running: Promise<void> | undefined;

  async function runAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, max);
      waiting = waiting.slice(max);
      try {
        await run(batch.map(({ item }) => item));
        for (const each of batch) each.resolve();
      } catch (thrown) {
        for (const each of batch) each.reject(asError(thrown));
      }
    }
    running = undefined;
  }

  return {
    add: (item) =>
      new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        // The microtask lets all that arrived in this turn of the loop into the first batch.
        running ??= Promise.resolve().then(runAll);
      }),
    waiting: () => waiting.length,
    drained: () => running ?? Promise.resolve(),
  };
}
