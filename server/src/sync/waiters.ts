/**
 * Who waits for news in this process, and who is woken by what. A waiter that is woken looks for itself whether there is
 * something for it; waking once too often costs a look, waking once too little would be a message that does not arrive.
 */
import type { Ephemeral } from "../ephemeral/ephemeral.ts";
import type { LogEntry } from "../log/entry.ts";
import type { Hub } from "../log/hub.ts";
import type { RoomCache } from "../rooms/cache.ts";
import type { Seams } from "../seams.ts";

export interface Waiters {
  /** Resolves at the next news for the person, after `timeout_ms`, or when one of the signals aborts. */
  wait(userId: string, options: { timeout_ms: number; signals: readonly AbortSignal[] }): Promise<"news" | "over">;
  /** How many are waiting. */
  count(): number;
}

type Wake = (why: "news" | "over") => void;

/** Opens the register and lets it listen to the log and to typing and presence. */
export function openWaiters({
  hub,
  rooms,
  ephemeral,
  seams,
}: {
  hub: Hub;
  rooms: RoomCache;
  ephemeral: Ephemeral;
  seams: Seams;
}): Waiters {
  const waiting = new Map<string, Set<Wake>>();
  let count = 0;

  const wakeUser = (userId: string) => {
    const wakes = waiting.get(userId);
    if (!wakes) return;
    waiting.delete(userId);
    for (const wake of wakes) wake("news");
  };

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

  hub.listen((entries) => {
    if (count === 0) return;
    const wokenRooms = new Set<string>();
    for (const entry of entries) wakeFor(entry, wokenRooms);
    for (const roomId of wokenRooms) wakeRoom(roomId);
  });

  function wakeFor(entry: LogEntry, wokenRooms: Set<string>): void {
    if (entry.kind === "device_list") wakeSharers(entry.userId as string);
    else if (entry.kind === "receipt" && entry.type === "m.read.private") wakeUser(entry.userId as string);
    else if (entry.kind === "event" || entry.kind === "receipt") {
      wokenRooms.add(entry.roomId as string);
      if (entry.type === "m.room.member" && entry.stateKey) wakeUser(entry.stateKey);
    } else wakeUser(entry.userId as string);
  }

  ephemeral.listen((change) => {
    if ("roomId" in change) wakeRoom(change.roomId);
    else wakeSharers(change.userId);
  });

  return {
    count: () => count,
    wait: (userId, { timeout_ms, signals }) =>
      new Promise((resolve) => {
        const over = () => wake("over");
        const timer = seams.after(timeout_ms, over);
        const wake: Wake = (why) => {
          count -= 1;
          timer.cancel();
          for (const signal of signals) signal.removeEventListener("abort", over);
          const wakes = waiting.get(userId);
          if (wakes?.delete(wake) && wakes.size === 0) waiting.delete(userId);
          resolve(why);
        };
        count += 1;
        const wakes = waiting.get(userId);
        if (wakes) wakes.add(wake);
        else waiting.set(userId, new Set([wake]));
        for (const signal of signals) signal.addEventListener("abort", over, { once: true });
        if (signals.some((signal) => signal.aborted)) over();
      }),
  };
}
