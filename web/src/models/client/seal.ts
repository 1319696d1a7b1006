/** Sealing what lies in the browser's storage (AES-GCM, with a key for each purpose by HKDF from the device's own). */

export interface Sealed {
  iv: Uint8Array<ArrayBuffer>;
  data: ArrayBuffer;
}

export interface Sealer {
  seal(what: string | Uint8Array<ArrayBuffer>): Promise<Sealed>;
  /** Throws for what was sealed with another key, or changed since. */
  open(sealed: Sealed): Promise<string>;
  /** The same, of what is no text. */
  openBytes(sealed: Sealed): Promise<Uint8Array<ArrayBuffer>>;
}

const IV_BYTES = 12;

/** The sealer of one purpose. `deviceKey`: the key in the device's credentials. */
export async function sealerOf(deviceKey: Uint8Array, purpose: string): Promise<Sealer> {
  const base = await crypto.subtle.importKey("raw", new Uint8Array(deviceKey), "HKDF", false, ["deriveKey"]);
  const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: new TextEncoder().encode(purpose) };
  const key = await crypto.subtle.deriveKey(how, base, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const openBytes = async ({ iv, data }: Sealed) =>
    new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, data));
  return {
    async seal(what) {
      const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
      const plain = typeof what === "string" ? new TextEncoder().encode(what) : what;
      return { iv, data: await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, plain) };
    },
    open: async (sealed) => new TextDecoder().decode(await openBytes(sealed)),
    openBytes,
  };
}
