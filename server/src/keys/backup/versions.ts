/** The backups of a person, without their keys. Specification: client-server-api, "/room_keys/version". */
import { z } from "zod";
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import { encoded, route } from "../../http.ts";
import { storedText } from "../shapes.ts";
import { noSuchVersion, versionNumber } from "./shapes.ts";

const VERSIONS = "/_matrix/client/v3/room_keys/version";
const VERSION = `${VERSIONS}/:version`;

const backup = z.looseObject({ algorithm: z.string(), auth_data: z.record(z.string(), z.unknown()) });

interface Row {
  version: number;
  algorithm: string;
  /** JSON. */
  authData: string;
  etag: number;
  keyCount: number;
}

const COLUMNS = `version, algorithm, auth_data as "authData", etag, key_count as "keyCount"`;

export const createBackup = route({
  method: "POST",
  path: VERSIONS,
  access: "session",
  rate: "keys",
  body: backup,
  async handle({ session, body }, ctx) {
    const row = await ctx.db.keys.one<{ version: number }>("select keys.create_backup($1, $2, $3) as version", [
      session.userId,
      body.algorithm,
      storedText(body.auth_data, "auth_data"),
    ]);
    return { version: String(row?.version) };
  },
});

export const currentBackup = route({
  method: "GET",
  path: VERSIONS,
  access: "session",
  rate: "keys",
  async handle({ session }, ctx) {
    const row = await ctx.db.keys.one<Row>(
      `select ${COLUMNS} from keys.backups where user_id = $1 and not deleted order by version desc limit 1`,
      [session.userId],
    );
    if (!row) throw matrixError("M_NOT_FOUND", "No current backup version");
    return described(row);
  },
});

export const getBackup = route({
  method: "GET",
  path: VERSION,
  access: "session",
  rate: "keys",
  async handle({ params, session }, ctx) {
    return described(await readBackup(ctx, session.userId, params["version"]));
  },
});

export const updateBackup = route({
  method: "PUT",
  path: VERSION,
  access: "session",
  rate: "keys",
  body: backup.extend({ version: z.string().optional() }),
  async handle({ params, session, body }, ctx) {
    if (body.version !== undefined && body.version !== params["version"])
      throw matrixError("M_INVALID_PARAM", "The version in the body is not the one in the path.");
    const row = await ctx.db.keys.one<{ outcome: "updated" | "algorithm" | null }>(
      "select keys.update_backup($1, $2, $3, $4) as outcome",
      [session.userId, versionNumber(params["version"]), body.algorithm, storedText(body.auth_data, "auth_data")],
    );
    if (row?.outcome === "algorithm") throw matrixError("M_INVALID_PARAM", "Algorithm does not match");
    if (row?.outcome !== "updated") throw noSuchVersion();
    return {};
  },
});

export const deleteBackup = route({
  method: "DELETE",
  path: VERSION,
  access: "session",
  rate: "keys",
  async handle({ params, session }, ctx) {
    const row = await ctx.db.keys.one<{ deleted: boolean }>("select keys.delete_backup($1, $2) as deleted", [
      session.userId,
      versionNumber(params["version"]),
    ]);
    if (!row?.deleted) throw noSuchVersion();
    return {};
  },
});

/** A backup that is not deleted. Throws M_NOT_FOUND. */
export async function readBackup(ctx: Context, userId: string, version: string | undefined): Promise<Row> {
  const row = await ctx.db.keys.one<Row>(
    `select ${COLUMNS} from keys.backups where user_id = $1 and version = $2 and not deleted`,
    [userId, versionNumber(version)],
  );
  if (!row) throw noSuchVersion();
  return row;
}

function described({ version, algorithm, authData, etag, keyCount }: Row) {
  return encoded(
    `{"algorithm":${JSON.stringify(algorithm)},"auth_data":${authData},"count":${keyCount},"etag":"${etag}","version":"${version}"}`,
  );
}
