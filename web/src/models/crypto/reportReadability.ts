/** Tells a Parley server, every few minutes, how many encrypted messages this device could read. */
import { type MatrixClient, type MatrixEvent, MatrixEventEvent, Method } from "matrix-js-sdk";
import { isTold } from "../session/privacy.ts";
import { createTally, unreadableBy } from "./readability.ts";

const FEATURE = "io.parley.decryptions";
const EVERY_MS = 300_000;

/** Counts from here on until the signal aborts. Servers that do not ask for it are told nothing. */
export async function reportReadability(client: MatrixClient, signal: AbortSignal): Promise<void> {
  if (!(await client.doesServerSupportUnstableFeature(FEATURE)) || signal.aborted) return;
  const tally = createTally();
  const began_ms = Date.now();
  const listen = (event: MatrixEvent) => {
    const id = event.getId();
    // What is older was meant for the devices of its time, and one's own messages are read where they were written.
    if (!id || event.getTs() < began_ms || event.getSender() === client.getUserId()) return;
    const why = event.isDecryptionFailure() ? unreadableBy(event.decryptionFailureReason) : undefined;
    if (why) tally.unread(id, why, Date.now());
    else if (!event.isDecryptionFailure()) tally.read(id, Date.now());
  };
  const send = () => {
    const report = tally.take(Date.now());
    // A report that does not arrive is no loss to anybody, and one that the person does not want is none.
    if (report && isTold(client, "decryption_reports")) tell(client, report).catch(() => {});
  };
  client.on(MatrixEventEvent.Decrypted, listen);
  const timer = setInterval(send, EVERY_MS);
  signal.addEventListener("abort", () => {
    clearInterval(timer);
    client.off(MatrixEventEvent.Decrypted, listen);
  });
}

async function tell(client: MatrixClient, report: object): Promise<void> {
  await client.http.authedRequest(Method.Post, "/decryptions", undefined, report, { prefix: "/_parley/client/v1" });
}
