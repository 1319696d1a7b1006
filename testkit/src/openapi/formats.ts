// The string formats of the specification (`data/string-formats.yaml`), with the grammars of its appendices
// ("Common Identifier Format", "Server Name", "Unpadded Base64"). Where the grammar allows historical forms, so do these.

const serverName = String.raw`(?:\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z.-]{1,255})(?::\d{1,5})?`;
// Any code points but ":" and NUL: what a localpart may hold at its most liberal.
const localpart = String.raw`[^:\0]`;
const opaqueId = String.raw`[A-Za-z0-9_-]{43}`;

const maxIdentifier_bytes = 255;

/** A format's name and its check. */
export const matrixFormats: Record<string, (value: string) => boolean> = {
  "mx-user-id": identifier(`^@${localpart}*:${serverName}$`),
  "mx-room-id": identifier(`^!(?:${localpart}+:${serverName}|${opaqueId})$`),
  "mx-room-alias": identifier(`^#${localpart}+:${serverName}$`),
  // Opaque: early room versions have a domain, version 3 plain base64, later ones url-safe base64.
  "mx-event-id": identifier(String.raw`^\$[^\0]+$`),
  "mx-server-name": matches(`^${serverName}$`),
  "mx-mxc-uri": matches(`^mxc://${serverName}/[A-Za-z0-9_-]+$`),
  "mx-unpadded-base64": matches("^[A-Za-z0-9+/]*$"),
  "mx-urlsafe-unpadded-base64": matches("^[A-Za-z0-9_-]*$"),
};

function matches(pattern: string): (value: string) => boolean {
  const expression = new RegExp(pattern, "u");
  return (value) => expression.test(value);
}

function identifier(pattern: string): (value: string) => boolean {
  const fits = matches(pattern);
  return (value) => fits(value) && Buffer.byteLength(value) <= maxIdentifier_bytes;
}
