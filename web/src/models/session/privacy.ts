/**
 * What the person lets others learn from their devices. It is account data of the server's own, so that it holds on every device, and
 * the server keeps to it whatever another app does. What is not said is on. docs/protocol/delivery.md, "What people decide".
 */
import { ClientEvent, type MatrixClient, type MatrixEvent } from "matrix-js-sdk";

const TYPE = "io.parley.privacy";

export type PrivacyChoice = "delivery_receipts" | "decryption_reports";

type Choices = Partial<Record<PrivacyChoice, unknown>>;

/** Whether it is on. */
export function isTold(client: MatrixClient, what: PrivacyChoice): boolean {
  return choicesOf(client)[what] !== false;
}

/** Switches it on or off, and leaves the rest as it is. Resolves when the sync has brought it back. */
export async function setTold(client: MatrixClient, what: PrivacyChoice, on: boolean): Promise<void> {
  await client.setAccountData(TYPE as never, { ...choicesOf(client), [what]: on } as never);
}

/** Calls `changed` whenever it may have changed, here or on another device; gives what ends that. */
export function followPrivacy(client: MatrixClient, changed: () => void): () => void {
  const listen = (event: MatrixEvent) => event.getType() === TYPE && changed();
  client.on(ClientEvent.AccountData, listen);
  return () => void client.off(ClientEvent.AccountData, listen);
}

function choicesOf(client: MatrixClient): Choices {
  return client.getAccountData(TYPE as never)?.getContent<Choices>() ?? {};
}
