/** The events that an answer tells, read for all of its rooms together: from memory where the client is close behind, else with a query. */
import type { LogEntry } from "../../log/entry.ts";
import { parentsAmong } from "../../messages/aggregations.ts";
import { sightOf } from "../../rooms/access.ts";
import { newestState } from "../state.ts";
import { readChangesOf, readEventsOf, type RoomStretch } from "./queries.ts";
import { isInMemory, type Plan, type Slide } from "./slide.ts";

/** What is known of one room. */
export interface RoomNews {
  /** The newest events of the room, one more than are wanted where there are more; of rooms that are told anew, or further back. */
  history: readonly LogEntry[];
  /** The events since the client was told of the room. */
  events: readonly LogEntry[];
  /** There are more events than these: the oldest are missing. */
  truncated: boolean;
  /** The state that changed since. */
  changes: readonly LogEntry[];
  sees(event: LogEntry): boolean;
  /** Whether other events may speak of this one. */
  mayBeParent(event: LogEntry): boolean;
}

/** Whether more of the timeline is wanted than when the room was last told. */
export function isWider({ before, config, kind, from }: Omit<Plan, "room">): boolean {
  return kind !== "outside" && from !== undefined && before !== undefined && config.limit > before.limit;
}

/** The news of these rooms. Invitations and knocks have none: all that they tell is the state of this moment. */
export async function gatherNews(slide: Slide, plans: readonly Plan[]): Promise<Map<string, RoomNews>> {
  const inside = plans.filter(({ kind }) => kind !== "outside");
  const told = inside.filter(({ from }) => from !== undefined);
  const away = told.filter(({ from }) => !isInMemory(slide, from as number));
  const near = new Map(
    told.filter((plan) => !away.includes(plan)).map((plan) => [plan.roomId, eventsInMemory(slide, plan)]),
  );
  const fresh = inside.filter((plan) => plan.config.limit > 0 && (plan.from === undefined || isWider(plan)));
  const [histories, events, sights] = await Promise.all([
    readEventsOf(
      slide.ctx,
      fresh.map((plan) => ({ ...stretchOf(plan, 0), limit: plan.config.limit + 1 })),
    ),
    readEventsOf(
      slide.ctx,
      away.map((plan) => ({ ...stretchOf(plan), limit: plan.config.limit + 1 })),
    ),
    Promise.all(inside.map(({ room }) => sightOf(slide.ctx, room, slide.ask.session.userId))),
  ]);
  const [historyOf, eventsOf] = [byRoom(histories), byRoom(events)];
  const isTruncated = ({ roomId, config }: Plan) => (eventsOf.get(roomId)?.length ?? 0) > config.limit;
  const parents = await parentsAmong(slide.ctx, [...histories, ...events]);
  const changesOf = byRoom(
    await readChangesOf(
      slide.ctx,
      away.filter(isTruncated).map((plan) => stretchOf(plan)),
    ),
  );
  return new Map(
    inside.map((plan, i) => {
      const { roomId, config, kind, end } = plan;
      const truncated = isTruncated(plan);
      const found = near.get(roomId) ?? eventsOf.get(roomId) ?? [];
      const sight = sights[i];
      const news: RoomNews = {
        history: historyOf.get(roomId) ?? [],
        events: truncated ? found.slice(found.length - config.limit) : found,
        truncated,
        changes: truncated ? (changesOf.get(roomId) ?? []) : newestState(found),
        mayBeParent: (event) => near.has(roomId) || parents.has(event.eventId as string),
        sees: (event) => (kind === "left" && event.position === end) || (sight?.sees(event) ?? false),
      };
      return [roomId, news];
    }),
  );
}

function stretchOf({ roomId, from, end }: Plan, after = from ?? 0): RoomStretch {
  return { roomId, after, upTo: end };
}

function eventsInMemory({ ctx }: Slide, { roomId, from, end }: Plan): LogEntry[] {
  return ctx.log.tail
    .ofRoom(roomId, from as number)
    .filter(({ kind, position }) => kind === "event" && position <= end);
}

function byRoom(events: readonly LogEntry[]): Map<string, LogEntry[]> {
  return Map.groupBy(events, (event) => event.roomId as string);
}
