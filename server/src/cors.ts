/** Which pages may read the answers. Specification: client-server-api, "Web Browser Clients". */

type Headers = Record<string, string>;

const ANY = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, HEAD, POST, PUT, DELETE, OPTIONS",
  "access-control-allow-headers": "X-Requested-With, Content-Type, Authorization, Date, Range, If-None-Match",
  "access-control-expose-headers": "Retry-After, ETag, Content-Disposition, Server",
  "access-control-max-age": "86400",
};

/** Of uploads in pieces; what tus speaks is said with every answer, and asked for with OPTIONS. See media/uploads/. */
const UPLOADS = {
  ...ANY,
  "tus-resumable": "1.0.0",
  "tus-version": "1.0.0",
  "tus-extension": "creation,creation-with-upload,expiration,termination",
  "access-control-allow-methods": "GET, HEAD, POST, PATCH, DELETE, OPTIONS",
  "access-control-allow-headers": `${ANY["access-control-allow-headers"]}, Tus-Resumable, Upload-Length, Upload-Offset, Upload-Metadata`,
  "access-control-expose-headers": `${ANY["access-control-expose-headers"]}, Location, Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size, Upload-Length, Upload-Offset, Upload-Metadata, Upload-Expires`,
};

/** The headers for an address: those of Matrix for all, and none where a page of another origin has no business. */
function openTo(url: string): Headers {
  if (/^\/(api|admin|scim|_parley\/admin)([/?]|$)/.test(url)) return {};
  return /^\/_parley\/client\/v1\/uploads([/?]|$)/.test(url) ? UPLOADS : ANY;
}

/**
 * What says whose pages may read an answer: Matrix's headers for everybody's, or, where the operator named origins, for theirs.
 * Those of another origin then learn nothing, and a cache that stands between is told that the answer depends on who asks.
 */
export function corsFor(origins: readonly string[] | undefined): (url: string, origin: string | undefined) => Headers {
  if (origins === undefined) return openTo;
  return (url, origin) => {
    const { "access-control-allow-origin": any, ...others } = openTo(url);
    if (any === undefined) return others;
    const isOurs = origin !== undefined && origins.includes(origin);
    return { ...others, vary: "Origin", ...(isOurs ? { "access-control-allow-origin": origin } : {}) };
  };
}
