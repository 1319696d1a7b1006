/** Ending sessions, whoever asks for it. */
import type { Context } from "../context.ts";

export interface Ending {
  userId: string;
  /** The devices that go; all of them where nothing is said. */
  deviceIds?: readonly string[];
}

/**
 * Resolves when the devices are gone, their tokens are refused by this process, and all others are being told.
 */
export async function endSessions(ctx: Context, { userId, deviceIds }: Ending): Promise<void> {
  const row = await ctx.db.auth.one<{ position: number | null }>(
    "select position from auth.end_sessions($1, $2, null)",
    [userId, deviceIds ?? null],
  );
  await reached(ctx, row?.position);
}

/** Waits until this process has the entry that a function of the auth schema appended, if it appended one. */
export async function reached(ctx: Context, position: number | null | undefined): Promise<void> {
  if (position != null) await ctx.log.reached(position);
}
