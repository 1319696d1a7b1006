/**
 * Starting again with a new identity, for a person who has neither another device nor the recovery key.
 *
 * What is lost is lost: old encrypted messages stay unreadable on this device, and everyone who had verified the person
 * sees that the identity changed. The views say so and ask for a typed word before they call this.
 */
import type { MatrixClient } from "matrix-js-sdk";
import { withPassword } from "../session/uia.ts";
import { cryptoOf, holdsPrivateKeys } from "./setup.ts";

/** What has to be typed before the identity is reset. */
export const RESET_WORD = "reset";

/**
 * Deletes the backup and the secret storage, and publishes new cross-signing keys. The account then needs a new
 * recovery key: the set-up screens follow.
 *
 * @throws CancelledError when the person closes the password dialog. After any error it can be called again.
 */
export async function resetIdentity(client: MatrixClient): Promise<void> {
  await cryptoOf(client).resetEncryption((send) => withPassword({ client, purpose: "reset your identity" }, send));
  // The crypto machine drops new keys when it hears of the old ones in between (another device changed something).
  if (!(await holdsPrivateKeys(client))) throw new Error("another device was faster. Try it once more");
}
