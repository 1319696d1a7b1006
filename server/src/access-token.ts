/** Where a request says who makes it. Specification: client-server-api, "Using access tokens". */
import type { IncomingHttpHeaders } from "node:http";

interface Asked {
  headers: IncomingHttpHeaders;
  query: unknown;
}

/**
 * The access token of a request. One in the query string is what versions of the specification before 1.20 allow too; it is taken
 * while the setting PARLEY_QUERY_TOKENS says so, and never where there is a header.
 */
export function accessTokenOf({ headers, query }: Asked, isTakenFromQuery: boolean): string | undefined {
  const header = headers.authorization;
  if (header !== undefined) return /^Bearer +(\S+) *$/i.exec(header)?.[1];
  if (!isTakenFromQuery) return undefined;
  const token = (query as Record<string, unknown>)["access_token"];
  return typeof token === "string" && token !== "" ? token : undefined;
}
