/**
 * The life of a session in this browser, as one value.
 *
 *   starting ──▶ signedOut            no credentials are kept here
 *            ──▶ elsewhere            another tab of this browser owns the session
 *            ──▶ setup ──▶ ready      the device still has to get its keys (new account, or new device)
 *            ──▶ ready                the device has its keys, or its owner chose to go on without them
 *            ──▶ failed               a part of the browser or the local store does not work
 *
 *   setup, ready ──▶ softLoggedOut    the server wants the password again; local keys are kept (soft logout)
 *                ──▶ signedOut        signed out here, or from another device; nothing is kept
 *                ──▶ elsewhere        another tab asked for the session
 *
 * Every other step starts again at `starting`. Events that come late (a sync error after a sign-out, say) change nothing.
 */
import type { MatrixClient } from "matrix-js-sdk";
import type { EncryptionNeed } from "../crypto/need.ts";
import type { Failure } from "./failure.ts";

/** What is being done between a click on "Sign in" and the first screen; each is a line of text on the start screen. */
export type StartStep =
  | "restoring"
  | "signing-in"
  | "opening-store"
  | "loading-encryption"
  | "first-sync"
  | "signing-out";

/** Why a person sees the sign-in screen without having asked for it. */
export type SignedOutReason = "removed-elsewhere" | "deactivated" | "by-you";

export type SessionState =
  | { phase: "starting"; step: StartStep }
  | { phase: "elsewhere" }
  /** `lost`: how many messages had not been sent. */
  | { phase: "signedOut"; reason?: SignedOutReason; lost?: number }
  | { phase: "setup"; client: MatrixClient; need: Exclude<EncryptionNeed, "nothing"> }
  | { phase: "ready"; client: MatrixClient }
  | { phase: "softLoggedOut"; userId: string }
  | { phase: "failed"; error: Failure; unsupported: boolean };

export type SessionEvent =
  | { type: "step"; step: StartStep }
  | { type: "noCredentials" }
  | { type: "ownedElsewhere" }
  | { type: "started"; client: MatrixClient; need: EncryptionNeed }
  | { type: "setupLeft" }
  /** From the rooms, or from one of the two set-up screens to the other (after a reset). */
  | { type: "setupReopened"; need: Exclude<EncryptionNeed, "nothing"> }
  | { type: "tokenExpired"; userId: string }
  | { type: "signedOut"; reason: SignedOutReason; lost?: number }
  /** `unsupported` when the browser lacks a part that nothing can be done without. */
  | { type: "failed"; error: Failure; unsupported?: boolean };

/** The state after `event`; the same object when the event does not belong to the state (it came late). */
export function nextState(state: SessionState, event: SessionEvent): SessionState {
  switch (event.type) {
    case "step":
      return { phase: "starting", step: event.step };
    case "noCredentials":
      return state.phase === "starting" ? { phase: "signedOut" } : state;
    case "ownedElsewhere":
      return { phase: "elsewhere" };
    case "started":
      return state.phase === "starting" ? afterStart(event.client, event.need) : state;
    case "setupLeft":
      return state.phase === "setup" ? { phase: "ready", client: state.client } : state;
    case "setupReopened":
      return "client" in state ? { phase: "setup", client: state.client, need: event.need } : state;
    case "tokenExpired":
      return isOpen(state) ? { phase: "softLoggedOut", userId: event.userId } : state;
    case "signedOut":
      return state.phase === "signedOut" ? state : ended(event);
    case "failed":
      return state.phase === "starting"
        ? { phase: "failed", error: event.error, unsupported: event.unsupported ?? false }
        : state;
  }
}

function ended({ reason, lost = 0 }: Extract<SessionEvent, { type: "signedOut" }>): SessionState {
  return { phase: "signedOut", reason, ...(lost > 0 && { lost }) };
}

function afterStart(client: MatrixClient, need: EncryptionNeed): SessionState {
  return need === "nothing" ? { phase: "ready", client } : { phase: "setup", client, need };
}

function isOpen(state: SessionState): boolean {
  return state.phase === "setup" || state.phase === "ready" || state.phase === "starting";
}
