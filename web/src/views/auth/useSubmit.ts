import { type FormEvent, useEffect, useState } from "react";
import { type Doing, type Failure, failureOf } from "../../models/session/failure.ts";
import { CancelledError } from "../../models/session/uia.ts";

export interface Submit {
  busy: boolean;
  failure: Failure | null;
  /** Seconds until the server takes another attempt; 0 when it does now. */
  wait_s: number;
  submit: (event?: FormEvent) => void;
  clear: () => void;
}

/** Runs an action once at a time, and keeps the sentence that says why it failed. A closed password dialog is no failure. */
export function useSubmit(doing: Doing, action: () => Promise<unknown>): Submit {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const { wait_s, restart } = useCountdown(failure?.retryAt_ms);
  const run = async () => {
    setBusy(true);
    setFailure(null);
    try {
      await action();
    } catch (error) {
      restart();
      if (!(error instanceof CancelledError)) setFailure(failureOf(error, doing));
    }
    setBusy(false);
  };
  const submit = (event?: FormEvent) => {
    event?.preventDefault();
    if (!busy && wait_s === 0) void run();
  };
  return { busy, failure, wait_s, submit, clear: () => setFailure(null) };
}

function useCountdown(until_ms: number | undefined): { wait_s: number; restart: () => void } {
  const [now_ms, setNow] = useState(() => Date.now());
  const restart = () => setNow(Date.now());
  useEffect(() => {
    if (until_ms === undefined) return;
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [until_ms]);
  return { wait_s: until_ms === undefined ? 0 : Math.max(0, Math.ceil((until_ms - now_ms) / 1_000)), restart };
}
