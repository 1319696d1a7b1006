/** The traces of the newest entries, from their append or their hint until clients have been told. */
import { limits } from "../limits.ts";

export interface Carried {
  position: number;
  /** Its `traceparent`. */
  parent: string;
  /** When this process had the entry, in milliseconds since 1970. */
  heard_ms: number;
}

export function createCarried() {
  const held = new Map<number, Carried & { told: number }>();
  /** The newest come last: positions are put in their order, but for lanes that overtake each other. */
  function* within(after: number, upTo: number) {
    for (const each of held.values()) if (each.position > after && each.position <= upTo) yield each;
  }
  return {
    put(position: number, { parent, heard_ms }: Omit<Carried, "position">): void {
      held.set(position, { position, parent, heard_ms, told: 0 });
      if (held.size <= limits.traced_entries) return;
      for (const oldest of held.keys()) {
        held.delete(oldest);
        break;
      }
    },
    /** For a delivery of what stands above `after`, up to `upTo`. An entry that goes to thousands is given to the first of them. */
    take(after: number, upTo: number): Carried[] {
      if (held.size === 0) return [];
      const taken = [...within(after, upTo)].filter(({ told }) => told < limits.tracedDeliveries_count);
      for (const each of taken) each.told += 1;
      return taken;
    },
  };
}
