/**
 * What is needed of every room of a person to put them in order and to filter them: a few words of each, kept in memory for the rooms
 * of those who ask. They are read from the log once and then follow it, so whoever writes pays nothing for them.
 */
import { LRUCache } from "lru-cache";
import { atMost } from "../../bounded.ts";
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import type { LogEntry } from "../../log/entry.ts";
import { openLookup } from "../../lookups.ts";
import { contentOf } from "../../rooms/state.ts";
import { BUMP_TYPES, type OutlineRow, readOutlines } from "./queries.ts";

export interface Outline {
  /** The position of the room's newest event. */
  last: number;
  /** That of the newest event after which clients sort rooms; 0 where there is none. */
  bump: number;
  /** Of its m.room.create; null for an ordinary room. */
  type: string | null;
  /** Since which position the room is encrypted; 0: it is not. */
  encryptedAt: number;
  /** "" where it has none. */
  name: string;
}

export interface Outlines {
  /** Brings those of the rooms into memory that are not there. */
  prepare(roomIds: Iterable<string>): Promise<void>;
  /** With everything up to the hub's head, or beyond; undefined where it is not in memory, or there is no such room. */
  peek(roomId: string): Outline | undefined;
  /** Grows whenever a room that was in memory is not there any more, or is filtered otherwise than before. */
  changes(): number;
}

const bumps: ReadonlySet<string> = new Set(BUMP_TYPES);

/** Opens the register and lets it follow the log. */
export function openOutlines(ctx: Context): Outlines {
  const { hub, tail } = ctx.log;
  let changes = 0;
  const known = new LRUCache<string, Outline>({
    ...atMost(limits.slidingOutlines_rooms),
    dispose: () => void (changes += 1),
  });
  const follow = (entry: LogEntry): void => {
    if (carryOn(known, entry)) changes += 1;
  };
  const look = openLookup({
    most: limits.lookupUnread_users,
    async ask(asked: readonly (readonly string[])[]) {
      const rows = new Map((await readOutlines(ctx, asked.flat())).map((row) => [row.roomId, row]));
      return asked.map((roomIds) => roomIds.flatMap((roomId) => rows.get(roomId) ?? []));
    },
  });

  hub.listen((entries) => {
    for (const entry of entries) {
      if (entry.roomId === null) continue;
      if (entry.kind === "event") follow(entry);
      else if (entry.kind === "removal") known.delete(entry.roomId);
    }
  });

  return {
    peek: (roomId) => known.get(roomId),
    changes: () => changes,
    async prepare(roomIds) {
      const missing = [...roomIds].filter((roomId) => !known.has(roomId));
      if (missing.length === 0) return;
      const head = hub.head();
      for (const row of await look(missing)) {
        const { roomId } = row;
        known.set(roomId, outlineOf(row));
        // The database may have answered before what came meanwhile.
        for (const entry of tail.ofRoom(roomId, head))
          if (entry.kind === "removal") known.delete(roomId);
          else if (entry.kind === "event") follow(entry);
      }
    },
  };
}

function outlineOf({ last, bump, create, encryptedAt, name }: OutlineRow): Outline {
  const textOf = (body: string | null, member: string): unknown =>
    body === null ? undefined : (JSON.parse(body) as { content: Record<string, unknown> }).content[member];
  const type = textOf(create, "type");
  const roomName = textOf(name, "name");
  return {
    last: last ?? 0,
    bump: bump ?? 0,
    type: typeof type === "string" ? type : null,
    encryptedAt: encryptedAt ?? 0,
    name: typeof roomName === "string" ? roomName : "",
  };
}

/** Takes what the entry changes; gives whether the room is now filtered otherwise. */
function carryOn(known: LRUCache<string, Outline>, entry: LogEntry): boolean {
  const outline = known.peek(entry.roomId as string);
  if (!outline) return false;
  const { name: nameBefore, encryptedAt: encryptedBefore } = outline;
  outline.last = Math.max(outline.last, entry.position);
  if (bumps.has(entry.type as string)) outline.bump = Math.max(outline.bump, entry.position);
  if (entry.stateKey === "" && entry.type === "m.room.encryption") outline.encryptedAt ||= entry.position;
  if (entry.stateKey === "" && entry.type === "m.room.name") {
    const { name } = contentOf(entry);
    outline.name = typeof name === "string" ? name : "";
  }
  // A redacted name is read anew; messages are redacted more often.
  if (entry.redaction?.body.includes('"state_key":')) known.delete(entry.roomId as string);
  return outline.name !== nameBefore || outline.encryptedAt !== encryptedBefore;
}
