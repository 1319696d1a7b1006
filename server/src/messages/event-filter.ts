/** The `filter` of the endpoints that give the events of one room. Specification: client-server-api, "Filtering". */
import { matrixError } from "../errors.ts";
import { validate } from "../validate.ts";
import type { LogEntry } from "../log/entry.ts";
import { type CompiledRoomEventFilter, compileRoomEventFilter, roomEventFilterSchema } from "../sync/filter.ts";

/** The filter of a query parameter: JSON. Throws M_INVALID_PARAM. */
export function eventFilter(text: string | undefined): CompiledRoomEventFilter {
  if (text === undefined) return compileRoomEventFilter();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw matrixError("M_INVALID_PARAM", "The filter is not JSON.");
  }
  return compileRoomEventFilter(validate(roomEventFilterSchema, json, "query"));
}

/** What a filter lets through; undefined where that is everything. */
export function matcherOf({ matches }: CompiledRoomEventFilter): ((entry: LogEntry) => boolean) | undefined {
  return matches && ((entry) => matches(entry));
}
