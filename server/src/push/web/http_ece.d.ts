/** What is used of the library, which brings no types. */
declare module "http_ece" {
  import type { ECDH } from "node:crypto";
  export interface WebPushParams {
    version: "aes128gcm";
    /** The sender's pair, made for this message alone. */
    privateKey: ECDH;
    /** The receiver's public key, in base64url. */
    dh: string;
    /** In base64url. */
    authSecret: string;
  }
  /** The body of a message as RFC 8291 has it. */
  export function encrypt(plaintext: Buffer, params: WebPushParams): Buffer;
}
