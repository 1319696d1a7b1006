/**
 * Gives memory back when a process has nothing to do. While it works, V8 lets the heap grow: collecting often would take a third
 * of the processor from what people wait for. What is garbage by then stays resident until somebody collects, and V8 by itself
 * does that late. Here it is done in the first quiet moment, in which nobody waits for the pause.
 */
import { performance } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import { limits } from "./limits.ts";
import type { Seams, Timer } from "./seams.ts";

export interface MemoryAtRest {
  seams: Pick<Seams, "every">;
  /** The part of the time since the last call in which the event loop was busy, from 0 to 1. */
  busyPart(): number;
  /** What the heap takes from the machine. */
  heap_bytes(): number;
  /** Collects all garbage, and gives what it took back to the machine. */
  collect(): void;
}

/** Of this process. Undefined where it was started without `--expose-gc`: see scripts/lib/server-process.mjs. */
export function ofThisProcess(seams: Seams): MemoryAtRest | undefined {
  const { gc } = globalThis;
  if (gc === undefined) return undefined;
  let last = performance.eventLoopUtilization();
  return {
    seams,
    busyPart() {
      const before = last;
      last = performance.eventLoopUtilization();
      return performance.eventLoopUtilization(last, before).utilization;
    },
    heap_bytes: () => getHeapStatistics().total_heap_size,
    // The only kind that shrinks the heap.
    collect: () => gc({ type: "major", execution: "sync", flavor: "last-resort" }),
  };
}

/** Watches for quiet moments until the timer is called off. */
export function restWhenQuiet({ seams, busyPart, heap_bytes, collect }: MemoryAtRest): Timer {
  let quietTicks = 0;
  let rested_bytes = 0;
  return seams.every(limits.restTick_ms, () => {
    quietTicks = busyPart() < limits.restQuiet ? quietTicks + 1 : 0;
    if (quietTicks < limits.restQuiet_ticks) return;
    const now_bytes = heap_bytes();
    // A pause grows with the heap. Where it is large, memory is not what this machine lacks.
    if (now_bytes < rested_bytes + limits.restGrowth_bytes || now_bytes > limits.restHeap_bytes) return;
    collect();
    rested_bytes = heap_bytes();
    quietTicks = 0;
  });
}
