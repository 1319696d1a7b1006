/** The keys that are stored, and the signatures that came after them. */
import type { Context } from "../context.ts";
import type { CrossSigningKey, DeviceKeys, Usage } from "./shapes.ts";

export interface StoredDevice {
  userId: string;
  deviceId: string;
  keys: DeviceKeys;
}

/** The identities of all devices of these people. */
export async function readDevices(ctx: Context, userIds: readonly string[]): Promise<StoredDevice[]> {
  const rows = await ctx.db.keys.query<{ userId: string; deviceId: string; keys: string }>(
    `select user_id as "userId", device_id as "deviceId", keys from keys.devices where user_id = any ($1) order by user_id, device_id`,
    [userIds],
  );
  return rows.map((row) => ({ ...row, keys: JSON.parse(row.keys) as DeviceKeys }));
}

export interface StoredCrossSigning {
  userId: string;
  usage: Usage;
  publicKey: string;
  keys: CrossSigningKey;
}

/** All cross-signing keys of these people. */
export async function readCrossSigning(ctx: Context, userIds: readonly string[]): Promise<StoredCrossSigning[]> {
  const rows = await ctx.db.keys.query<{ userId: string; usage: Usage; publicKey: string; keys: string }>(
    `select user_id as "userId", usage, public_key as "publicKey", keys from keys.cross_signing where user_id = any ($1)`,
    [userIds],
  );
  return rows.map((row) => ({ ...row, keys: JSON.parse(row.keys) as CrossSigningKey }));
}

export interface StoredSignature {
  userId: string;
  /** A device id, or the public key of a master key. */
  target: string;
  signer: string;
  signerKey: string;
  signature: string;
}

/** The signatures on these people's keys that `readerId` may see: those that they made themselves, and the reader's own. */
export function readSignatures(ctx: Context, userIds: readonly string[], readerId: string): Promise<StoredSignature[]> {
  return ctx.db.keys.query<StoredSignature>(
    `select user_id as "userId", target, signer, signer_key as "signerKey", signature
     from keys.signatures where user_id = any ($1) and (signer = user_id or signer = $2)`,
    [userIds, readerId],
  );
}
