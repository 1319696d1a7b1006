/** Deletes room keys from a backup. Specification: client-server-api, "DELETE /room_keys/keys". */
import type { Context } from "../../context.ts";
import { route } from "../../http.ts";
import { noSuchVersion, pathName, versionNumber, versionQuery } from "./shapes.ts";

const KEYS = "/_matrix/client/v3/room_keys/keys";
const common = { method: "DELETE", access: "session", rate: "keys", query: versionQuery } as const;

export const deleteSessionKey = route({
  ...common,
  path: `${KEYS}/:roomId/:sessionId`,
  handle({ params, session, query }, ctx) {
    const where = { roomId: pathName(params, "roomId"), sessionId: pathName(params, "sessionId") };
    return remove(ctx, { userId: session.userId, version: query.version, ...where });
  },
});

export const deleteRoomKeys = route({
  ...common,
  path: `${KEYS}/:roomId`,
  handle({ params, session, query }, ctx) {
    return remove(ctx, { userId: session.userId, version: query.version, roomId: pathName(params, "roomId") });
  },
});

export const deleteAllKeys = route({
  ...common,
  path: KEYS,
  handle: ({ session, query }, ctx) => remove(ctx, { userId: session.userId, version: query.version }),
});

interface Removal {
  userId: string;
  version: string;
  /** Absent: all rooms. */
  roomId?: string;
  /** Absent: all sessions of the room. */
  sessionId?: string;
}

async function remove(ctx: Context, { userId, version, roomId, sessionId }: Removal): Promise<object> {
  const row = await ctx.db.keys.one<{ etag: number; count: number }>(
    "select etag, key_count as count from keys.delete_backup_keys($1, $2, $3, $4)",
    [userId, versionNumber(version), roomId ?? null, sessionId ?? null],
  );
  if (!row) throw noSuchVersion();
  return { etag: String(row.etag), count: row.count };
}
