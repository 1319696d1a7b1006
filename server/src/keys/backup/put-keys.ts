/**
 * Stores room keys in the current backup: of one session, of one room, or of many. Of two keys for a session the better one stays.
 * Specification: client-server-api, "PUT /room_keys/keys".
 */
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import { route, type Session } from "../../http.ts";
import { limits } from "../../limits.ts";
import {
  allKeys,
  noSuchVersion,
  pathName,
  roomKeys,
  sessionKey,
  type SessionKey,
  versionNumber,
  versionQuery,
} from "./shapes.ts";

const KEYS = "/_matrix/client/v3/room_keys/keys";

const common = {
  method: "PUT",
  access: "session",
  rate: "keys",
  query: versionQuery,
  bodyLimit_bytes: limits.keysBody_bytes,
} as const;

interface Upload {
  session: Session;
  version: string;
  keys: readonly { roomId: string; sessionId: string; key: SessionKey }[];
}

export const putSessionKey = route({
  ...common,
  path: `${KEYS}/:roomId/:sessionId`,
  body: sessionKey,
  handle({ params, session, query, body }, ctx) {
    const key = { roomId: pathName(params, "roomId"), sessionId: pathName(params, "sessionId"), key: body };
    return put(ctx, { session, version: query.version, keys: [key] });
  },
});

export const putRoomKeys = route({
  ...common,
  path: `${KEYS}/:roomId`,
  body: roomKeys,
  handle({ params, session, query, body }, ctx) {
    return put(ctx, { session, version: query.version, keys: keysOf(pathName(params, "roomId"), body.sessions) });
  },
});

export const putAllKeys = route({
  ...common,
  path: KEYS,
  body: allKeys,
  handle({ session, query, body }, ctx) {
    const keys = Object.entries(body.rooms).flatMap(([roomId, room]) => keysOf(roomId, room.sessions));
    return put(ctx, { session, version: query.version, keys });
  },
});

function keysOf(roomId: string, sessions: Record<string, SessionKey>): Upload["keys"] {
  return Object.entries(sessions).map(([sessionId, key]) => ({ roomId, sessionId, key }));
}

async function put(ctx: Context, { session, version, keys }: Upload): Promise<{ etag: string; count: number }> {
  const row = await ctx.db.keys.one<{ current: number; etag: number | null; count: number }>(
    `select current, etag, key_count as count from keys.put_backup_keys($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      session.userId,
      versionNumber(version),
      keys.map(({ roomId }) => roomId),
      keys.map(({ sessionId }) => sessionId),
      keys.map(({ key }) => key.is_verified),
      keys.map(({ key }) => key.first_message_index),
      keys.map(({ key }) => key.forwarded_count),
      keys.map(({ key }) => sessionText(key)),
    ],
  );
  if (!row) throw noSuchVersion();
  if (row.etag === null)
    throw matrixError("M_WRONG_ROOM_KEYS_VERSION", "Wrong backup version.", {
      fields: { current_version: String(row.current) },
    });
  return { etag: String(row.etag), count: row.count };
}

function sessionText({ session_data }: SessionKey): string {
  const text = JSON.stringify(session_data);
  if (Buffer.byteLength(text) <= limits.backupSession_bytes) return text;
  throw matrixError("M_TOO_LARGE", `The data of a session may have ${limits.backupSession_bytes} bytes.`);
}
