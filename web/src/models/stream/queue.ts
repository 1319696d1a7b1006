/**
 * What the stream has brought and the SDK has not asked for yet. It says of itself where it begins: an answer is right only for
 * who stands there.
 */
import type { SyncAnswer } from "./protocol.ts";

/** More than a SDK that is only busy leaves waiting. */
const MOST_ANSWERS = 500;

export interface Queue {
  /** The token that the first answer follows; where there is none, how far the server has told everything. */
  at(): string;
  /** Takes an answer. False where there are too many: the SDK does not take them. */
  push(answer: SyncAnswer): boolean;
  /** The server has told everything up to here. */
  reach(token: string): void;
  /** Where there is no answer: who asked stands where the server has told everything. Gives that token. */
  settle(): string;
  /** The next answer; undefined where there is none. Who takes it stands at its token. */
  shift(): SyncAnswer | undefined;
  size(): number;
}

/** An empty queue that begins at `since`. */
export function createQueue(since: string): Queue {
  const answers: SyncAnswer[] = [];
  let at = since;
  let reached = since;
  return {
    at: () => at,
    push(answer) {
      answers.push(answer);
      reached = answer.next_batch;
      return answers.length <= MOST_ANSWERS;
    },
    reach: (token) => void (reached = token),
    shift() {
      const answer = answers.shift();
      if (answer) at = answer.next_batch;
      return answer;
    },
    settle: () => (at = reached),
    size: () => answers.length,
  };
}
