/** Sessions in PostgreSQL: any replica serves any request, and times are the database's. */
import { hash } from "node:crypto";
import type { Db } from "../db/database.ts";
import { limits } from "../limits.ts";
import type { SessionStore } from "./sessions.ts";

const NOW = "floor(extract(epoch from clock_timestamp()) * 1000)::bigint";
const LATER = (ttl: string) => `clock_timestamp() + ${ttl}::bigint * interval '1 millisecond'`;

export function openPostgresqlSessions(db: Db): SessionStore {
  const keyOf = (id: string) => hash("sha256", id, "buffer");
  return {
    name: "postgresql",
    get: (id) =>
      db.one(
        `select data, ${NOW} as "now_ms", (extract(epoch from expires_at - clock_timestamp()) * 1000)::double precision as "left_ms"
         from console.sessions where session_hash = $1 and expires_at > clock_timestamp()`,
        [keyOf(id)],
      ),
    async set(id, data, { owner, ttl_ms }) {
      // Those that have ended go with it, and the oldest where there are too many.
      await db.change(
        `with gone as (
           delete from console.sessions where session_hash in (
             select session_hash from console.sessions where session_hash <> $1 and (expires_at <= clock_timestamp() or session_hash in (
               select session_hash from console.sessions where session_hash <> $1 order by expires_at desc offset $5
             )) limit 1000
           )
         )
         insert into console.sessions (session_hash, owner, data, expires_at) values ($1, $2, $3, ${LATER("$4")})
         on conflict (session_hash) do update set owner = excluded.owner, data = excluded.data, expires_at = excluded.expires_at`,
        [keyOf(id), owner, data, Math.ceil(ttl_ms), limits.consoleSessions - 1],
      );
    },
    async touch(id, ttl_ms) {
      await db.change(
        `update console.sessions set expires_at = ${LATER("$2")} where session_hash = $1 and expires_at > clock_timestamp()`,
        [keyOf(id), Math.ceil(ttl_ms)],
      );
    },
    async delete(id) {
      await db.change("delete from console.sessions where session_hash = $1", [keyOf(id)]);
    },
    async deleteAll(owner) {
      const rows = await db.query<{ isLive: boolean }>(
        `delete from console.sessions where owner = $1 returning expires_at > clock_timestamp() as "isLive"`,
        [owner],
      );
      return rows.filter(({ isLive }) => isLive).length;
    },
    async now_ms() {
      return (await db.one<{ now_ms: number }>(`select ${NOW} as "now_ms"`))?.now_ms as number;
    },
  };
}
