/** Sealing text that lies in the browser's storage (AES-GCM, with a key for each purpose by HKDF from the device's own). */

export interface Sealed {
  iv: Uint8Array<ArrayBuffer>;
  data: ArrayBuffer;
}

export interface Sealer {
  seal(text: string): Promise<Sealed>;
  /** Throws for what was sealed with another key, or changed since. */
  open(sealed: Sealed): Promise<string>;
}

const IV_BYTES = 12;

/** The sealer of one purpose. `deviceKey`: the key in the device's credentials. */
export async function sealerOf(deviceKey: Uint8Array, purpose: string): Promise<Sealer> {
  const base = await crypto.subtle.importKey("raw", new Uint8Array(deviceKey), "HKDF", false, ["deriveKey"]);
  const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: new TextEncoder().encode(purpose) };
  const key = await crypto.subtle.deriveKey(how, base, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  return {
    async seal(text) {
      const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
      return { iv, data: await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, new TextEncoder().encode(text)) };
    },
    async open({ iv, data }) {
      return new TextDecoder().decode(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, data));
    },
  };
}
