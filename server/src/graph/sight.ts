/**
 * From when to when somebody sees what was sent into a room. Specification: client-server-api, "Room History Visibility"; the rules
 * are those of rooms/access.ts, on the projection's own rows.
 */
import type { MembershipRow, Stay, Visibility } from "./model.ts";

/** Positions from `from` on, below `until`; null: no end. `from_ms` null: from the beginning. */
export interface Span {
  from: number;
  from_ms: number | null;
  until: number | null;
  until_ms: number | null;
}

export interface Sighted {
  /** Of the one room. */
  visibilities: readonly Visibility[];
  /** Of the one person in it. */
  stays: readonly Stay[];
  membership: MembershipRow | undefined;
}

interface Moment {
  position: number;
  ms: number | null;
}

/** What the person sees, in the order of positions; spans that touch are one. */
export function spansOf({ visibilities, stays, membership }: Sighted): Span[] {
  const isInvited = membership?.membership === "invite" ? membership : undefined;
  const lastJoin = Math.max(0, ...stays.map(({ fromPosition }) => fromPosition));
  const sees = (position: number): boolean => {
    const visibility = visibilities.findLast((each) => each.position <= position)?.visibility ?? "shared";
    if (
      visibility === "world_readable" ||
      stays.some((stay) => isWithin(position, stay.fromPosition, stay.untilPosition))
    )
      return true;
    if (visibility === "shared") return position < lastJoin;
    if (visibility === "joined") return false;
    const invited = stays.some(
      (stay) => stay.invitedPosition !== null && isWithin(position, stay.invitedPosition, stay.fromPosition),
    );
    return invited || (isInvited !== undefined && position >= isInvited.sincePosition);
  };
  const spans: Span[] = [];
  const moments = momentsOf({ visibilities, stays, membership });
  for (const [i, { position, ms }] of moments.entries()) {
    if (!sees(position)) continue;
    const next = moments[i + 1];
    const last = spans.at(-1);
    const [until, until_ms] = [next?.position ?? null, next?.ms ?? null];
    if (last?.until === position) [last.until, last.until_ms] = [until, until_ms];
    else spans.push({ from: position, from_ms: ms, until, until_ms });
  }
  return spans;
}

const isWithin = (position: number, from: number, until: number | null) =>
  from <= position && (until === null || position < until);

/** Between two of these nothing changes. */
function momentsOf({ visibilities, stays, membership }: Sighted): Moment[] {
  const all: Moment[] = [{ position: 0, ms: null }];
  for (const { position, since_ms } of visibilities) all.push({ position, ms: since_ms });
  for (const stay of stays) {
    all.push({ position: stay.fromPosition, ms: stay.from_ms });
    if (stay.untilPosition !== null) all.push({ position: stay.untilPosition, ms: stay.until_ms });
    if (stay.invitedPosition !== null) all.push({ position: stay.invitedPosition, ms: stay.invited_ms });
  }
  if (membership) all.push({ position: membership.sincePosition, ms: membership.since_ms });
  const unique = new Map(all.map((moment) => [moment.position, moment]));
  return [...unique.values()].toSorted((a, b) => a.position - b.position);
}
