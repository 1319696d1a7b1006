/** What lists are filtered by that is a person's own: direct chats, tags, the rooms that they were put out of, and whether they take invitations. */
import type { Context } from "../../context.ts";
import { limits } from "../../limits.ts";
import type { LogEntry } from "../../log/entry.ts";
import { type Followed, followLog } from "../../log/follow.ts";
import { readAccountDataItem } from "../../log/queries.ts";
import { blocksInvites } from "../../rooms/invite.ts";
import { readPutOut, readTags } from "./queries.ts";

export interface Belongings {
  direct: ReadonlySet<string>;
  /** By room. */
  tags: ReadonlyMap<string, ReadonlySet<string>>;
  /** Rooms that they had joined and that somebody else removed or banned them from. */
  putOut: ReadonlySet<string>;
  /** They take no invitations now, and see none. */
  blocksInvites: boolean;
}

const TYPES: ReadonlySet<string> = new Set(["m.direct", "m.tag", "m.invite_permission_config"]);

/** Keeps what people have, in step with the log. */
export function openBelongings(ctx: Context): Followed<Belongings> {
  return followLog<Belongings>(ctx.log.hub, {
    max: limits.userCache_users,
    changes: changedFor,
    async load(userId) {
      const [direct, tags, putOut, blocks] = await Promise.all([
        readAccountDataItem(ctx.db.log, { userId, roomId: "", type: "m.direct" }),
        readTags(ctx, userId),
        readPutOut(ctx, userId),
        blocksInvites(ctx, userId),
      ]);
      return {
        direct: directRooms(direct),
        tags: new Map(tags.map(({ roomId, content }) => [roomId, tagsIn(content)])),
        putOut: new Set(putOut),
        blocksInvites: blocks,
      };
    },
  });
}

function changedFor(entry: LogEntry): string | undefined {
  if (entry.kind === "event") return entry.type === "m.room.member" ? (entry.stateKey ?? undefined) : undefined;
  const isOurs = entry.kind === "account_data" && TYPES.has(entry.type as string);
  return isOurs ? (entry.userId ?? undefined) : undefined;
}

/** Clients write these as they like: what is not as it should be says nothing. */
function directRooms(stored: string | undefined): Set<string> {
  const byPerson = stored === undefined ? {} : (JSON.parse(stored) as Record<string, unknown>);
  const rooms = Object.values(byPerson).flatMap((each) => (Array.isArray(each) ? (each as unknown[]) : []));
  return new Set(rooms.filter((roomId) => typeof roomId === "string"));
}

function tagsIn(content: string): Set<string> {
  const { tags } = JSON.parse(content) as { tags?: unknown };
  return new Set(typeof tags === "object" && tags !== null ? Object.keys(tags) : []);
}
