/**
 * The bound of a cache. `max` of lru-cache reserves its arrays for that many entries at once: for all the caches of a process some
 * 15 MB, which a small server never fills. Counting sizes of one instead lets them grow as they are needed.
 */
export function atMost(entries: number): { maxSize: number; sizeCalculation: () => number } {
  return { maxSize: entries, sizeCalculation: () => 1 };
}
