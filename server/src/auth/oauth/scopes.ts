/** What a client may ask for. Specification: client-server-api, "Scope". */
import { limits } from "../../limits.ts";

/** By their names from before the specification had them too: clients still use these. */
export const API_SCOPES = ["urn:matrix:client:api:*", "urn:matrix:org.matrix.msc2967.client:api:*"] as const;
const DEVICE_SCOPES = ["urn:matrix:client:device:", "urn:matrix:org.matrix.msc2967.client:device:"] as const;
const UNRESERVED = /^[A-Za-z0-9._~-]+$/;

/** Scopes that are known by name; a device's has its id in it. */
export const knownScopes: readonly string[] = ["openid", ...API_SCOPES];

export interface MatrixScope {
  deviceId: string;
  /** The tokens that are granted, as the client wrote them: what is not known is left out. */
  scope: string;
}

/** Reads a scope; gives a sentence that says what is wrong with it where it can not be granted. */
export function readScope(scope: string | undefined): MatrixScope | string {
  const tokens = [...new Set((scope ?? "").split(" ").filter((token) => token !== ""))];
  const devices = tokens.flatMap((token) => deviceIn(token) ?? []);
  const [deviceId] = devices;
  if (!tokens.some(isApi)) return "the scope must have urn:matrix:client:api:*";
  if (devices.length !== 1 || deviceId === undefined)
    return "the scope must have exactly one urn:matrix:client:device:<device_id>";
  if (!UNRESERVED.test(deviceId) || deviceId.length > limits.oauthDeviceId_characters)
    return `a device id has 1 to ${limits.oauthDeviceId_characters} letters, digits, and the characters - . _ ~`;
  const granted = tokens.filter((token) => knownScopes.includes(token) || deviceIn(token) !== undefined);
  return { deviceId, scope: granted.join(" ") };
}

function isApi(token: string): boolean {
  return API_SCOPES.some((each) => each === token);
}

function deviceIn(token: string): string | undefined {
  const prefix = DEVICE_SCOPES.find((each) => token.startsWith(each));
  return prefix && token.slice(prefix.length);
}
