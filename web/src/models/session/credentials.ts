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
  /** When the access token is to be renewed, in milliseconds since the epoch; absent when it does not end. */
  renewAt_ms?: number;
  /** 32 random bytes, base64: the key of the crypto store. */
  storageKey: string;
  /** True until the device has its keys, or its owner chose to go on without them. */
  setupPending: boolean;
}

/**
 * A token is renewed this long before it ends, and a short-lived one at half its life. Uploads go past the renewing
 * `fetch` (the SDK sends them with XMLHttpRequest) and live on the token that the last request renewed; `/sync` comes by
 * every 30 s, so 90 s is enough.
 */
const RENEW_BEFORE_END_MS = 90_000;

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
  const { renewAt_ms: _old, ...rest } = credentials;
  return {
    ...rest,
    accessToken: answer.access_token,
    ...(answer.refresh_token !== undefined && { refreshToken: answer.refresh_token }),
    ...(answer.expires_in_ms !== undefined && { renewAt_ms: now_ms + timeToRenewal_ms(answer.expires_in_ms) }),
  };
}

function timeToRenewal_ms(lifetime_ms: number): number {
  return Math.max(lifetime_ms / 2, lifetime_ms - RENEW_BEFORE_END_MS);
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
