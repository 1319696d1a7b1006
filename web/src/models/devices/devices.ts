/**
 * The sessions of the account: what `GET /devices` says of each, and whether its owner has signed it.
 */
import type { MatrixClient } from "matrix-js-sdk";
import { cryptoOf } from "../crypto/setup.ts";
import { withPassword } from "../session/uia.ts";

export type Trust =
  /** Signed with the account's own keys. */
  | "verified"
  /** Has encryption keys that nobody signed. */
  | "unverified"
  /** Takes no part in encryption; it can read no encrypted message. */
  | "noEncryption";

export interface Session {
  deviceId: string;
  name: string;
  trust: Trust;
  isCurrent: boolean;
  lastSeenAt_ms?: number;
  lastSeenIp?: string;
  /** The device's Ed25519 key, by which two people can compare it aloud. */
  fingerprint?: string;
}

/** All sessions, the current one first, then by the time they were last seen. */
export async function loadSessions(client: MatrixClient): Promise<Session[]> {
  const userId = client.getSafeUserId();
  const crypto = cryptoOf(client);
  const { devices } = await client.getDevices();
  const known = (await crypto.getUserDeviceInfo([userId], true)).get(userId);
  const sessions = devices.map(async (device): Promise<Session> => {
    const status = await crypto.getDeviceVerificationStatus(userId, device.device_id);
    const fingerprint = known?.get(device.device_id)?.getFingerprint();
    return {
      deviceId: device.device_id,
      name: device.display_name ?? device.device_id,
      trust: status === null ? "noEncryption" : status.crossSigningVerified ? "verified" : "unverified",
      isCurrent: device.device_id === client.getDeviceId(),
      ...(device.last_seen_ts && { lastSeenAt_ms: device.last_seen_ts }),
      ...(device.last_seen_ip && { lastSeenIp: device.last_seen_ip }),
      ...(fingerprint && { fingerprint }),
    };
  });
  return (await Promise.all(sessions)).toSorted(byImportance);
}

/** Gives a session a name that tells its owner which one it is. */
export async function renameSession(client: MatrixClient, deviceId: string, name: string): Promise<void> {
  await client.setDeviceDetails(deviceId, { display_name: name });
}

/** Signs other sessions out; asks for the password. Throws CancelledError when the dialog is closed. */
export async function signOutSessions(client: MatrixClient, deviceIds: string[]): Promise<void> {
  const purpose = deviceIds.length === 1 ? "sign out this session" : `sign out ${deviceIds.length} sessions`;
  await withPassword({ client, purpose }, (auth) => client.deleteMultipleDevices(deviceIds, auth ?? undefined));
}

function byImportance(a: Session, b: Session): number {
  if (a.isCurrent !== b.isCurrent) return a.isCurrent ? -1 : 1;
  return (b.lastSeenAt_ms ?? 0) - (a.lastSeenAt_ms ?? 0);
}
