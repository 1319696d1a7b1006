/** Typing and presence in the memory of a single process. */
import { LRUCache } from "lru-cache";
import type { Seams, Timer } from "../seams.ts";
import type { Ephemeral, NewPresence, Presence } from "./ephemeral.ts";
import { limits } from "../limits.ts";

interface Typing {
  users: Map<string, Timer>;
  changed: number;
}

export function openMemoryEphemeral(seams: Seams): Ephemeral {
  const rooms = new Map<string, Typing>();
  const people = new LRUCache<string, { presence: Presence; timer: Timer | undefined }>({ max: limits.presence_users });
  const listeners: ((change: { roomId: string } | { userId: string }) => void)[] = [];
  let clock = seams.now_ms();
  let newestPresence = 0;

  /** Wall-clock milliseconds, pushed on where they stand still or go back. */
  const tick = () => (clock = Math.max(clock + 1, seams.now_ms()));
  const tell = (change: { roomId: string } | { userId: string }) => {
    for (const listener of listeners) listener(change);
  };

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
    newestPresence = Math.max(newestPresence, presence.changed);
    if (differs) tell({ userId });
  }

  return {
    clock: () => clock,
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
      const typing = rooms.get(roomId);
      return typing && { users: [...typing.users.keys()], changed: typing.changed };
    },
    setPresence,
    presence: (userId) => people.get(userId)?.presence,
    *presenceChanges(after) {
      if (after >= newestPresence) return;
      // The most recently touched come first, but an old change may have been touched since, so all are looked at.
      for (const [userId, { presence }] of people.entries()) if (presence.changed > after) yield { userId, presence };
    },
    listen: (listener) => void listeners.push(listener),
  };
}
