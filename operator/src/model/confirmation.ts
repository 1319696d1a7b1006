/**
 * The question for the password before a write. However many requests are refused at once, there is one question, and they all go on or
 * give up with it.
 *
 * States: idle; asked (a dialog stands there), which ends with `settle(true)` after the server took the password, or `settle(false)` when
 * the operator gave up.
 */
import { store, useStore } from "./store.ts";

const asked = store<PromiseWithResolvers<boolean> | null>(null);

/** Asks; returns when the server has taken the password, and throws `refusal` when the operator gives up. */
export async function confirmAgain(refusal: Error): Promise<void> {
  if (!asked.get()) asked.set(Promise.withResolvers<boolean>());
  if (!(await asked.get()?.promise)) throw refusal;
}

/** Ends the question. */
export function settle(isConfirmed: boolean): void {
  const ending = asked.get();
  asked.set(null);
  ending?.resolve(isConfirmed);
}

/** Whether the question stands, for the dialog. */
export function useIsAsked(): boolean {
  return useStore(asked) !== null;
}
