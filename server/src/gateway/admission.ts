/**
 * Whose turn it is to be let in. When a gateway fails, all of its clients come to the others within seconds, and each costs
 * questions to the database and an answer of its own. All at once they would stand in each other's way until the first of them gave
 * up and came again, which is more work for nothing. One after the other, some at a time, the first are back in a moment, and
 * what those who have their turn together ask goes to the database together.
 */
import { limits } from "../limits.ts";
import type { Seams } from "../seams.ts";

export interface Admission {
  /**
   * Resolves when it is the caller's turn, with what ends it. Turns come in the order in which they were asked for. One that is not
   * ended after `limits.streamTurn_ms` no longer counts: a client that does not read keeps nobody waiting.
   */
  turn(): Promise<() => void>;
}

/** Lets so many have their turn at the same time. */
export function openAdmission(seams: Seams, places: number = limits.streamTurns): Admission {
  const waiting = new Set<() => void>();
  let taken = 0;

  function admit(): void {
    for (const begin of waiting) {
      if (taken >= places) return;
      waiting.delete(begin);
      taken += 1;
      begin();
    }
  }

  function begin(resolve: (end: () => void) => void): void {
    let isOver = false;
    const end = () => {
      if (isOver) return;
      isOver = true;
      timer.cancel();
      taken -= 1;
      admit();
    };
    const timer = seams.after(limits.streamTurn_ms, end);
    resolve(end);
  }

  return {
    turn: () =>
      new Promise((resolve) => {
        waiting.add(() => begin(resolve));
        admit();
      }),
  };
}
