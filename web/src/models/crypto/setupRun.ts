/**
 * One run of "make a recovery key, show it, check it, store it".
 *
 *   making ─▶ showing ─▶ checking ─▶ storing ─▶ done
 *                ▲__________|  |         |  ▲
 *                ▲_____________|_____ failed
 *
 * The run lives outside the view, so that leaving the screen and coming back within one visit shows the same key and
 * not a second one.
 */
import type { MatrixClient } from "matrix-js-sdk";
import type { GeneratedSecretStorageKey } from "matrix-js-sdk/lib/crypto-api/index.js";
import { create } from "zustand";
import { deviceName } from "../session/device.ts";
import { type Failure, failureOf } from "../session/failure.ts";
import { CancelledError, knowsPassword } from "../session/uia.ts";
import { GROUPS, matchesGroups } from "./recoveryKey.ts";
import { makeRecoveryKey, prepareIdentity, recoveryKeyName, type StoreStep, storeUnderRecoveryKey } from "./setup.ts";

export type SetupRun =
  | { stage: "making" }
  | { stage: "showing"; encoded: string }
  | { stage: "checking"; encoded: string; asked: [number, number] }
  | { stage: "storing"; step: StoreStep }
  | { stage: "failed"; encoded: string; failure: Failure }
  | { stage: "done" };

/** The run on the screen. */
export const useSetupRun = create<SetupRun>()(() => ({ stage: "making" }));

const NO_PASSWORD: Failure = { text: "Your keys can only be stored with your password." };

let key: GeneratedSecretStorageKey | null = null;
let making: Promise<void> | null = null;

function show(run: SetupRun): void {
  useSetupRun.setState(run, true);
}

/** Begins a run, or shows the one that is under way. */
export function beginSetup(client: MatrixClient): Promise<void> {
  making ??= make(client);
  return making;
}

async function make(client: MatrixClient): Promise<void> {
  const made = await makeRecoveryKey(client);
  key = { ...made, keyInfo: { ...made.keyInfo, name: recoveryKeyName(deviceName(), new Date()) } };
  show({ stage: "showing", encoded: made.encodedPrivateKey ?? "" });
  // With the password of a moment ago at hand, the identity is published while the person reads. A failure shows later,
  // when it is tried again before the keys are stored.
  if (knowsPassword()) await prepareIdentity(client).catch(() => undefined);
}

/** The key is said to be saved: asks for two of its groups. */
export function beginCheck(): void {
  const run = useSetupRun.getState();
  if (run.stage === "showing") show({ stage: "checking", encoded: run.encoded, asked: twoGroups() });
}

/** Back to the key, from the check or after a failure. */
export function showKeyAgain(): void {
  const run = useSetupRun.getState();
  if ("encoded" in run) show({ stage: "showing", encoded: run.encoded });
}

/** Checks what was typed and stores the keys. False when it does not match; nothing happened then. */
export async function finishCheck(client: MatrixClient, typed: string): Promise<boolean> {
  const run = useSetupRun.getState();
  if (run.stage !== "checking" || !matchesGroups(run.encoded, run.asked, typed)) return false;
  await store(client, run.encoded);
  return true;
}

/** Tries again to store the keys; the check was passed before. */
export async function retryStore(client: MatrixClient): Promise<void> {
  const run = useSetupRun.getState();
  if (run.stage === "failed") await store(client, run.encoded);
}

async function store(client: MatrixClient, encoded: string): Promise<void> {
  if (!key) return;
  try {
    await storeUnderRecoveryKey(client, key, (step) => show({ stage: "storing", step }));
    show({ stage: "done" });
  } catch (error) {
    const failure = error instanceof CancelledError ? NO_PASSWORD : failureOf(error, "other");
    show({ stage: "failed", encoded, failure });
  }
}

/** Ends the run; the key is wiped from memory. */
export function endSetup(): void {
  key?.privateKey.fill(0);
  key = null;
  making = null;
  show({ stage: "making" });
}

/** Two different groups, from the second on: the first begins alike in every key. */
function twoGroups(): [number, number] {
  const [a = 0, b = 0] = crypto.getRandomValues(new Uint8Array(2));
  const first = 2 + (a % (GROUPS - 2));
  const second = first + 1 + (b % (GROUPS - first));
  return [first, second];
}
