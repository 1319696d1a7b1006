import { useEffect, useState } from "react";

/** False at first, true once `delay_ms` have passed. */
export function useLater(delay_ms: number): boolean {
  const [later, setLater] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLater(true), delay_ms);
    return () => clearTimeout(timer);
  }, [delay_ms]);
  return later;
}
