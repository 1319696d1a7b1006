// Keys of somebody who is not who they say: well made and well signed, with private halves that a server made up.
// Specification: client-server-api, "Cross-signing"; appendices, "Signing JSON".

import { generateKeyPairSync, sign } from "node:crypto";
import type { Json } from "./http.ts";

type SigningKey = {
  /** Unpadded base64. */
  publicKey: string;
  /** The object with this key's signature beside those that it has. */
  signed(object: Json, as: { userId: string; keyName?: string }): Json;
};

export function forgeKey(): SigningKey {
  const { publicKey: half, privateKey } = generateKeyPairSync("ed25519");
  const publicKey = unpadded(Buffer.from(half.export({ format: "jwk" }).x as string, "base64url"));
  return {
    publicKey,
    signed(object, { userId, keyName = publicKey }) {
      const { signatures = {}, unsigned, ...rest } = object;
      const signature = unpadded(sign(null, Buffer.from(canonical(rest)), privateKey));
      const own = { ...signatures[userId], [`ed25519:${keyName}`]: signature };
      return { ...rest, ...(unsigned ? { unsigned } : {}), signatures: { ...signatures, [userId]: own } };
    },
  };
}

/** A key for agreeing on others, as a device has one and as one-time keys are. */
export function forgeCurveKey(): string {
  const { publicKey } = generateKeyPairSync("x25519");
  return unpadded(Buffer.from(publicKey.export({ format: "jwk" }).x as string, "base64url"));
}

/** A device of somebody, signed with its own key, or with another than the one that it names. */
export function forgeDevice(userId: string, deviceId: string, isSignedWell = true): Json {
  const key = forgeKey();
  const device = {
    user_id: userId,
    device_id: deviceId,
    algorithms: ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
    keys: { [`curve25519:${deviceId}`]: forgeCurveKey(), [`ed25519:${deviceId}`]: key.publicKey },
  };
  return (isSignedWell ? key : forgeKey()).signed(device, { userId, keyName: deviceId });
}

export type ForgedIdentity = {
  master: Json;
  selfSigning: Json;
  /** A device, as if its owner had signed it. */
  signed(device: Json): Json;
};

/** Cross-signing keys that are somebody's, as far as a server says so. */
export function forgeIdentity(userId: string): ForgedIdentity {
  const [master, selfSigning] = [forgeKey(), forgeKey()];
  const of = (usage: string, { publicKey }: SigningKey) => ({
    user_id: userId,
    usage: [usage],
    keys: { [`ed25519:${publicKey}`]: publicKey },
  });
  return {
    master: of("master", master),
    selfSigning: master.signed(of("self_signing", selfSigning), { userId }),
    signed: (device) => selfSigning.signed(device, { userId }),
  };
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replaceAll("=", "");
}

/** Its members sorted, without spaces. */
function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.keys(value)
    .toSorted()
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`);
  return `{${members.join()}}`;
}
