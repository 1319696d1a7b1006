/** The entries of the log that say whose keys are to be asked for again. */
import type { LogEntry } from "../log/entry.ts";

/**
 * Whether an entry of the kind `device_list` concerns this reader. Those of the type `changed` concern everybody; one of the type
 * `signed` tells of a signature that nobody but its maker may see, so it is for their other devices alone.
 */
export function tellsOfKeys(entry: Pick<LogEntry, "type" | "body">, readerId: string): boolean {
  return entry.type !== "signed" || (JSON.parse(entry.body) as { by: string }).by === readerId;
}
