/**
 * Files of encrypted rooms (Matrix client-server API, "Sending encrypted attachments"): AES-CTR with a 256-bit key and a
 * SHA-256 of the ciphertext, both by the browser's own WebCrypto.
 */
import type { EncryptedFile } from "../timeline/item.ts";

const COUNTER_BITS = 64;

/** The ciphertext, and everything that a reader needs except where it was uploaded to. */
export async function encryptFile(
  plain: ArrayBuffer,
): Promise<{ data: ArrayBuffer; info: Omit<EncryptedFile, "url"> }> {
  // The upper half of the counter block is random, the lower half counts from zero and so never wraps.
  const iv = new Uint8Array(16);
  crypto.getRandomValues(iv.subarray(0, 8));
  const key = await crypto.subtle.generateKey({ name: "AES-CTR", length: 256 }, true, ["encrypt", "decrypt"]);
  const data = await crypto.subtle.encrypt({ name: "AES-CTR", counter: iv, length: COUNTER_BITS }, key, plain);
  const exported = await crypto.subtle.exportKey("jwk", key);
  const hash = await crypto.subtle.digest("SHA-256", data);
  const info = {
    v: "v2",
    key: { alg: "A256CTR", ext: true, k: exported.k ?? "", key_ops: ["encrypt", "decrypt"], kty: "oct" },
    iv: toBase64(iv),
    hashes: { sha256: toBase64(new Uint8Array(hash)) },
  };
  return { data, info };
}

/** The plain file. Throws when the bytes are not those that the sender meant. */
export async function decryptFile(data: ArrayBuffer, file: EncryptedFile): Promise<ArrayBuffer> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  if (toBase64(hash) !== file.hashes.sha256.replace(/=+$/, "")) {
    throw new Error("the file was changed on its way");
  }
  const { kty, k } = file.key;
  const key = await crypto.subtle.importKey("jwk", { kty, k, alg: "A256CTR", ext: true }, { name: "AES-CTR" }, false, [
    "decrypt",
  ]);
  const counter = fromBase64(file.iv);
  return crypto.subtle.decrypt({ name: "AES-CTR", counter, length: COUNTER_BITS }, key, data);
}

/** Base64 without padding, as Matrix writes it. */
function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCodePoint(...bytes)).replace(/=+$/, "");
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.codePointAt(0) ?? 0);
}
