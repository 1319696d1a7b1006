import { useEffect, useEffectEvent, useState } from "react";
import type { TimelineModel } from "../../models/room/model.ts";
import type { Row } from "../../models/timeline/rows.ts";
import { toast } from "../../ui/Toast.tsx";
import type { Scroller } from "./scroller.ts";

/** How long a message stays marked after a jump to it. */
const MARK_MS = 2_000;

interface JumpOptions {
  scroller: Scroller;
  timeline: TimelineModel;
  rows: Row[];
  ready: boolean;
  /** The message in the address, shown once at the beginning. */
  target: string | undefined;
}

/** Jumps to messages; one that is not loaded is fetched first, and the jump waits for it. */
export function useJump({ scroller, timeline, rows, ready, target }: JumpOptions) {
  const [wanted, setWanted] = useState<string | null>(target ?? null);
  const [marked, setMarked] = useState<string | null>(null);
  const [seenTarget, setSeenTarget] = useState(target);
  if (target !== seenTarget) {
    setSeenTarget(target);
    setWanted(target ?? null);
  }
  const show = useEffectEvent((eventId: string, among: Row[]) => {
    if (among.length === 0 || !scroller.toEvent(eventId)) return;
    setMarked(eventId);
    setWanted(null);
  });
  useEffect(() => {
    if (!wanted || !ready) return;
    const frame = requestAnimationFrame(() => show(wanted, rows));
    return () => cancelAnimationFrame(frame);
  }, [wanted, ready, rows]);
  useEffect(() => {
    if (!wanted || !ready) return;
    const giveUp = () => {
      setWanted(null);
      toast("That message cannot be found here.");
    };
    timeline.reach(wanted).then((found) => found || giveUp(), giveUp);
  }, [wanted, ready, timeline]);
  useEffect(() => {
    if (!marked) return;
    const timer = setTimeout(() => setMarked(null), MARK_MS);
    return () => clearTimeout(timer);
  }, [marked]);
  return { marked, goTo: setWanted };
}
