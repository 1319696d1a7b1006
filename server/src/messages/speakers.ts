/** The members that a client needs to show some events. Specification: client-server-api, "Lazy-loading room members". */
import { ENTRY_COLUMNS, type LogEntry } from "../log/entry.ts";
import { clientEventInRoom } from "./client-event.ts";
import type { Reading } from "./reading.ts";

const MEMBER = "m.room.member";

/** The JSON of the membership events of those who sent these events, as they were when the newest of the events was sent. */
export async function speakers(reading: Reading, entries: readonly LogEntry[]): Promise<string[]> {
  if (entries.length === 0) return [];
  return (await membersWho(reading, entries)).map((entry) => clientEventInRoom(entry));
}

/** The membership events themselves; of at least one event. */
export async function membersWho(reading: Reading, entries: readonly LogEntry[]): Promise<LogEntry[]> {
  const { room } = reading;
  const at = Math.max(...entries.map((entry) => entry.position));
  const users = [...new Set(entries.map((entry) => entry.userId as string))];
  const current = users.map((userId) => room.get(MEMBER, userId)?.entry).filter((entry) => entry !== undefined);
  const asNow = current.filter((entry) => entry.position <= at);
  const changed = current.filter((entry) => entry.position > at).map((entry) => entry.stateKey as string);
  return [...asNow, ...(await membersAt(reading, changed, at))];
}

/** The membership events of these people as of a position: they changed later. */
function membersAt({ db, room }: Reading, userIds: readonly string[], position: number): Promise<LogEntry[]> {
  if (userIds.length === 0) return Promise.resolve([]);
  return db.query<LogEntry>(
    `select distinct on (e.state_key) ${ENTRY_COLUMNS} from log.entries e
     where e.room_id = $1 and e.kind = 'event' and e.type = 'm.room.member' and e.state_key = any($2) and e.position <= $3
     order by e.state_key, e.position desc`,
    [room.roomId, userIds, position],
  );
}
