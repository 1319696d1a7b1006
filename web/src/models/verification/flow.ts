/**
 * A verification, seen from one side, as one step at a time (section "Key verification framework").
 *
 *   incoming ─accept─▶ choose            waiting ─they accept─▶ choose
 *   (before the ways are known, and where emoji is the only one, `choose` shows as `connecting`)
 *   choose ─emoji─▶ connecting ─▶ compare ─they match─▶ confirming ─▶ done
 *   choose ─they scan our code─▶ scanned ─yes─▶ confirming ─▶ done
 *   choose ─we scan theirs─▶ confirming ─▶ done
 *
 * Every step may end in `cancelled`, whose cause says what to do next. `done` and `cancelled` are the only ends.
 */

/** The seven pictures and names that both sides compare; `numbers` is for who cannot see them. */
export interface ShortAuthString {
  emoji: [symbol: string, name: string][];
  numbers: number[];
}

export type CancelCause =
  /** The pictures or keys differed: somebody may be in between. */
  | "mismatch"
  /** Nobody went on in time. */
  | "expired"
  /** The other side said no, or closed it. */
  | "declined"
  /** It went away before we answered: another device of ours took it, or it was withdrawn. There is nothing to say. */
  | "unanswered"
  /** The two apps have no method in common, or one of them failed. */
  | "failed";

export type VerificationStep =
  | { step: "incoming" }
  | { step: "waiting" }
  | { step: "choose"; code: Uint8ClampedArray | null; canScan: boolean }
  | { step: "connecting" }
  | { step: "compare"; sas: ShortAuthString }
  | { step: "scanned" }
  | { step: "confirming" }
  | { step: "done" }
  | { step: "cancelled"; cause: CancelCause };

/** What is known of a request at one moment; `phase` has the SDK's names. */
export interface RequestFacts {
  phase: "requested" | "ready" | "started" | "cancelled" | "done";
  initiatedByMe: boolean;
  /** The code of `m.key.verification.cancel`, when it was sent or received. */
  cancellationCode: string | null;
  /** It is known what can be chosen, and the other side has not begun by itself in the meantime. */
  offered: boolean;
  /** Our code for the other side to scan, where it can. */
  code: Uint8ClampedArray | null;
  /** The other side shows a code and there is a camera here. */
  canScan: boolean;
  sas: ShortAuthString | null;
  /** The other side has scanned our code. */
  scanned: boolean;
  /** We have accepted, chosen emoji, or said that things match; the protocol has not caught up yet. */
  told: "nothing" | "accepted" | "emoji" | "match" | "scannedTheirs";
  /** The request's own time limit has passed. */
  timedOut: boolean;
}

export function stepOf(facts: RequestFacts): VerificationStep {
  if (facts.phase === "done") return { step: "done" };
  if (facts.phase === "cancelled") return { step: "cancelled", cause: causeFor(facts) };
  if (facts.timedOut) return { step: "cancelled", cause: "expired" };
  if (facts.phase === "requested") return requestedStep(facts);
  if (facts.told === "match" || facts.told === "scannedTheirs") return { step: "confirming" };
  if (facts.scanned) return { step: "scanned" };
  if (facts.sas) return { step: "compare", sas: facts.sas };
  if (facts.phase === "started" || facts.told === "emoji" || !facts.offered) return { step: "connecting" };
  return { step: "choose", code: facts.code, canScan: facts.canScan };
}

function requestedStep(facts: RequestFacts): VerificationStep {
  if (facts.initiatedByMe) return { step: "waiting" };
  return facts.told === "accepted" ? { step: "connecting" } : { step: "incoming" };
}

const CAUSES: Record<string, CancelCause> = {
  // Closing the layer here sends the same code, but then nothing is on the screen any more.
  "m.user": "declined",
  "m.mismatched_sas": "mismatch",
  "m.key_mismatch": "mismatch",
  "m.mismatched_commitment": "mismatch",
  "m.user_mismatch": "mismatch",
  "m.timeout": "expired",
  "m.accepted": "unanswered",
};

function causeFor(facts: RequestFacts): CancelCause {
  const answered = facts.initiatedByMe || facts.told !== "nothing";
  return answered ? causeOf(facts.cancellationCode) : "unanswered";
}

/** The cause behind a cancellation code of `m.key.verification.cancel`. */
export function causeOf(code: string | null): CancelCause {
  return CAUSES[code ?? ""] ?? "failed";
}
