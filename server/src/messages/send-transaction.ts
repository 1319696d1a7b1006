/** Which request is a retry of which. Specification: client-server-api, "Transaction identifiers". */
import { hash } from "node:crypto";
import { matrixError } from "../errors.ts";
import type { Session } from "../http.ts";
import { identifier_bytes, isLongerThan } from "../rooms/rules/identifiers.ts";
import type { Transaction } from "../rooms/submit.ts";

/** Throws M_INVALID_PARAM for a transaction id that the log can not hold. */
export function requireTransactionId(txnId: string): void {
  if (isLongerThan(txnId, identifier_bytes) || !txnId.isWellFormed() || txnId.includes("\0"))
    throw matrixError("M_INVALID_PARAM", `A transaction id is a text of ${identifier_bytes} bytes at the most.`);
}

/**
 * The transaction of a request: its key stands for the endpoint with all its parts, however the client spelled the path,
 * and has the same length for all of them. Throws M_INVALID_PARAM for an id that the log can not hold.
 */
export function transactionOf(session: Pick<Session, "id">, endpoint: readonly string[], txnId: string): Transaction {
  requireTransactionId(txnId);
  return { session: session.id, key: hash("sha256", JSON.stringify([...endpoint, txnId]), "base64url"), txnId };
}
