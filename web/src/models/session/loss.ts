/** What a sign-out loses of what was written. */
import { countUnsent } from "../client/unsentStore.ts";
import { loadCredentials } from "./credentials.ts";

/** As a sentence; null where everything has reached the server. */
export function unsentLoss(count: number): string | null {
  return count === 0 ? null : `${messages(count)} not been sent yet and would be lost.`;
}

/** The same once it is done. */
export function unsentLost(count: number): string | null {
  return count === 0 ? null : `${messages(count)} not been sent and ${count === 1 ? "is" : "are"} lost.`;
}

function messages(count: number): string {
  return count === 1 ? "One message has" : `${count} messages have`;
}

/** How many messages this browser keeps unsent for whoever is signed in, for screens on which no client runs. */
export async function countKept(): Promise<number> {
  const credentials = loadCredentials();
  return credentials ? countUnsent(credentials.deviceId) : 0;
}
