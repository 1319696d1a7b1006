/**
 * Typing and presence on their way to the services that asked for them. They are true for a moment only: what waits is a list of
 * rooms and people, and what is sent is how things are then. Specification: application-service-api, "Pushing ephemeral data".
 */
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { presenceContent } from "../presence/content.ts";
import type { Interest } from "./interest.ts";
import type { Service } from "./service.ts";

export interface Moments {
  /** What changed since the last call, as events for the service. */
  take(service: Service, interest: Interest): Promise<object[]>;
  /** Resolves at the next change, or when the signal aborts. */
  changed(signal: AbortSignal): Promise<void>;
}

export function openMoments(ctx: Context): Moments & { close(): void } {
  let rooms = new Set<string>();
  let users = new Set<string>();
  const waiting = new Set<() => void>();
  let isClosed = false;
  ctx.ephemeral.listen((change) => {
    if (isClosed || rooms.size + users.size >= limits.serviceMoments) return;
    if ("roomId" in change) rooms.add(change.roomId);
    else users.add(change.userId);
    for (const wake of waiting) wake();
  });
  return {
    async take(service, interest) {
      const [typing, present] = [rooms, users];
      [rooms, users] = [new Set(), new Set()];
      const events = [];
      for (const roomId of typing) events.push(await typingIn(ctx, interest, roomId));
      for (const userId of present) events.push(await presenceOf(ctx, { service, interest }, userId));
      return events.filter((event) => event !== undefined);
    },
    changed(signal) {
      return new Promise((resolve) => {
        const wake = () => {
          waiting.delete(wake);
          resolve();
        };
        waiting.add(wake);
        signal.addEventListener("abort", wake, { once: true });
        if (rooms.size + users.size > 0) wake();
      });
    },
    close: () => void (isClosed = true),
  };
}

async function typingIn(ctx: Context, interest: Interest, roomId: string): Promise<object | undefined> {
  if (!(await interest.isIn({ roomId, position: ctx.log.hub.head() }))) return undefined;
  const users = ctx.ephemeral.typing(roomId)?.users ?? [];
  return { type: "m.typing", room_id: roomId, content: { user_ids: users } };
}

async function presenceOf(
  ctx: Context,
  { service, interest }: { service: Service; interest: Interest },
  userId: string,
): Promise<object | undefined> {
  const presence = ctx.ephemeral.presence(userId);
  if (!presence || !(await sharesRoom(ctx, { service, interest }, userId))) return undefined;
  return { type: "m.presence", sender: userId, content: presenceContent(presence, ctx.seams.now_ms()) };
}

/** Whether the person is the service's own, or in a room that it is interested in. */
export async function sharesRoom(
  ctx: Context,
  { service, interest }: { service: Service; interest: Interest },
  userId: string,
): Promise<boolean> {
  if (service.user(userId) !== "no") return true;
  const position = ctx.log.hub.head();
  for (const [roomId, { membership }] of await ctx.rooms.memberships(userId))
    if (membership === "join" && (await interest.isIn({ roomId, position }))) return true;
  return false;
}
