/** The store in PostgreSQL: unlogged tables, and functions that do each step in one round trip. */
import type { Db } from "../db/database.ts";
import { limits } from "../limits.ts";
import type { Seams } from "../seams.ts";
import type { Upload } from "./ephemeral.ts";
import { type Bucket, parseNews, type Store, TYPING_USERS } from "./store.ts";

interface UploadRow {
  userId: string;
  status: Upload["status"];
  bytes: number;
  total: number | null;
}

export function openPostgresqlStore({ db, seams }: { db: Db; seams: Pick<Seams, "every"> }): Store {
  // Another replica sweeps too, and a sweep that fails is made up for by the next.
  const sweep = seams.every(limits.ephemeralSweep_ms, () => {
    db.query("select ephemeral.sweep($1, $2)", [limits.ephemeralEnded_ms, limits.presenceKept_ms]).catch(() => {});
  });
  return {
    name: "PostgreSQL",
    isShared: true,
    async exchange({ operations, after, born }) {
      const row = await db.one<{ news: unknown }>("select ephemeral.exchange($1, $2, $3, $4, $5) as news", [
        JSON.stringify(operations),
        after,
        born,
        limits.ephemeralEnded_ms,
        TYPING_USERS,
      ]);
      return parseNews(row?.news);
    },
    async spend(spendings) {
      const row = await db.one<{ buckets: Bucket[] }>("select ephemeral.spend($1) as buckets", [
        JSON.stringify(spendings),
      ]);
      return row?.buckets ?? [];
    },
    async setUploads(uploads) {
      await db.query("select ephemeral.set_uploads($1, $2)", [JSON.stringify(uploads), limits.uploadKept_ms]);
    },
    async upload(id) {
      const row = await db.one<UploadRow>(
        `select user_id as "userId", status, bytes, total from ephemeral.uploads
         where upload_id = $1 and until_ms > ephemeral.now_ms()`,
        [id],
      );
      return row && { id, ...row, total: row.total ?? undefined };
    },
    async close() {
      sweep.cancel();
    },
  };
}
