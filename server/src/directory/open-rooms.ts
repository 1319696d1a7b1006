/**
 * The rooms that are open to everybody: anyone may join or read them. Whoever is in one is found by everybody. They are read
 * from the log when a process is first asked, and follow it from then on.
 */
import type { Context } from "../context.ts";
import type { LogEntry } from "../log/entry.ts";

/** The kinds of state that open a room, with the content that does it. */
const OPENING: Readonly<Record<string, { key: string; value: string }>> = {
  "m.room.join_rules": { key: "join_rule", value: "public" },
  "m.room.history_visibility": { key: "history_visibility", value: "world_readable" },
};
const TYPES = Object.keys(OPENING);

type RoomsByType = Map<string, Set<string>>;

const known = new WeakMap<Context, Promise<RoomsByType>>();

/** The ids of all open rooms. */
export async function openRooms(ctx: Context): Promise<ReadonlySet<string>> {
  let loading = known.get(ctx);
  if (!loading) {
    loading = load(ctx);
    known.set(ctx, loading);
    // After a failure the next search tries again.
    loading.catch(() => known.delete(ctx));
  }
  const rooms = await loading;
  return new Set([...rooms.values()].flatMap((each) => [...each]));
}

async function load(ctx: Context): Promise<RoomsByType> {
  const rooms: RoomsByType = new Map(TYPES.map((type) => [type, new Set()]));
  const arrived: LogEntry[] = [];
  let isLoaded = false;
  ctx.log.hub.listen((entries) => {
    for (const entry of entries) {
      if (entry.kind !== "event" || entry.stateKey !== "" || !OPENING[entry.type ?? ""]) continue;
      if (isLoaded) apply(rooms, entry);
      else arrived.push(entry);
    }
  });
  const rows = await ctx.db.log.query<Pick<LogEntry, "roomId" | "type" | "body">>(
    `select s.room_id as "roomId", s.type, e.body from log.state s join log.entries e on e.position = s.position
     where s.type = any($1) and s.state_key = '' and (e.body like '%"public"%' or e.body like '%"world\\_readable"%')`,
    [TYPES],
  );
  for (const row of rows) apply(rooms, row);
  // What changed while the database answered, in its order.
  for (const entry of arrived) apply(rooms, entry);
  isLoaded = true;
  return rooms;
}

function apply(rooms: RoomsByType, { roomId, type, body }: Pick<LogEntry, "roomId" | "type" | "body">): void {
  const opening = OPENING[type as string];
  const { content } = JSON.parse(body) as { content: Record<string, unknown> };
  const isOpen = opening !== undefined && content[opening.key] === opening.value;
  rooms.get(type as string)?.[isOpen ? "add" : "delete"](roomId as string);
}
