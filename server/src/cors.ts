/** Which pages may read the answers. Specification: client-server-api, "Web Browser Clients". */

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
export function corsOf(url: string): Record<string, string> {
  if (/^\/(api|admin|_parley\/admin)([/?]|$)/.test(url)) return {};
  return /^\/_parley\/client\/v1\/uploads([/?]|$)/.test(url) ? UPLOADS : ANY;
}
