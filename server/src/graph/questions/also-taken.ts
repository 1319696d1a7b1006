/**
 * What was taken is read wherever it was brought, and by whoever has it: so the other questions say it beside what can be read here. Each
 * of these adds to one of them.
 */
import { day, type Found, plural, type Row } from "../answer.ts";
import type { LegalAccess } from "../model.ts";
import type { Graph } from "../port.ts";
import { type OfWhom, pictureOf, subjectName, type Taken, takenOf } from "./taken.ts";

/** Who fetched an export that is not their own, each time. */
const byOthers = ({ exports, fetches }: Taken) =>
  exports.flatMap((each) =>
    (fetches.get(each.exportId) ?? []).filter(({ userId }) => userId !== each.userId).map((fetch) => ({ each, fetch })),
  );

const accessWords = ({ accessId, caseReference, ends_ms }: LegalAccess) =>
  `legal access ${accessId} (${caseReference}), until ${day(ends_ms)}`;

/** To who can read a room: who has a copy of what was written there, and who may take one. */
export async function withTakers(
  graph: Graph,
  found: Found,
  { roomId, now_ms }: { roomId: string; now_ms: number },
): Promise<Found> {
  const what = await takenOf(graph, { of: "room", roomId }, now_ms);
  const { access, names } = what;
  const gone = byOthers(what);
  const row = (userId: string, rest: Row): Row => {
    const person = names.people.get(userId);
    return { user_id: userId, name: person?.name ?? null, ...rest, status: person?.status ?? "unknown" };
  };
  const partOf = (of: OfWhom) => (of.roomId === null ? ` of ${names.person(of.userId as string)}` : "");
  const picture = pictureOf({ ...what, exports: gone.map(({ each }) => each) });
  return {
    ...found,
    details: [
      ...(found.details ?? []),
      ...access.map(
        (each) =>
          `${names.person(each.holder)} may export what the server has stored of ${each.roomId === null ? `${names.person(each.userId as string)}, who was in it` : "it"}: ${accessWords(each)}.`,
      ),
      ...(gone.length > 0
        ? [`${plural(gone.length, "time")} somebody else fetched an export with what was written in it.`]
        : []),
    ],
    items: [
      ...found.items,
      ...access.map((each) =>
        row(each.holder, {
          how: "legal access",
          via: `${each.caseReference}${partOf(each)}`,
          since_ts: each.granted_ms,
          by: each.grantedBy,
        }),
      ),
      ...gone.map(({ each, fetch }) =>
        row(fetch.userId, {
          how: "fetched export",
          via: `export ${each.exportId}${partOf(each)}`,
          since_ts: fetch.fetched_ms,
          by: each.madeBy,
        }),
      ),
    ],
    nodes: [...found.nodes, ...picture.nodes],
    edges: [...found.edges, ...picture.edges],
  };
}

/** To what somebody reaches: what they fetched of others, and what they may. */
export async function withTakings(
  graph: Graph,
  found: Found,
  { userId, now_ms }: { userId: string; now_ms: number },
): Promise<Found> {
  const what = await takenOf(graph, { of: "by", userId }, now_ms);
  const { access, names } = what;
  const own = byOthers(what).filter(({ fetch }) => fetch.userId === userId);
  const row = (of: OfWhom, rest: Row): Row => ({
    room_id: of.roomId,
    name: of.roomId === null ? `Data of ${subjectName(of, names)}` : subjectName(of, names),
    ...rest,
    manages: false,
    encrypted: null,
  });
  const picture = pictureOf({ ...what, exports: own.map(({ each }) => each) });
  return {
    ...found,
    details: [
      ...(found.details ?? []),
      ...access.map(
        (each) => `They may export what the server has stored of ${subjectName(each, names)}: ${accessWords(each)}.`,
      ),
      ...(own.length > 0 ? [`They fetched exports of others ${plural(own.length, "time")}.`] : []),
    ],
    items: [
      ...found.items,
      ...access.map((each) =>
        row(each, {
          type: "legal access",
          how: "legal access",
          via: each.caseReference,
          since_ts: each.granted_ms,
          by: each.grantedBy,
        }),
      ),
      ...own.map(({ each, fetch }) =>
        row(each, {
          type: "export",
          how: "fetched export",
          via: `export ${each.exportId}`,
          since_ts: fetch.fetched_ms,
          by: each.madeBy,
        }),
      ),
    ],
    nodes: [...found.nodes, ...picture.nodes],
    edges: [...found.edges, ...picture.edges],
  };
}

/** To why somebody can read a room: that they have a copy of it, or may take one. */
export async function withCopies(
  graph: Graph,
  found: Found,
  { userId, roomId, now_ms }: { userId: string; roomId: string; now_ms: number },
): Promise<Found> {
  const what = await takenOf(graph, { of: "room", roomId }, now_ms);
  const { access, names } = what;
  const own = byOthers(what).filter(({ fetch }) => fetch.userId === userId);
  const held = access.filter(({ holder }) => holder === userId);
  return {
    ...found,
    details: [
      ...(found.details ?? []),
      ...held.map(
        (each) => `They may export what the server has stored of ${subjectName(each, names)}: ${accessWords(each)}.`,
      ),
      ...own.map(
        ({ each, fetch }) =>
          `They fetched export ${each.exportId} of ${subjectName(each, names)}, ${day(fetch.fetched_ms)}: what was written until ${day(each.made_ms)} is in it.`,
      ),
    ],
  };
}

/** To what a device exposed: the exports that were fetched with it. */
export async function withFetched(
  graph: Graph,
  found: Found,
  { userId, deviceId, now_ms }: { userId: string; deviceId: string; now_ms: number },
): Promise<Found> {
  const { exports, fetches, names } = await takenOf(graph, { of: "by", userId }, now_ms);
  const own = exports.flatMap((each) =>
    (fetches.get(each.exportId) ?? [])
      .filter((fetch) => fetch.userId === userId && fetch.deviceId === deviceId)
      .map((fetch) => ({ each, fetch })),
  );
  return {
    ...found,
    details: [
      ...(found.details ?? []),
      ...own.map(
        ({ each, fetch }) =>
          `Export ${each.exportId} of ${subjectName(each, names)} was fetched with it, ${day(fetch.fetched_ms)}: it may be stored there.`,
      ),
    ],
  };
}

/** To what would change without a person or their role: legal access that nobody else could use. */
export async function withHeld(
  graph: Graph,
  found: Found,
  { userId, now_ms }: { userId: string; now_ms: number },
): Promise<Found> {
  const { access, names } = await takenOf(graph, { of: "by", userId }, now_ms);
  return {
    ...found,
    details: [
      ...(found.details ?? []),
      ...access.map((each) => `Nobody else could use ${accessWords(each)}, to data of ${subjectName(each, names)}.`),
    ],
  };
}
