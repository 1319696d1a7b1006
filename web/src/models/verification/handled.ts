/**
 * The requests that were answered in this browser.
 *
 * A page that is loaded again goes back to the last sync that was written, up to five minutes, and hears the messages to
 * this device a second time. A request that was answered then must not ask again.
 */
const KEY = "parley.verifications";

/** More than anyone verifies in the ten minutes for which a request stands. */
const KEPT = 30;

/** Remembers that the request with this transaction id was answered, here or by its end. */
export function rememberHandled(transactionId: string, storage: Storage = localStorage): void {
  const others = read(storage).filter((id) => id !== transactionId);
  storage.setItem(KEY, JSON.stringify([...others, transactionId].slice(-KEPT)));
}

export function wasHandled(transactionId: string, storage: Storage = localStorage): boolean {
  return read(storage).includes(transactionId);
}

/** Forgets all of them: the session is over. */
export function forgetHandled(storage: Storage = localStorage): void {
  storage.removeItem(KEY);
}

function read(storage: Storage): string[] {
  try {
    const ids: unknown = JSON.parse(storage.getItem(KEY) ?? "[]");
    return Array.isArray(ids) ? ids.filter((id) => typeof id === "string") : [];
  } catch {
    return [];
  }
}
