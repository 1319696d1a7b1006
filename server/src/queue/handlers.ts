/** The handlers that a consumer has running: how many, and until when its close waits for them. */
import type { Seams } from "../seams.ts";

export interface Running {
  size(): number;
  /** Counts `work` as running until it ends. It must not reject. */
  add(work: Promise<void>): void;
  /** Resolves as soon as something that runs ends; at once where nothing runs. */
  next(): Promise<void>;
  /** Resolves when nothing runs any more, or after `drain_ms`. */
  drained(drain_ms: number): Promise<void>;
}

export function openRunning(seams: Seams): Running {
  let size = 0;
  let ended = Promise.withResolvers<void>();
  const onEmpty = new Set<() => void>();
  return {
    size: () => size,
    add(work) {
      size += 1;
      void work.then(() => {
        size -= 1;
        ended.resolve();
        ended = Promise.withResolvers();
        if (size === 0) for (const resolve of onEmpty) resolve();
      });
    },
    next: () => (size === 0 ? Promise.resolve() : ended.promise),
    drained: (drain_ms) =>
      new Promise((resolve) => {
        if (size === 0) return resolve();
        onEmpty.add(resolve);
        seams.after(drain_ms, resolve);
      }),
  };
}
