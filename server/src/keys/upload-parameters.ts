/** What an upload of keys says, as the parameters of keys.upload, for devices with a session and for dehydrated ones. */
import { matrixError, type MatrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import { type DeviceKeys, type PreKeys, splitKeyName, storedText, without } from "./shapes.ts";

export interface Upload {
  device_keys?: DeviceKeys | null | undefined;
  one_time_keys?: PreKeys | null | undefined;
  fallback_keys?: PreKeys | null | undefined;
}

/** From p_identity on, all that follow. Throws M_INVALID_PARAM for two fallback keys of one algorithm. */
export function uploadParameters({ device_keys, one_time_keys, fallback_keys }: Upload): unknown[] {
  const oneTime = columns(one_time_keys ?? {});
  const fallback = columns(fallback_keys ?? {});
  if (new Set(fallback.algorithms).size < fallback.algorithms.length)
    throw matrixError("M_INVALID_PARAM", "A device has one fallback key for each algorithm.");
  const identity = device_keys ? storedText(device_keys.keys, "keys") : null;
  const device = device_keys ? storedText(without(device_keys, "unsigned"), "device_keys") : null;
  const bounds = [limits.oneTimeKeys_keys, limits.claimedKeys_ms];
  return [identity, device, ...Object.values(oneTime), ...Object.values(fallback), ...bounds];
}

/** In the order of the parameters. */
function columns(keys: PreKeys): { algorithms: string[]; keyIds: string[]; keys: string[] } {
  const names = Object.keys(keys).map(splitKeyName);
  return {
    algorithms: names.map(({ algorithm }) => algorithm),
    keyIds: names.map(({ keyId }) => keyId),
    keys: Object.entries(keys).map(([name, key]) => storedText(key, name)),
  };
}

/** Why keys.upload stored nothing. */
export function refusal(
  row: { outcome: string; name: string; key: string } | undefined,
  uploaded: PreKeys | null | undefined,
): MatrixError | Error {
  if (row?.outcome === "full")
    return matrixError("M_TOO_LARGE", `A device may have ${limits.oneTimeKeys_keys} one-time keys at a time.`);
  if (row?.outcome !== "conflict") return new Error(`keys.upload gave ${row?.outcome}`);
  // Clients know this failure by the beginning of its sentence.
  const key = JSON.stringify(uploaded?.[row.name]);
  const error = `One time key ${row.name} already exists. Old key: ${row.key}; new key: ${key}`;
  return matrixError("M_UNKNOWN", error, { status: 400 });
}
