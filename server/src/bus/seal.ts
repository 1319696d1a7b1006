/**
 * Packets that leave for a broker are sealed with a key that only the database knows: who may read or write on the broker can
 * neither read what people say nor make it up, and two Parleys that share a broker do not hear each other.
 *
 * A sealed packet is a nonce (12 bytes), the AES-256-GCM ciphertext, and its tag (16 bytes).
 */
import { createCipheriv, createDecipheriv } from "node:crypto";
import type { Seams } from "../seams.ts";
import type { KeyRing } from "./key-ring.ts";
import type { Transport } from "./transport.ts";

const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The transport for texts, over one for bytes. What does not open is not from us, and is dropped; `onForeign` hears of it. */
export function sealed(
  transport: Transport<Buffer>,
  { keys, seams, onForeign }: { keys: KeyRing; seams: Seams; onForeign(): void },
): Transport<string> {
  return {
    ...transport,
    packet_bytes: transport.packet_bytes - NONCE_BYTES - TAG_BYTES,
    async connect({ onPacket, onLost }) {
      const link = await transport.connect({
        onLost,
        onPacket(packet) {
          const text = openWith(keys, packet);
          if (text === undefined) onForeign();
          else onPacket(text);
        },
      });
      return { ...link, send: (packets) => link.send(packets.map((each) => seal(each, keys.sealing(), seams))) };
    },
  };
}

function openWith(keys: KeyRing, packet: Uint8Array): string | undefined {
  for (const key of keys.opening()) {
    const text = open(packet, key);
    if (text !== undefined) return text;
  }
  return undefined;
}

export function seal(text: string, key: Buffer, seams: Pick<Seams, "randomBytes">): Buffer {
  const nonce = seams.randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce);
  return Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
}

/** The text; undefined where it was not sealed with this key, or was changed since. */
export function open(packet: Uint8Array, key: Buffer): string | undefined {
  if (packet.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const bytes = Buffer.from(packet.buffer, packet.byteOffset, packet.length);
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const text = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, "utf8");
    return text + decipher.final("utf8");
  } catch {
    return undefined;
  }
}
