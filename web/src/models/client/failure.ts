import { DecryptionFailureCode } from "matrix-js-sdk/lib/crypto-api/index.js";

interface Reason {
  reason: string;
  /** Asking for the key again may help. */
  canRetry: boolean;
  /** The key may still come by itself. */
  waiting: boolean;
}

const expected = (reason: string): Reason => ({ reason, canRetry: false, waiting: false });
const retriable = (reason: string): Reason => ({ reason, canRetry: true, waiting: false });
const waiting = (reason: string): Reason => ({ reason, canRetry: true, waiting: true });

const REASONS: Record<DecryptionFailureCode, Reason> = {
  [DecryptionFailureCode.MEGOLM_UNKNOWN_INBOUND_SESSION_ID]: waiting("The key for this message has not arrived yet."),
  [DecryptionFailureCode.MEGOLM_KEY_WITHHELD]: expected("The sender did not share the key for this message with you."),
  [DecryptionFailureCode.MEGOLM_KEY_WITHHELD_FOR_UNVERIFIED_DEVICE]: retriable(
    "The sender shares keys with verified devices only. Verify this one.",
  ),
  [DecryptionFailureCode.OLM_UNKNOWN_MESSAGE_INDEX]: retriable("Sent before the key was shared with you."),
  [DecryptionFailureCode.HISTORICAL_MESSAGE_NO_KEY_BACKUP]: expected(
    "Sent before this device signed in, and there is no key backup.",
  ),
  [DecryptionFailureCode.HISTORICAL_MESSAGE_BACKUP_UNCONFIGURED]: retriable(
    "Sent before this device signed in. Unlock older messages to read it.",
  ),
  [DecryptionFailureCode.HISTORICAL_MESSAGE_WORKING_BACKUP]: waiting(
    "Sent before this device signed in. Its key is being looked for in the backup.",
  ),
  [DecryptionFailureCode.HISTORICAL_MESSAGE_USER_NOT_JOINED]: expected("Sent before you joined."),
  [DecryptionFailureCode.SENDER_IDENTITY_PREVIOUSLY_VERIFIED]: retriable(
    "The sender's identity has changed. Verify them again.",
  ),
  [DecryptionFailureCode.UNSIGNED_SENDER_DEVICE]: retriable("Sent from a device that its owner has not confirmed."),
  [DecryptionFailureCode.UNKNOWN_SENDER_DEVICE]: retriable("Sent from a device that is not known."),
  [DecryptionFailureCode.UNKNOWN_ERROR]: retriable("This message cannot be decrypted."),
};

/** Why a message cannot be read, in a sentence, and what may be done about it. */
export function decryptionReason(code: DecryptionFailureCode | null): Reason {
  return REASONS[code ?? DecryptionFailureCode.UNKNOWN_ERROR] ?? REASONS[DecryptionFailureCode.UNKNOWN_ERROR];
}
