/** What reads, changes and writes back must happen one after the other, or two changes at once lose one of them. */

const turns = new Map<string, Promise<unknown>>();

/** Runs `action` after all earlier ones with the same key in this process have ended, with success or not. */
export async function inTurn<T>(key: string, action: () => Promise<T>): Promise<T> {
  const turn = (turns.get(key) ?? Promise.resolve()).then(action, action);
  turns.set(key, turn);
  try {
    return await turn;
  } finally {
    if (turns.get(key) === turn) turns.delete(key);
  }
}
