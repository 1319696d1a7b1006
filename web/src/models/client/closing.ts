/** Asks before the tab is closed or left while something would be lost by it. The words of the question are the browser's. */

export interface Closing {
  /** Something is in this tab alone: a file on its way, a message that could not be kept. */
  hold(what: object): void;
  /** It has arrived, is kept, or was given up. */
  release(what: object): void;
  /** What is held by now. */
  all(): object[];
  stop(): void;
}

export function guardClosing(page: Pick<Window, "addEventListener" | "removeEventListener"> = window): Closing {
  const held = new Set<object>();
  const ask = (event: Event) => event.preventDefault();
  const look = () => {
    // A page that listens for nothing is kept by the browser for the way back.
    if (held.size > 0) page.addEventListener("beforeunload", ask);
    else page.removeEventListener("beforeunload", ask);
  };
  return {
    hold(what) {
      held.add(what);
      look();
    },
    release(what) {
      held.delete(what);
      look();
    },
    all: () => [...held],
    stop() {
      held.clear();
      look();
    },
  };
}
