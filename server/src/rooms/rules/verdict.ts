import { matrixError } from "../../errors.ts";
import type { Errcode, MatrixError } from "../../errors.ts";

/** What is wrong with a value, as a sentence for the client, and the code to say it with. */
export interface Fault {
  readonly errcode: Errcode;
  readonly reason: string;
}

/** Why an event may not enter the room. */
export interface Refusal extends Fault {
  readonly allowed: false;
  /**
   * The rule that refused, by its number in the authorisation rules of room version 12. Version 11 has the same rules
   * in the same order: its numbers are one lower from 3 on, and rules 2 and 10.4 are missing there. Logs and tests use this.
   */
  readonly rule: string;
}

export type Verdict = { readonly allowed: true } | Refusal;

/** One object for every permission, so that a permitted message allocates nothing. */
export const ALLOWED: Verdict = Object.freeze({ allowed: true });

/** A refusal by `rule`. Malformed content says `M_BAD_JSON`; what the sender may not do says `M_FORBIDDEN`. */
export function refuse(rule: string, reason: string, errcode: Errcode = "M_FORBIDDEN"): Refusal {
  return { allowed: false, rule, reason, errcode };
}

/** The error that tells a client about a fault or a refusal. */
export function faultError(fault: Fault): MatrixError {
  return matrixError(fault.errcode, fault.reason);
}
