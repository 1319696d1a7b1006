/** What is found, as clients get it. Specification: client-server-api, `POST /search`, "Results". */
import { writePageToken } from "../directory/page-token.ts";
import type { LogEntry } from "../log/entry.ts";
import { readEvents } from "../log/for-search.ts";
import { clientEventInRoom } from "../messages/client-event.ts";
import { erasing } from "../messages/erased.ts";
import { tell, walk } from "../messages/page.ts";
import { type Reading, tokenFor } from "../messages/reading.ts";
import { type RelatedBy, relatedAmong } from "../messages/related.ts";
import { membersWho } from "../messages/speakers.ts";
import { readAccess } from "../rooms/access.ts";
import { stateAt } from "../rooms/history.ts";
import type { Found, Match } from "./find.ts";
import type { GroupKey, Token, Wanted } from "./request.ts";
import { textOf } from "./texts.ts";
import { highlightsOf, type Term } from "./words.ts";

/** A match with its event, and the room as the searcher reads it. */
interface Hit {
  match: Match;
  entry: LogEntry;
  reading: Reading;
  json: string;
}

/** The JSON of `room_events`. */
export async function roomEventsOf(found: Found, wanted: Wanted): Promise<string> {
  const hits = await readHits(found, wanted.relatedBy);
  const results: string[] = [];
  // One after the other: a search may not take all connections for itself.
  for (const hit of hits) results.push(await resultOf(hit, wanted));
  const last = found.matches.length === wanted.limit ? found.matches.at(-1) : undefined;
  const { by, after, groups } = wanted;
  const parts = [
    `"count":${found.count}`,
    `"highlights":${JSON.stringify([...new Set(hits.flatMap((hit) => highlightsIn(hit, wanted.term)))])}`,
    `"results":[${results.join(",")}]`,
  ];
  if (last) parts.push(`"next_batch":"${writePageToken(tokenOf(last, by, after?.group))}"`);
  if (groups.length > 0) parts.push(`"groups":${JSON.stringify(groupsOf(hits, wanted, last !== undefined))}`);
  if (wanted.withState) parts.push(`"state":{${(await statesOf(hits)).join(",")}}`);
  return `{${parts.join(",")}}`;
}

/** What was redacted since a moment ago is left out. */
async function readHits({ matches, readings }: Found, relatedBy: RelatedBy): Promise<Hit[]> {
  const [first] = readings.values();
  if (!first || matches.length === 0) return [];
  const entries = await readEvents(
    first.ctx.db.log,
    matches.map(({ eventId }) => eventId),
  );
  const byId = new Map<string, LogEntry>();
  const jsons = new Map<string, string>();
  for (const [roomId, ofRoom] of Map.groupBy(entries, (entry) => entry.roomId as string)) {
    const reading = readings.get(roomId) as Reading;
    const { ctx, room, session } = reading;
    const shown = await erasing(ctx, { room, userId: session.userId }, { entries: ofRoom, wasIn: () => false });
    const readable = ofRoom.filter((entry) => shown(entry) === entry);
    const wanted = await relatedAmong(reading, readable, relatedBy);
    const told = await tell(reading, wanted);
    for (const [index, entry] of wanted.entries()) {
      byId.set(entry.eventId as string, entry);
      jsons.set(entry.eventId as string, told[index] as string);
    }
  }
  return matches.flatMap((match) => {
    const [entry, reading] = [byId.get(match.eventId), readings.get(match.roomId)];
    if (!entry || !reading?.sight.sees(entry) || textIn(entry) === "") return [];
    return [{ match, entry, reading, json: jsons.get(match.eventId) as string }];
  });
}

function textIn(entry: LogEntry): string {
  const { content } = JSON.parse(entry.body) as { content: Record<string, unknown> };
  return textOf(entry.type as string, content);
}

interface Edited {
  content: Record<string, unknown>;
  unsigned?: { "m.relations"?: { "m.replace"?: { content?: { "m.new_content"?: Record<string, unknown> } } } };
}

/** An edited event was found by what it says now. */
function highlightsIn({ entry, json }: Hit, term: Term): string[] {
  const { content, unsigned } = JSON.parse(json) as Edited;
  const edited = unsigned?.["m.relations"]?.["m.replace"]?.content?.["m.new_content"];
  return highlightsOf(textOf(entry.type as string, edited ?? content), term);
}

async function resultOf(hit: Hit, { context }: Wanted): Promise<string> {
  const around = context ? `,"context":${await contextOf(hit, context)}` : "";
  return `{"rank":${hit.match.rank},"result":${hit.json}${around}}`;
}

async function contextOf({ entry, reading }: Hit, wanted: NonNullable<Wanted["context"]>): Promise<string> {
  const [back, on] = await Promise.all([
    walk(reading, { direction: "b", from: entry.position - 1, limit: wanted.before }),
    walk(reading, { direction: "f", from: entry.position, limit: wanted.after }),
  ]);
  const [before, after] = [back.entries, on.entries];
  const told = await tell(reading, [...before, ...after]);
  const [first, last] = [before.at(-1) ?? entry, after.at(-1) ?? entry];
  const profiles = wanted.withProfiles
    ? `,"profile_info":${JSON.stringify(await profilesOf(reading, [...before, entry, ...after]))}`
    : "";
  return (
    `{"start":"${tokenFor(reading.ctx, first.position - 1)}","end":"${tokenFor(reading.ctx, last.position)}",` +
    `"events_before":[${told.slice(0, before.length).join(",")}],"events_after":[${told.slice(before.length).join(",")}]${profiles}}`
  );
}

/** Names and pictures as they were then. */
async function profilesOf(reading: Reading, entries: readonly LogEntry[]): Promise<Record<string, object>> {
  const members = await membersWho(reading, entries);
  return Object.fromEntries(
    members.map(({ stateKey, body }) => {
      const { displayname, avatar_url } = (JSON.parse(body) as { content: Record<string, unknown> }).content;
      const hasPicture = typeof avatar_url === "string" && avatar_url.startsWith("mxc://");
      return [stateKey, { ...(typeof displayname === "string" && { displayname }), ...(hasPicture && { avatar_url }) }];
    }),
  );
}

function tokenOf({ rank, position }: Match, by: Wanted["by"], group?: Token["group"]): Token {
  return { by, rank, position, ...(group && { group }) };
}

type Groups = Record<string, Record<string, { results: string[]; order: number; next_batch?: string }>>;

/** A full page may go on within each of its groups. */
function groupsOf(hits: readonly Hit[], { groups, by }: Wanted, isFull: boolean): Groups {
  const valueOf = (key: GroupKey, { entry }: Hit) => (key === "room_id" ? entry.roomId : entry.userId) as string;
  return Object.fromEntries(
    groups.map((key) => {
      const byValue = [...Map.groupBy(hits, (hit) => valueOf(key, hit))].map(([value, own], index) => {
        const last = own.at(-1) as Hit;
        const next = isFull ? { next_batch: writePageToken(tokenOf(last.match, by, [key, value])) } : {};
        return [value, { results: own.map(({ match }) => match.eventId), order: index + 1, ...next }];
      });
      return [key, Object.fromEntries(byValue)];
    }),
  );
}

/** The state of the rooms of the results: as it is, or as it was when the searcher left. */
async function statesOf(hits: readonly Hit[]): Promise<string[]> {
  const readings = new Map(hits.map(({ reading }) => [reading.room.roomId, reading]));
  const states: string[] = [];
  for (const [roomId, { ctx, room, session }] of readings) {
    const { mayRead, upTo } = await readAccess(ctx, room, session.userId);
    if (!mayRead) continue;
    const entries =
      upTo === undefined ? [...room.all()].map(({ entry }) => entry) : await stateAt(ctx, roomId, { position: upTo });
    states.push(`${JSON.stringify(roomId)}:[${entries.map((entry) => clientEventInRoom(entry)).join(",")}]`);
  }
  return states;
}
