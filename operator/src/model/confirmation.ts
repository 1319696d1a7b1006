/**
 * The question for the password before a write. However many requests are refused at once, there is one question, and they all go on or
 * give up with it.
 *
 * States: idle; asked (a dialog stands there), which ends with `settle(true)` after the server took the password, or `settle(false)` when
 * the operator gave up.
 */
import { useSyncExternalStore } from "react";

interface Asked {
  promise: Promise<boolean>;
  resolve: (isConfirmed: boolean) => void;
}

let asked: Asked | null = null;
const listeners = new Set<() => void>();

function tell(): void {
  for (const listener of listeners) listener();
}

/** Asks; returns when the server has taken the password, and throws `refusal` when the operator gives up. */
export async function confirmAgain(refusal: Error): Promise<void> {
  if (!asked) {
    asked = Promise.withResolvers<boolean>();
    tell();
  }
  if (!(await asked.promise)) throw refusal;
}

/** Ends the question. */
export function settle(isConfirmed: boolean): void {
  const ending = asked;
  asked = null;
  tell();
  ending?.resolve(isConfirmed);
}

/** Whether the question stands, for the dialog. */
export function useIsAsked(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => asked !== null,
  );
}
