import { useState } from "react";

/** A choice of the person that stays on this device, such as the columns of a table. */
export function useKept<T>(name: string, initial: T): [T, (value: T) => void] {
  const key = `parley.console.${name}`;
  const [value, setValue] = useState<T>(() => read(key) ?? initial);
  const keep = (next: T) => {
    setValue(next);
    try {
      localStorage.setItem(key, JSON.stringify(next));
    } catch {
      // Storage may be blocked or full; the choice then lasts as long as the page.
    }
  };
  return [value, keep];
}

function read<T>(key: string): T | null {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null") as T | null;
  } catch {
    return null;
  }
}
