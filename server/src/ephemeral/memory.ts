/** Typing and presence in the memory of a single process. */
import { LRUCache } from "lru-cache";
import type { Seams, Timer } from "../seams.ts";
import type { Ephemeral, NewPresence, Presence } from "./ephemeral.ts";
import { limits } from "../limits.ts";

interface Typing {
  users: Map<string, Timer>;
  changed: number;
}

type Change = { roomId: string } | { userId: string };

/** The clock of the changes, and those who are told of each. */
interface Changes {
  clock(): number;
  tick(): number;
  tell(change: Change): void;
}

/** Opens the memory; nothing of it outlives the process. */
export function openMemoryEphemeral(seams: Seams): Ephemeral {
  const listeners: ((change: Change) => void)[] = [];
  let clock = seams.now_ms();
  const changes: Changes = {
    clock: () => clock,
    // Wall-clock milliseconds, pushed on where they stand still or go back.
    tick: () => (clock = Math.max(clock + 1, seams.now_ms())),
    tell: (change) => {
      for (const listener of listeners) listener(change);
    },
  };
  return {
    clock: changes.clock,
    ...openTyping(seams, changes),
    ...openPresence(seams, changes),
    listen: (listener) => void listeners.push(listener),
  };
}

function openTyping(seams: Seams, { tick, tell }: Changes): Pick<Ephemeral, "setTyping" | "typing"> {
  const rooms = new LRUCache<string, Typing>({
    max: limits.typing_rooms,
    dispose: ({ users }, _roomId, reason) => {
      if (reason === "evict") for (const timer of users.values()) timer.cancel();
    },
  });

  function changeTyping(roomId: string, change: (users: Map<string, Timer>) => boolean): void {
    const typing = rooms.get(roomId) ?? { users: new Map<string, Timer>(), changed: 0 };
    if (!change(typing.users)) return;
    typing.changed = tick();
    rooms.set(roomId, typing);
    tell({ roomId });
  }

  function stopTyping(roomId: string, userId: string): void {
    changeTyping(roomId, (users) => {
      users.get(userId)?.cancel();
      return users.delete(userId);
    });
  }

  return {
    setTyping({ roomId, userId, timeout_ms }) {
      if (timeout_ms <= 0) return stopTyping(roomId, userId);
      changeTyping(roomId, (users) => {
        users.get(userId)?.cancel();
        const isNew = !users.has(userId);
        users.set(
          userId,
          seams.after(timeout_ms, () => stopTyping(roomId, userId)),
        );
        return isNew;
      });
    },
    typing(roomId) {
      const typing = rooms.peek(roomId);
      return typing && { users: [...typing.users.keys()], changed: typing.changed };
    },
  };
}

function openPresence(
  seams: Seams,
  { tick, tell }: Changes,
): Pick<Ephemeral, "setPresence" | "presence" | "presenceChanges"> {
  const people = new LRUCache<string, { presence: Presence; timer: Timer | undefined }>({ max: limits.presence_users });
  let newest = 0;

  function setPresence(userId: string, next: NewPresence): void {
    const known = people.get(userId);
    known?.timer?.cancel();
    const before = known?.presence;
    const statusMessage = next.statusMessage === undefined ? (before?.statusMessage ?? null) : next.statusMessage;
    const differs = before?.state !== next.state || before.statusMessage !== statusMessage;
    const presence = {
      state: next.state,
      statusMessage,
      lastActive_ms: next.active || !before ? seams.now_ms() : before.lastActive_ms,
      changed: differs ? tick() : before.changed,
    };
    const goOffline = () => setPresence(userId, { state: "offline", active: false });
    const timer =
      next.timeout_ms === undefined || next.state === "offline" ? undefined : seams.after(next.timeout_ms, goOffline);
    people.set(userId, { presence, timer });
    newest = Math.max(newest, presence.changed);
    if (differs) tell({ userId });
  }

  return {
    setPresence,
    presence: (userId) => people.get(userId)?.presence,
    *presenceChanges(after) {
      if (after >= newest) return;
      // The most recently touched come first, but an old change may have been touched since, so all are looked at.
      for (const [userId, { presence }] of people.entries()) if (presence.changed > after) yield { userId, presence };
    },
  };
}
