/**
 * What the log promises, checked on a recorded history. Each check gives the violations that it found, so that a test can
 * demand none of the real log and some of one with a planted bug.
 */

/** One request as its client saw it. */
export interface Sent {
  writer: string;
  /** Unique for each message; a retry carries the same. */
  key: string;
  /** The answers that the client got, one for each attempt that was answered. */
  answers: string[];
  /** The order in which this writer began its messages. */
  number: number;
}

export interface Stored {
  position: number;
  eventId: string;
}

/** G1: every acknowledged message is in the log. */
export function lost(sent: readonly Sent[], stored: readonly Stored[]): string[] {
  const ids = new Set(stored.map((entry) => entry.eventId));
  return sent.flatMap(({ key, answers }) =>
    answers
      .filter((answer) => !ids.has(answer))
      .map((answer) => `${key}: ${answer} was acknowledged and is not in the log`),
  );
}

/** G2: each message is in the log at most once, and all answers to its attempts are the same. */
export function doubled(
  sent: readonly Sent[],
  attempts: ReadonlyMap<string, readonly string[]>,
  stored: readonly Stored[],
): string[] {
  const ids = new Set(stored.map((entry) => entry.eventId));
  return sent.flatMap(({ key, answers }) => {
    const differing =
      new Set(answers).size > 1 ? [`${key}: was answered with ${[...new Set(answers)].join(" and ")}`] : [];
    const present = (attempts.get(key) ?? []).filter((id) => ids.has(id));
    return present.length > 1 ? [...differing, `${key}: is in the log as ${present.join(" and ")}`] : differing;
  });
}

/** G3: what a writer was answered before it sent the next message stands before it. */
export function reordered(sent: readonly Sent[], stored: readonly Stored[]): string[] {
  const at = new Map(stored.map((entry) => [entry.eventId, entry.position]));
  const byWriter = Map.groupBy(sent, (each) => each.writer);
  return [...byWriter.values()].flatMap((messages) => {
    const inOrder = messages.toSorted((a, b) => a.number - b.number).filter((each) => each.answers.length > 0);
    return inOrder.slice(1).flatMap((each, i) => {
      const before = inOrder[i] as Sent;
      const isRight = (at.get(before.answers[0] as string) ?? 0) < (at.get(each.answers[0] as string) ?? Infinity);
      return isRight ? [] : [`${each.key} stands before ${before.key}, which was acknowledged earlier`];
    });
  });
}

/** G3 and G4: a reader that follows the log sees every entry, once, in the order of positions. */
export function skipped(seen: readonly Stored[], stored: readonly Stored[]): string[] {
  const violations: string[] = [];
  for (const [i, entry] of seen.entries())
    if (i > 0 && entry.position <= (seen[i - 1] as Stored).position)
      violations.push(`position ${entry.position} came after ${seen[i - 1]?.position}`);
  const ids = new Set(seen.map((entry) => entry.eventId));
  for (const entry of stored)
    if (!ids.has(entry.eventId)) violations.push(`the reader never saw ${entry.eventId} at ${entry.position}`);
  return violations;
}

/** G3: no position is ever seen with two entries, whoever looks and whenever. */
export function conflicting(views: readonly (readonly Stored[])[]): string[] {
  const at = new Map<number, string>();
  const violations: string[] = [];
  for (const { position, eventId } of views.flat()) {
    const first = at.get(position);
    if (first !== undefined && first !== eventId)
      violations.push(`position ${position} was seen with ${first} and with ${eventId}`);
    at.set(position, eventId);
  }
  return violations;
}
