/**
 * Who waits for news in this process, and who is woken by what. A waiter that is woken looks for itself whether there is
 * something for it; waking once too often costs a look, waking once too little would be a message that does not arrive.
 */
import type { Ephemeral } from "../ephemeral/ephemeral.ts";
import { isOwnReceipt, type LogEntry } from "../log/entry.ts";
import type { Hub } from "../log/hub.ts";
import type { RoomCache } from "../rooms/cache.ts";
import type { Seams } from "../seams.ts";

export interface Waiters {
  /** Resolves at the next news for the person, after `timeout_ms`, when the signal aborts, or when the server stops. */
  wait(userId: string, options: { timeout_ms: number; signal: AbortSignal }): Promise<"news" | "over">;
  /** How many are waiting. */
  count(): number;
}

export interface WaitersOptions {
  hub: Hub;
  rooms: RoomCache;
  ephemeral: Ephemeral;
  seams: Seams;
  /** Aborts when the process is told to stop. */
  stopping: AbortSignal;
}

type Wake = (why: "news" | "over") => void;

/** Who waits, by their user id. */
type Waiting = Map<string, Set<Wake>>;

/** Opens the register and lets it listen to the log and to typing and presence. */
export function openWaiters({ hub, rooms, ephemeral, seams, stopping }: WaitersOptions): Waiters {
  const waiting: Waiting = new Map();
  const alarm = createAlarm(waiting, rooms);
  let count = 0;

  hub.listen((entries) => {
    if (count > 0) alarm.ofEntries(entries);
  });
  ephemeral.listen((change) => {
    if (count === 0) return;
    if ("roomId" in change) alarm.room(change.roomId);
    else alarm.sharers(change.userId);
  });
  // One listener for all: a signal looks through all of its listeners whenever one comes or goes.
  stopping.addEventListener("abort", () => {
    for (const wakes of waiting.values()) for (const wake of wakes) wake("over");
  });

  return {
    count: () => count,
    wait: (userId, { timeout_ms, signal }) =>
      new Promise((resolve) => {
        if (stopping.aborted || signal.aborted) return resolve("over");
        const over = () => wake("over");
        const timer = seams.after(timeout_ms, over);
        const wake: Wake = (why) => {
          count -= 1;
          timer.cancel();
          signal.removeEventListener("abort", over);
          const wakes = waiting.get(userId);
          if (wakes?.delete(wake) && wakes.size === 0) waiting.delete(userId);
          resolve(why);
        };
        count += 1;
        const wakes = waiting.get(userId);
        if (wakes) wakes.add(wake);
        else waiting.set(userId, new Set([wake]));
        signal.addEventListener("abort", over, { once: true });
      }),
  };
}

/** Wakes those whom a change concerns. */
function createAlarm(waiting: Waiting, rooms: RoomCache) {
  function wakeUser(userId: string): void {
    const wakes = waiting.get(userId);
    if (wakes) for (const wake of wakes) wake("news");
  }

  /** Everybody joined in the room; it goes through the smaller of the two sets. */
  function wakeRoom(roomId: string): void {
    const room = rooms.peek(roomId);
    // A room that fell out of the cache: whoever waits may be in it.
    if (!room) for (const userId of waiting.keys()) wakeUser(userId);
    else if (room.joinedCount < waiting.size) for (const userId of room.joined()) wakeUser(userId);
    else for (const userId of waiting.keys()) if (room.membership(userId) === "join") wakeUser(userId);
  }

  /** Everybody who shares a room with the person. */
  function wakeSharers(userId: string): void {
    wakeUser(userId);
    const memberships = rooms.peekMemberships(userId);
    if (memberships) for (const [roomId, { membership }] of memberships) if (membership === "join") wakeRoom(roomId);
    if (!memberships) for (const each of waiting.keys()) wakeUser(each);
  }

  function wakeFor(entry: LogEntry, wokenRooms: Set<string>): void {
    if (entry.kind === "removal") return;
    if (entry.kind === "device_list") wakeSharers(entry.userId as string);
    else if (isOwnReceipt(entry)) wakeUser(entry.userId as string);
    else if (entry.kind === "event" || entry.kind === "receipt") {
      wokenRooms.add(entry.roomId as string);
      if (entry.type === "m.room.member" && entry.stateKey) wakeUser(entry.stateKey);
    } else wakeUser(entry.userId as string);
  }

  return {
    room: wakeRoom,
    sharers: wakeSharers,
    ofEntries(entries: readonly LogEntry[]): void {
      const wokenRooms = new Set<string>();
      for (const entry of entries) wakeFor(entry, wokenRooms);
      for (const roomId of wokenRooms) wakeRoom(roomId);
    },
  };
}
