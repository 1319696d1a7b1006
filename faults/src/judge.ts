// What a schedule promised and what became of it: the checks of the log, on what clients were told and saw.

import { doubled, lost, reordered, type Sent, skipped } from "../../testkit/src/log/check.ts";
import type { Found } from "./clients.ts";

export type Seen = {
  sent: readonly Sent[];
  /** The room as it is in the end. */
  found: readonly Found[];
  /** What each reader received, in the order in which it came. */
  received: readonly (readonly string[])[];
};

export type Verdict = {
  acknowledged: number;
  lost: string[];
  doubled: string[];
  reordered: string[];
  /** What a reader did not get, got twice, in another order, or though it is not in the room. */
  misread: string[];
};

/** Checks G1 to G4 on one schedule. */
export function judge({ sent, found, received }: Seen): Verdict {
  const stored = found.map(({ eventId }, i) => ({ position: i + 1, eventId }));
  const positions = new Map(stored.map(({ eventId, position }) => [eventId, position]));
  const attempts = new Map(
    [...Map.groupBy(found, ({ key }) => key)].map(([key, each]) => [key, each.map(({ eventId }) => eventId)]),
  );
  const unknown = (ids: readonly string[]) =>
    ids.filter((id) => !positions.has(id)).map((id) => `a reader received ${id}, which is not in the room`);
  const views = received.map((ids) =>
    ids.flatMap((eventId) => ({ eventId, position: positions.get(eventId) ?? Number.NaN })),
  );
  return {
    acknowledged: sent.filter(({ answers }) => answers.length > 0).length,
    lost: lost(sent, stored),
    doubled: doubled(sent, attempts, stored),
    reordered: reordered(sent, stored),
    misread: [...received.flatMap(unknown), ...views.flatMap((view) => skipped(view, stored))],
  };
}

/** Whether nothing is wrong. */
export function isClean(verdict: Verdict): boolean {
  return [verdict.lost, verdict.doubled, verdict.reordered, verdict.misread].every((list) => list.length === 0);
}
