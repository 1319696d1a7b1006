/**
 * What must end with this process. Node runs the listeners of `exit` when the process ends by itself, by an uncaught error or
 * by `process.exit`. A signal that nobody listens to ends it without them, so these signals are listened to here, and done
 * what they would have done; where others listen too, they decide what the signal means, and `exit` comes in the end.
 */
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const ends = new Set<() => void>();

function endAll(): void {
  for (const end of ends) end();
}

function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  endAll();
  process.off(signal, onSignal);
  process.kill(process.pid, signal);
}

/** Calls `end`, which must be synchronous, when the process ends. Returns what calls that off. */
export function atEndOfProcess(end: () => void): () => void {
  if (ends.size === 0) {
    process.on("exit", endAll);
    for (const signal of signals) process.on(signal, onSignal);
  }
  ends.add(end);
  return () => {
    ends.delete(end);
    if (ends.size > 0) return;
    process.off("exit", endAll);
    for (const signal of signals) process.off(signal, onSignal);
  };
}
