/** A verification that runs: the SDK's request, and what of it the SDK does not keep. */
import {
  VerificationPhase,
  type VerificationRequest,
  type Verifier,
} from "matrix-js-sdk/lib/crypto-api/verification.js";
import type { RequestFacts } from "./flow.ts";
import type { Other } from "./other.ts";

/** How a verification ended: both sides are verified, or for any of the reasons in `CancelCause`. */
export type Outcome = "done" | "ended";

export interface Flow {
  request: VerificationRequest;
  other: Other;
  code: Uint8ClampedArray | null;
  canScan: boolean;
  prepared: boolean;
  offered: boolean;
  /** The one whose events are followed. */
  verifier: Verifier | null;
  told: RequestFacts["told"];
  timedOut: boolean;
  end: AbortController;
  outcome: PromiseWithResolvers<Outcome>;
}

/** A request that nothing has been said to yet. */
export function newFlow(request: VerificationRequest, other: Other): Flow {
  const outcome = Promise.withResolvers<Outcome>();
  const end = new AbortController();
  return {
    request,
    other,
    code: null,
    canScan: false,
    prepared: false,
    offered: false,
    verifier: null,
    told: "nothing",
    timedOut: false,
    end,
    outcome,
  };
}

const PHASES: Record<VerificationPhase, RequestFacts["phase"]> = {
  [VerificationPhase.Unsent]: "requested",
  [VerificationPhase.Requested]: "requested",
  [VerificationPhase.Ready]: "ready",
  [VerificationPhase.Started]: "started",
  [VerificationPhase.Cancelled]: "cancelled",
  [VerificationPhase.Done]: "done",
};

/** All that `stepOf` decides by, at this moment. */
export function factsOf(flow: Flow): RequestFacts {
  const { request } = flow;
  const sas = request.verifier?.getShowSasCallbacks()?.sas;
  return {
    phase: PHASES[request.phase],
    initiatedByMe: request.initiatedByMe,
    cancellationCode: request.cancellationCode,
    offered: flow.offered,
    code: flow.code,
    canScan: flow.canScan,
    sas: sas ? { emoji: sas.emoji ?? [], numbers: sas.decimal ?? [] } : null,
    scanned: Boolean(request.verifier?.getReciprocateQrCodeCallbacks()),
    told: flow.told,
    timedOut: flow.timedOut,
  };
}
