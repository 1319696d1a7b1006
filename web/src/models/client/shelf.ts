/** The place for what has not reached the server: on the disk as long as there is space, else in the tab alone, which asks before it closes. */
import type { Closing } from "./closing.ts";
import type { Unsent, UnsentStore } from "./unsentStore.ts";

/**
 * What is beyond these is in the tab alone.
 *
 * `file_bytes` are those of all files together: some photographs and a document. Each is sealed and opened in one piece, and all of
 * them are in memory when the messenger starts, also on a phone, so there can not be many more.
 */
export const LIMITS = { messages: 500, bytes: 4 * 1024 * 1024, file_bytes: 32 * 1024 * 1024 } as const;

export interface Shelf {
  /** What is kept, or is just being written, under this transaction id. */
  get(txnId: string): Unsent | undefined;
  /** Keeps it, anew where it was kept. Until it is on the disk the tab asks on behalf of `owner`; false when it does not get there. */
  keep(owner: object, unsent: Unsent): Promise<boolean>;
  forget(txnId: string): void;
  /** Gives what was kept before this was opened, in the order of writing. */
  restore(put: (all: Unsent[]) => void): void;
  stop(): void;
}

export function openShelf(store: Promise<UnsentStore>, closing: Closing): Shelf {
  const kept = new Map<string, Unsent>();
  const next = queueOf(store);
  return {
    get: (txnId) => kept.get(txnId),
    async keep(owner, unsent) {
      closing.hold(owner);
      if (!kept.has(unsent.txnId) && !fits(kept, unsent)) return false;
      kept.set(unsent.txnId, unsent);
      return next(async (open) => {
        // What is over, or was kept anew, by the time of its turn is not written.
        if (kept.get(unsent.txnId) !== unsent) return;
        await open.put(unsent);
        closing.release(owner);
      });
    },
    forget(txnId) {
      if (kept.delete(txnId)) void next((open) => open.remove(txnId));
    },
    restore(put) {
      void next(async (open) => {
        const all = await open.all();
        for (const unsent of all) kept.set(unsent.txnId, unsent);
        put(all);
      });
    },
    stop: () => void next(async (open) => open.close()),
  };
}

type Act = (store: UnsentStore) => Promise<void>;

/** One after the other: what is removed was put before. Answers whether it went well: where nothing can be stored, all is sent all the same. */
function queueOf(store: Promise<UnsentStore>): (act: Act) => Promise<boolean> {
  let last: Promise<unknown> = store;
  return (act) => {
    const run = async () => act(await store);
    const done = last.then(run, run).then(
      () => true,
      (error: unknown) => {
        console.warn("Unsent messages are not kept:", error);
        return false;
      },
    );
    last = done;
    return done;
  };
}

function fits(kept: Map<string, Unsent>, unsent: Unsent): boolean {
  const all = [...kept.values(), unsent];
  const sum = (of: (each: Unsent) => number) => all.reduce((bytes, each) => bytes + of(each), 0);
  return (
    all.length <= LIMITS.messages &&
    sum((each) => JSON.stringify(each).length) <= LIMITS.bytes &&
    sum(({ upload }) => upload?.file.size ?? 0) <= LIMITS.file_bytes
  );
}
