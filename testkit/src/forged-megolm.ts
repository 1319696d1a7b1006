// A message and the key for it, as any server can make them up: nothing in them shows who wrote.
// Specification: olm-megolm, "Megolm group ratchet"; client-server-api, "m.megolm_backup.v1.curve25519-aes-sha2".

import { createCipheriv, createHmac, createPublicKey, diffieHellman, generateKeyPairSync } from "node:crypto";
import { hkdfSync, randomBytes, sign } from "node:crypto";
import type { Json } from "./http.ts";

export type ForgedMessage = {
  /** The content of the m.room.encrypted. */
  content: Json;
  /** The key, as it is exported, forwarded and kept in backups. */
  exported: Json;
};

/** The keys of a device that the message is said to come from. */
export type SaidSender = { curve: string; ed: string; deviceId: string };

/** A text in a room, encrypted with the first number of a session that nobody has begun. */
export function forgeMessage(roomId: string, text: string, { curve, ed, deviceId }: SaidSender): ForgedMessage {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const signedBy = Buffer.from(publicKey.export({ format: "jwk" }).x as string, "base64url");
  const ratchet = randomBytes(128);
  const content = { msgtype: "m.text", body: text };
  const plain = JSON.stringify({ type: "m.room.message", room_id: roomId, content });
  const { cipher, mac } = sealed(ratchet, "MEGOLM_KEYS", Buffer.from(plain));
  const head = Buffer.concat([Buffer.from([3, 8, 0, 0x12]), varint(cipher.length), cipher]);
  const checked = Buffer.concat([head, mac(head)]);
  const session_id = unpadded(signedBy);
  const algorithm = "m.megolm.v1.aes-sha2";
  const first = Buffer.alloc(4);
  return {
    content: {
      algorithm,
      ciphertext: unpadded(Buffer.concat([checked, sign(null, checked, privateKey)])),
      session_id,
      sender_key: curve,
      device_id: deviceId,
    },
    exported: {
      algorithm,
      room_id: roomId,
      session_id,
      sender_key: curve,
      sender_claimed_keys: { ed25519: ed },
      forwarding_curve25519_key_chain: [],
      session_key: unpadded(Buffer.concat([Buffer.from([1]), first, ratchet, signedBy])),
    },
  };
}

/** A key as it stands in a backup, for which no more is needed than the backup's public key. */
export function forBackup({ exported }: ForgedMessage, backupKey: string): Json {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  const x = Buffer.from(backupKey, "base64").toString("base64url");
  const theirs = createPublicKey({ key: { kty: "OKP", crv: "X25519", x }, format: "jwk" });
  const secret = diffieHellman({ privateKey, publicKey: theirs });
  const { cipher, mac } = sealed(secret, "", Buffer.from(JSON.stringify(exported)));
  const ephemeral = unpadded(Buffer.from(publicKey.export({ format: "jwk" }).x as string, "base64url"));
  // Of nothing: so did the first library, and so it stayed.
  const session_data = { ciphertext: unpadded(cipher), ephemeral, mac: unpadded(mac(Buffer.alloc(0))) };
  return { first_message_index: 0, forwarded_count: 0, is_verified: true, session_data };
}

function sealed(secret: Buffer, info: string, plain: Buffer) {
  const keys = Buffer.from(hkdfSync("sha256", secret, Buffer.alloc(0), info, 80));
  const aes = createCipheriv("aes-256-cbc", keys.subarray(0, 32), keys.subarray(64));
  const cipher = Buffer.concat([aes.update(plain), aes.final()]);
  const mac = (of: Buffer) => createHmac("sha256", keys.subarray(32, 64)).update(of).digest().subarray(0, 8);
  return { cipher, mac };
}

function varint(value: number): Buffer {
  return value < 128 ? Buffer.from([value]) : Buffer.concat([Buffer.from([(value & 127) | 128]), varint(value >> 7)]);
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replaceAll("=", "");
}
