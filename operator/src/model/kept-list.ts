/** Lists that one person has on this device alone. */

/** Those of the list that are what they should be; empty where nothing is kept, or may be. */
export function readList<T>(key: string, isOne: (value: unknown) => value is T): T[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key) ?? "[]");
    return Array.isArray(kept) ? kept.filter(isOne) : [];
  } catch {
    return [];
  }
}

/** Keeps the first of them, and gives those. */
export function keepList<T>(key: string, list: readonly T[], most: number): T[] {
  const kept = list.slice(0, most);
  try {
    localStorage.setItem(key, JSON.stringify(kept));
  } catch {
    // A full or forbidden storage keeps nothing, and stops nobody.
  }
  return kept;
}
