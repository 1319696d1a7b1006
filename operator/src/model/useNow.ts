import { useEffect, useState } from "react";

/** The time in milliseconds, again every half minute: for "4 min ago". */
export function useNow(): number {
  const [now_ms, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  return now_ms;
}
