/** Presence in a sync: of the person and of everybody they share a room with. Specification: presence module. */
import type { Presence } from "../ephemeral/ephemeral.ts";
import { presenceContent } from "../presence/content.ts";
import type { Run } from "./run.ts";

/** The m.presence events that are new to the client. */
export function presenceEvents(run: Run): string[] {
  const { ctx, ask } = run;
  const after = ask.isFirst ? 0 : ask.seen;
  const events: string[] = [];
  for (const userId of acquaintances(run)) {
    const presence = ctx.ephemeral.presence(userId);
    // What changed since is told below.
    if (!presence || presence.state === "offline" || presence.changed > after) continue;
    if (ask.filter.presence.matches?.({ type: "m.presence", userId }) !== false)
      events.push(presenceJson(userId, presence, ctx.seams.now_ms()));
  }
  for (const { userId, presence } of ctx.ephemeral.presenceChanges(after)) {
    if (ask.isFirst && presence.state === "offline") continue;
    if (!isShared(run, userId) || ask.filter.presence.matches?.({ type: "m.presence", userId }) === false) continue;
    events.push(presenceJson(userId, presence, ctx.seams.now_ms()));
  }
  return events;
}

/** Whom the person has come to share a room with: they may have been online all the while. */
function acquaintances(run: Run): Set<string> {
  const met = new Set<string>();
  if (run.ask.isFirst) return met;
  for (const room of run.joined.values()) {
    if (run.isNew(room.roomId)) for (const userId of room.joined()) met.add(userId);
    for (const event of run.news.ofRoom(room.roomId).events)
      if (event.type === "m.room.member" && event.stateKey && room.membership(event.stateKey) === "join")
        met.add(event.stateKey);
  }
  met.delete(run.ask.session.userId);
  return met;
}

function isShared({ ask, joined }: Run, userId: string): boolean {
  if (userId === ask.session.userId) return true;
  for (const room of joined.values()) if (room.membership(userId) === "join") return true;
  return false;
}

/** The JSON of an m.presence event. */
export function presenceJson(userId: string, presence: Presence, now_ms: number): string {
  return JSON.stringify({ type: "m.presence", sender: userId, content: presenceContent(presence, now_ms) });
}
