/** Probes of an executed release, asked as the kubelet asks: over HTTP, with the manifest's own time-outs and thresholds. */
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { Probe } from "./executed-manifests.ts";

/** More often than the kubelet, so that a test does not wait for its period. How many may fail is worked out from the periods. */
const ASKED_EVERY_MS = 250;

/** Asks once. Any status from 200 to 399 is success. */
export async function ask(probe: Probe, portOf: (port: number | string) => number): Promise<boolean> {
  const timeout_ms = (probe.timeoutSeconds ?? 1) * 1_000;
  try {
    if (probe.httpGet) {
      const url = `http://127.0.0.1:${portOf(probe.httpGet.port)}${probe.httpGet.path}`;
      const { status } = await fetch(url, {
        signal: AbortSignal.timeout(timeout_ms),
        redirect: "manual",
        headers: { connection: "close", "user-agent": "kube-probe/1.35" },
      });
      return status >= 200 && status < 400;
    }
    const port = portOf((probe.tcpSocket as { port: number | string }).port);
    const socket = connect({ port, host: "127.0.0.1" });
    await once(socket, "connect");
    socket.destroy();
    return true;
  } catch {
    return false;
  }
}

/** For how long a probe may go on failing before the kubelet does something. */
export function patience_ms({ periodSeconds = 10, failureThreshold = 3 }: Probe): number {
  return periodSeconds * failureThreshold * 1_000;
}

/** Asks until `isOver`, and tells each answer together with how long the answers have been no. */
export async function watch(
  ask: () => Promise<boolean>,
  { isOver, tell }: { isOver: () => boolean; tell: (isGood: boolean, failing_ms: number) => void },
): Promise<void> {
  let good_ms = performance.now();
  while (!isOver()) {
    const isGood = await ask();
    if (isOver()) return;
    if (isGood) good_ms = performance.now();
    tell(isGood, performance.now() - good_ms);
    await wait(ASKED_EVERY_MS);
  }
}
