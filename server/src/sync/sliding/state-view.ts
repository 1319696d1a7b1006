/** A room's state at the end of what an answer tells. */
import type { LogEntry } from "../../log/entry.ts";
import { readAccess } from "../../rooms/access.ts";
import { stateAt } from "../state.ts";
import { asksFor, type RequiredState } from "./required-state.ts";
import type { Plan, Slide } from "./slide.ts";

export interface StateView {
  get(type: string, stateKey: string): LogEntry | undefined;
  /** The state that is asked for. */
  matching(state: RequiredState): LogEntry[];
}

/**
 * The state as the person may see it: of a room that they are in as it is at the end of the answer, which mostly is as it is in memory;
 * of one that they left as it was then; of one that they never came into nothing but what became of them.
 */
export async function viewFor({ ctx, ask }: Slide, { kind, room, end }: Plan): Promise<StateView> {
  const { userId } = ask.session;
  if (kind === "joined" && room.position <= end)
    return viewOn(
      (type, key) => room.get(type, key)?.entry,
      () => [...room.all()].map(({ entry }) => entry),
    );
  if (kind === "joined") return viewOf(await stateAt(ctx, room, end));
  const access = await readAccess(ctx, room, userId);
  const own = room.get("m.room.member", userId)?.entry;
  const state = access.mayRead ? await stateAt(ctx, room, Math.min(end, access.upTo ?? end)) : [];
  return viewOf(own && own.position <= end ? [...state, own] : state);
}

/** Of two events for one piece of state the later one counts. */
function viewOf(entries: readonly LogEntry[]): StateView {
  const byName = new Map(entries.map((entry) => [nameOf(entry.type as string, entry.stateKey as string), entry]));
  return viewOn(
    (type, key) => byName.get(nameOf(type, key)),
    () => [...byName.values()],
  );
}

function viewOn(get: StateView["get"], all: () => LogEntry[]): StateView {
  return {
    get,
    matching(state) {
      if (state.wild.length > 0)
        return all().filter(({ type, stateKey }) => asksFor(state, type as string, stateKey as string));
      return state.exact.flatMap(([type, key]) => get(type, key) ?? []);
    },
  };
}

function nameOf(type: string, stateKey: string): string {
  return `${type}\0${stateKey}`;
}
