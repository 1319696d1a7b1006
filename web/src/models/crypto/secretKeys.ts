/**
 * The secret storage keys that this tab knows right now, in memory only.
 *
 * The SDK asks for the key again and again while it works with secret storage. It gets what was put here when the
 * recovery key was made or typed in; `forgetSecretKeys` ends that as soon as the work is done.
 */
import type { CryptoCallbacks } from "matrix-js-sdk/lib/crypto-api/index.js";

type Key = Uint8Array<ArrayBuffer>;

const keys = new Map<string, Key>();

/** Lets the SDK use `key` for the secret storage key with this id until it is forgotten. */
export function rememberSecretKey(keyId: string, key: Key): void {
  keys.set(keyId, key);
}

export function forgetSecretKeys(): void {
  for (const key of keys.values()) key.fill(0);
  keys.clear();
}

/** The callbacks that a client needs to work with secret storage. */
export const secretKeyCallbacks: CryptoCallbacks = {
  getSecretStorageKey: async ({ keys: wanted }) => {
    const id = Object.keys(wanted).find((keyId) => keys.has(keyId));
    const key = id === undefined ? undefined : keys.get(id);
    // A copy, because the SDK may still hold it when the original is wiped.
    return id !== undefined && key ? [id, key.slice()] : null;
  },
  cacheSecretStorageKey: (keyId, _info, key) => rememberSecretKey(keyId, key.slice()),
};
