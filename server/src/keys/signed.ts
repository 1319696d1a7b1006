/**
 * Whether a signature of a key is right, as the specification lets a server say (M_INVALID_SIGNATURE, "Cross-signing"). Clients check
 * all of them anew and trust no server in this; what is refused here is a mistake that its own client learns of at once.
 */
import { createPublicKey, verify } from "node:crypto";

/** What stands before the 32 bytes of an ed25519 public key in the form that Node reads (RFC 8410). */
const SPKI = Buffer.from("302a300506032b6570032100", "hex");
const PUBLIC_KEY = /^[A-Za-z0-9+/]{43}=?$/;

/**
 * False where the signature is not that of the key over the text. What is no ed25519 public key has signed nothing, and no client takes it
 * for one: it is not judged here.
 */
export function mayBeSignedBy(publicKey: string, text: string, signature: string): boolean {
  if (!PUBLIC_KEY.test(publicKey)) return true;
  const key = Buffer.concat([SPKI, Buffer.from(publicKey, "base64")]);
  return verify(
    null,
    Buffer.from(text),
    createPublicKey({ key, format: "der", type: "spki" }),
    Buffer.from(signature, "base64"),
  );
}
