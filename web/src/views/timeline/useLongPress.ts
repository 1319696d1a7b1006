import { type TouchEvent, useRef } from "react";

const HOLD_MS = 500;

/** A finger that rests on something for half a second: what a right click is with a mouse. Moving it means scrolling. */
export function useLongPress(onHold: (at: { x: number; y: number }) => void) {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const stop = () => clearTimeout(timer.current);
  const onTouchStart = (event: TouchEvent) => {
    const touch = event.touches[0];
    stop();
    if (!touch || event.touches.length > 1) return;
    const at = { x: touch.clientX, y: touch.clientY };
    timer.current = setTimeout(() => onHold(at), HOLD_MS);
  };
  return { onTouchStart, onTouchMove: stop, onTouchEnd: stop, onTouchCancel: stop };
}
