/** Which pages may read the answers. Specification: client-server-api, "Web Browser Clients". */

const ANY = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, HEAD, POST, PUT, DELETE, OPTIONS",
  "access-control-allow-headers": "X-Requested-With, Content-Type, Authorization, Date, Range, If-None-Match",
  "access-control-expose-headers": "Retry-After, ETag, Content-Disposition, Server",
  "access-control-max-age": "86400",
};

/** The headers for an address: those of Matrix for all, and none where a page of another origin has no business. */
export function corsOf(url: string): Record<string, string> {
  return /^\/(api|admin|_parley\/admin)([/?]|$)/.test(url) ? {} : ANY;
}
