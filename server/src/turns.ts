/** Long work in one process without the others in it having to wait for its end. */

/** Lets whatever else waits in this process be done first. */
export function othersTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** `flatMap` for long lists: after so many items everybody else has a turn. */
export async function inTurns<T, U>(
  list: readonly T[],
  turn_items: number,
  each: (item: T, index: number) => readonly U[],
): Promise<U[]> {
  const found: U[] = [];
  for (const [i, item] of list.entries()) {
    if (i > 0 && i % turn_items === 0) await othersTurn();
    found.push(...each(item, i));
  }
  return found;
}
