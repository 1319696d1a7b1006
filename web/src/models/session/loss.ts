/** What a sign-out loses of what was written. */
import { countUnsent } from "../client/unsentStore.ts";
import { loadCredentials } from "./credentials.ts";

/** As a sentence; null where everything has reached the server. */
export function unsentLoss(count: number): string | null {
  if (count === 0) return null;
  return `${count === 1 ? "One message has" : `${count} messages have`} not been sent yet and would be lost.`;
}

/** How many messages this browser keeps unsent for whoever is signed in, for screens on which no client runs. */
export async function countKept(): Promise<number> {
  const credentials = loadCredentials();
  return credentials ? countUnsent(credentials.deviceId) : 0;
}
