/**
 * What survives a reload: who is signed in on this device, and the key of its encrypted store.
 *
 * It lies in localStorage, which a page reads without waiting. The key is here and the store is in IndexedDB on
 * purpose: forgetting this one record makes the store unreadable at once, even where deleting a database is delayed
 * by another tab that has it open.
 */
import type { LoginAnswer, TokenAnswer } from "./api.ts";

export interface Credentials {
  baseUrl: string;
  userId: string;
  deviceId: string;
  accessToken: string;
  refreshToken?: string;
  /** When the access token ends, in milliseconds since the epoch; absent when it does not. */
  expiresAt_ms?: number;
  /** 32 random bytes, base64: the key of the crypto store. */
  storageKey: string;
  /** True until the device has its keys, or its owner chose to go on without them. */
  setupPending: boolean;
}

const KEY = "parley.session";
const STORAGE_KEY_BYTES = 32;

/** The stored credentials, or null when nobody is signed in or the record is not one of ours. */
export function loadCredentials(storage: Storage = localStorage): Credentials | null {
  const text = storage.getItem(KEY);
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    return isCredentials(value) ? value : null;
  } catch {
    return null;
  }
}

export function saveCredentials(credentials: Credentials, storage: Storage = localStorage): void {
  storage.setItem(KEY, JSON.stringify(credentials));
}

export function clearCredentials(storage: Storage = localStorage): void {
  storage.removeItem(KEY);
}

/** Credentials of a device that has just signed in for the first time. */
export function newCredentials(baseUrl: string, answer: LoginAnswer, now_ms: number = Date.now()): Credentials {
  const storageKey = crypto.getRandomValues(new Uint8Array(STORAGE_KEY_BYTES));
  const base = { baseUrl, userId: answer.user_id, deviceId: answer.device_id, accessToken: "", setupPending: true };
  return withTokens({ ...base, storageKey: btoa(String.fromCharCode(...storageKey)) }, answer, now_ms);
}

/** The same device with fresh tokens; a refresh token that the server did not replace stays (section "Refreshing access tokens"). */
export function withTokens(credentials: Credentials, answer: TokenAnswer, now_ms: number = Date.now()): Credentials {
  const { expiresAt_ms: _old, ...rest } = credentials;
  return {
    ...rest,
    accessToken: answer.access_token,
    ...(answer.refresh_token !== undefined && { refreshToken: answer.refresh_token }),
    ...(answer.expires_in_ms !== undefined && { expiresAt_ms: now_ms + answer.expires_in_ms }),
  };
}

export function storageKeyBytes(credentials: Credentials): Uint8Array {
  return Uint8Array.from(atob(credentials.storageKey), (character) => character.charCodeAt(0));
}

function isCredentials(value: unknown): value is Credentials {
  if (typeof value !== "object" || value === null) return false;
  const record = value as Record<string, unknown>;
  const texts = ["baseUrl", "userId", "deviceId", "accessToken", "storageKey"];
  return texts.every((name) => typeof record[name] === "string") && typeof record.setupPending === "boolean";
}
