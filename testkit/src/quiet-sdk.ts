// The SDK as a guest in a test: it says nothing, waits for no other client's sake, and leaves nothing behind that keeps the
// process alive. To be imported before any other part of the SDK, some of which keep the logger's functions.

import { type Logger, logger } from "matrix-js-sdk/lib/logger.js";
import { RustBackupManager } from "matrix-js-sdk/lib/rust-crypto/backup.js";

/** How many of its last warnings are kept, for the error of a wait that fails. */
const KEPT_LINES = 10;

/** Each request gets a timer of this and more, which nothing clears when the answer comes. */
const LOCAL_TIMEOUT_MS = 15_000;
const { setTimeout: original } = globalThis;
globalThis.setTimeout = Object.assign((...call: Parameters<typeof original>) => {
  const timer = original(...call);
  return (call[1] ?? 0) >= LOCAL_TIMEOUT_MS ? timer.unref() : timer;
}, original);

/** Parts of the SDK do not know which client they work for, and write through this one. It is a logger of loglevel. */
const shared = logger as unknown as { methodFactory: () => () => void; rebuild(): void };
shared.methodFactory = () => () => {};
shared.rebuild();

/** Many clients at once would upload keys at one moment, so the SDK waits up to ten seconds before it does. */
(RustBackupManager as { maxBackupLoopStartDelayMillis: number }).maxBackupLoopStartDelayMillis = 0;

export type QuietLogger = Logger & { lastWarnings(): string[] };

/** A logger that writes nothing and remembers the last warnings and errors. */
export function quietLogger(): QuietLogger {
  const kept: string[] = [];
  const keep = (...parts: unknown[]) => {
    kept.push(parts.map(String).join(" "));
    kept.splice(0, kept.length - KEPT_LINES);
  };
  const silent = () => {};
  const self: QuietLogger = {
    trace: silent,
    debug: silent,
    info: silent,
    warn: keep,
    error: keep,
    getChild: () => self,
    lastWarnings: () => [...kept],
  };
  return self;
}
