import { useEffect, useLayoutEffect, useState } from "react";
import { isPrepend, SEEN_AFTER_MS } from "../../models/timeline/reading.ts";
import type { TimelineModel, TimelineSnapshot } from "../../models/room/model.ts";
import type { Row } from "../../models/timeline/rows.ts";
import { Scroller } from "./scroller.ts";

/** The scroller of a timeline, told of each change of its rows. */
export function useScroller({ rows, ready }: TimelineSnapshot): Scroller {
  const [scroller] = useState(() => new Scroller());
  useLayoutEffect(() => scroller.update(rows, ready), [scroller, rows, ready]);
  return scroller;
}

/** Whether older rows have come before the first, so that the list must keep its place from the end. */
export function useShift(rows: Row[]): boolean {
  const [seen, setSeen] = useState({ rows, shift: false });
  if (seen.rows === rows) return seen.shift;
  const shift = isPrepend(seen.rows, rows);
  setSeen({ rows, shift });
  return shift;
}

/** Fetches older messages when the reader comes near the first, and answers what to do on each scroll. */
export function useOlder(timeline: TimelineModel, snapshot: TimelineSnapshot, scroller: Scroller): () => void {
  const may = snapshot.ready && snapshot.hasOlder && !snapshot.loadingOlder && snapshot.error === null;
  const { rows } = snapshot;
  const loadMore = () => {
    if (may && scroller.wantsOlder()) void timeline.loadOlder();
  };
  useEffect(() => {
    if (may && rows.length >= 0 && scroller.wantsOlder()) void timeline.loadOlder();
  }, [may, rows, scroller, timeline]);
  return loadMore;
}

/** Says what has been read: a message that was half visible for half a second in a window that has the focus. */
export function useReadMarker(timeline: TimelineModel, rows: Row[], scroller: Scroller): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const mark = () => {
      if (document.visibilityState !== "visible" || !document.hasFocus()) return;
      const eventId = rows.length > 0 && scroller.lastSeen();
      if (eventId) timeline.markRead(eventId);
    };
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(mark, SEEN_AFTER_MS);
    };
    later();
    const options = { capture: true, passive: true };
    document.addEventListener("scroll", later, options);
    window.addEventListener("focus", later);
    document.addEventListener("visibilitychange", later);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("scroll", later, options);
      window.removeEventListener("focus", later);
      document.removeEventListener("visibilitychange", later);
    };
  }, [timeline, rows, scroller]);
}
