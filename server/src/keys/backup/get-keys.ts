/**
 * Gives room keys of a backup. There may be tens of thousands, so they are read and sent a page at a time.
 * Specification: client-server-api, "GET /room_keys/keys".
 */
import { Readable } from "node:stream";
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import { Answer, encoded, route } from "../../http.ts";
import { limits } from "../../limits.ts";
import { pathName, versionQuery } from "./shapes.ts";
import { readBackup } from "./versions.ts";

const KEYS = "/_matrix/client/v3/room_keys/keys";
const common = { method: "GET", access: "session", rate: "keys", query: versionQuery } as const;

interface Row {
  roomId: string;
  sessionId: string;
  isVerified: boolean;
  firstIndex: number;
  forwardedCount: number;
  /** JSON. */
  data: string;
}

const COLUMNS = `room_id as "roomId", session_id as "sessionId", is_verified as "isVerified", first_message_index as "firstIndex",
  forwarded_count as "forwardedCount", session_data as data`;

interface Backup {
  userId: string;
  version: number;
}

export const getSessionKey = route({
  ...common,
  path: `${KEYS}/:roomId/:sessionId`,
  async handle({ params, session, query }, ctx) {
    const { version } = await readBackup(ctx, session.userId, query.version);
    const row = await ctx.db.keys.one<Row>(
      `select ${COLUMNS} from keys.backup_keys where user_id = $1 and version = $2 and room_id = $3 and session_id = $4`,
      [session.userId, version, pathName(params, "roomId"), pathName(params, "sessionId")],
    );
    if (!row) throw matrixError("M_NOT_FOUND", "Key not found.");
    return encoded(keyJson(row));
  },
});

export const getRoomKeys = route({
  ...common,
  path: `${KEYS}/:roomId`,
  async handle({ params, session, query }, ctx) {
    const { version } = await readBackup(ctx, session.userId, query.version);
    const roomId = pathName(params, "roomId");
    return streamed(roomJson(roomPages(ctx, { userId: session.userId, version }, roomId)));
  },
});

export const getAllKeys = route({
  ...common,
  path: KEYS,
  async handle({ session, query }, ctx) {
    const { version } = await readBackup(ctx, session.userId, query.version);
    return streamed(roomsJson(allPages(ctx, { userId: session.userId, version })));
  },
});

function streamed(parts: AsyncIterable<string>): Answer {
  return new Answer({ payload: Readable.from(parts) });
}

type Pages = AsyncGenerator<Row[]>;

/** Page after page; `read` gives what follows the last row, or the beginning where there is none yet. */
async function* pages(read: (last: Row | undefined) => Promise<Row[]>): Pages {
  let last: Row | undefined;
  do {
    const rows = await read(last);
    yield rows;
    last = rows.length === limits.backupPage_sessions ? rows.at(-1) : undefined;
  } while (last);
}

/** All keys of the backup, by room and then by session. */
function allPages(ctx: Context, { userId, version }: Backup): Pages {
  return pages((last) =>
    ctx.db.keys.query<Row>(
      `select ${COLUMNS} from keys.backup_keys
       where user_id = $1 and version = $2 and (room_id, session_id) > ($3, $4) order by room_id, session_id limit $5`,
      [userId, version, last?.roomId ?? "", last?.sessionId ?? "", limits.backupPage_sessions],
    ),
  );
}

function roomPages(ctx: Context, { userId, version }: Backup, roomId: string): Pages {
  return pages((last) =>
    ctx.db.keys.query<Row>(
      `select ${COLUMNS} from keys.backup_keys
       where user_id = $1 and version = $2 and room_id = $3 and session_id > $4 order by session_id limit $5`,
      [userId, version, roomId, last?.sessionId ?? "", limits.backupPage_sessions],
    ),
  );
}

/** RoomKeyBackup. */
async function* roomJson(all: Pages): AsyncGenerator<string> {
  let text = `{"sessions":{`;
  let isFirst = true;
  for await (const rows of all) {
    for (const row of rows) {
      text += `${isFirst ? "" : ","}${JSON.stringify(row.sessionId)}:${keyJson(row)}`;
      isFirst = false;
    }
    yield text;
    text = "";
  }
  yield "}}";
}

/** {"rooms": {room id: RoomKeyBackup}}. */
async function* roomsJson(all: Pages): AsyncGenerator<string> {
  let text = `{"rooms":{`;
  let roomId: string | undefined;
  for await (const rows of all) {
    for (const row of rows) {
      const isSame = row.roomId === roomId;
      const opening = `${roomId === undefined ? "" : "}},"}${JSON.stringify(row.roomId)}:{"sessions":{`;
      text += `${isSame ? "," : opening}${JSON.stringify(row.sessionId)}:${keyJson(row)}`;
      roomId = row.roomId;
    }
    yield text;
    text = "";
  }
  yield roomId === undefined ? "}}" : "}}}}";
}

/** KeyBackupData. */
function keyJson({ firstIndex, forwardedCount, isVerified, data }: Row): string {
  return `{"first_message_index":${firstIndex},"forwarded_count":${forwardedCount},"is_verified":${isVerified},"session_data":${data}}`;
}
