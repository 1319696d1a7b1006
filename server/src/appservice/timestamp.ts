/** The time that an application service gives an event. Specification: application-service-api, "Timestamp massaging". */
import { z } from "zod";
import { matrixError } from "../errors.ts";
import type { Session } from "../http.ts";

/** What stands in the query of the requests that make events. */
export const timedQuery = z.looseObject({ ts: z.union([z.string(), z.array(z.string())]).optional() });

/** When the event was made elsewhere (ms since 1970). Undefined where nothing is said, and for everybody who is no service. */
export function timeGiven(
  { service }: Pick<Session, "service">,
  { ts }: z.output<typeof timedQuery>,
): number | undefined {
  if (!service || ts === undefined) return undefined;
  if (typeof ts !== "string" || !/^\d{1,16}$/.test(ts) || !Number.isSafeInteger(Number(ts)))
    throw matrixError("M_INVALID_PARAM", "ts must be a whole number of milliseconds since 1970.");
  return Number(ts);
}
