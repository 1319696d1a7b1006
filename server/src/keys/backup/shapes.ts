/** Shapes that the requests for key backups share. Specification: client-server-api, "Server-side key backups". */
import { z } from "zod";
import { matrixError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { name } from "../shapes.ts";

const count = z.int().min(0);

/** The object KeyBackupData. */
export const sessionKey = z.object({
  first_message_index: count,
  forwarded_count: count,
  is_verified: z.boolean(),
  session_data: z.record(z.string(), z.unknown()),
});
export type SessionKey = z.output<typeof sessionKey>;

/** The object RoomKeyBackup. */
export const roomKeys = z.object({ sessions: z.record(name, sessionKey) });
export const allKeys = z.object({ rooms: z.record(name, roomKeys) });

export const versionQuery = z.looseObject({ version: z.string() });

/** The number of a version; 0, which no backup has, for what this server never gave out. */
export function versionNumber(version: string | undefined): number {
  return /^[1-9]\d{0,14}$/.test(version ?? "") ? Number(version) : 0;
}

/** The room and the session in a path. Throws M_INVALID_PARAM for what can not be one. */
export function pathName(params: Record<string, string>, key: "roomId" | "sessionId"): string {
  const parsed = name.safeParse(params[key]);
  if (parsed.success) return parsed.data;
  throw matrixError("M_INVALID_PARAM", `The ${key} is a text of ${limits.identifier_bytes} bytes at the most.`);
}

export function noSuchVersion() {
  return matrixError("M_NOT_FOUND", "Unknown backup version");
}
