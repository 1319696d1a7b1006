/**
 * The master keys that secrets of second factors are wrapped with: the ring of saved connections (decision 0047), opened by the first who
 * needs it, and closed with the process.
 */
import type { Context } from "../../context.ts";
import type { Db } from "../../db/database.ts";
import { openExplorerKeys } from "../../explorer/master-keys.ts";
import { limits } from "../../limits.ts";
import { type MasterKeys, nameOfFirst } from "../../secrets/master-keys.ts";

const rings = new WeakMap<Context, Promise<MasterKeys>>();

/** Throws M_BAD_STATE where nothing says where the keys are. */
export function sealingKeys(ctx: Context): Promise<MasterKeys> {
  const known = rings.get(ctx);
  if (known) return known;
  const opening = openExplorerKeys(ctx);
  rings.set(ctx, opening);
  // The settings may be right the next time: a file that was not there yet.
  opening.catch(() => rings.delete(ctx));
  ctx.stopping.addEventListener("abort", () => void opening.then((keys) => keys.close()).catch(() => {}), {
    once: true,
  });
  return opening;
}

/** What a secret is wrapped for: it opens nobody else's account. */
export function purposeOf(userId: string): string {
  return `second factor of ${userId}`;
}

interface Row {
  userId: string;
  wrapped: Buffer;
}

/** Secrets that are not wrapped with the master key of this name. Bytes 4 to 11 of what is wrapped name it. */
export function wrappedOtherwise(db: Pick<Db, "query">, first: string, limit: number): Promise<Row[]> {
  return db.query<Row>(
    `select user_id as "userId", wrapped from auth.totp_secrets
     where encode(substring(wrapped from 4 for 8), 'hex') <> $1 order by user_id limit $2`,
    [first, limit],
  );
}

/**
 * Wraps every secret with the first master key. Gives how many it wrapped anew; cut short, the next one goes on with the rest. Throws
 * StartError for one that no master key opens.
 */
export async function rewrapSecrets(
  db: Pick<Db, "query" | "change">,
  masterKeys: Pick<MasterKeys, "wrap" | "unwrap">,
): Promise<number> {
  let count = 0;
  for (;;) {
    const rows = await wrappedOtherwise(db, nameOfFirst(masterKeys), limits.totpRewrap_rows);
    if (rows.length === 0) return count;
    for (const { userId, wrapped } of rows) {
      const anew = masterKeys.wrap(masterKeys.unwrap(wrapped, purposeOf(userId)), purposeOf(userId));
      // Whoever has set it up again meanwhile has wrapped it with a key of now.
      count += await db.change("update auth.totp_secrets set wrapped = $3 where user_id = $1 and wrapped = $2", [
        userId,
        wrapped,
        anew,
      ]);
    }
  }
}
