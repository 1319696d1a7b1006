/** Saved connections in console.explorer_connections: any replica has them. */
import type { Db } from "../../db/database.ts";
import { limits } from "../../limits.ts";
import { tooManyConnections } from "./check.ts";
import type { CredentialStore, SavedConnection } from "./store.ts";

const COLUMNS = `id, owner, name, host, port, "database", "user", tls, ca, version, created_ts,
  wrapped_key as "wrappedKey", master_key as "masterKey", sealed`;

export function inPostgresql(db: Pick<Db, "query" | "one" | "change">): CredentialStore {
  return {
    list: (owner) =>
      db.query<SavedConnection>(
        `select ${COLUMNS} from console.explorer_connections where owner = $1 order by name, id`,
        [owner],
      ),
    get: (owner, id) =>
      db.one<SavedConnection>(`select ${COLUMNS} from console.explorer_connections where owner = $1 and id = $2`, [
        owner,
        id,
      ]),
    async add(connection) {
      const added = await db.change(
        `insert into console.explorer_connections
           (id, owner, name, host, port, "database", "user", tls, ca, version, created_ts, wrapped_key, master_key, sealed)
         select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14
         where (select count(*) from console.explorer_connections where owner = $2) < $15`,
        [...valuesOf(connection), limits.explorerConnections],
      );
      if (added === 0) throw tooManyConnections();
    },
    replace: async (connection) =>
      (await db.change(
        `update console.explorer_connections set name = $3, host = $4, port = $5, "database" = $6, "user" = $7, tls = $8, ca = $9,
           version = $10, created_ts = $11, wrapped_key = $12, master_key = $13, sealed = $14
         where id = $1 and owner = $2 and version = $10::bigint - 1`,
        valuesOf(connection),
      )) > 0,
    remove: async (owner, id) =>
      (await db.change("delete from console.explorer_connections where owner = $1 and id = $2", [owner, id])) > 0,
    wrappedOtherwise: (masterKey, most) =>
      db.query<SavedConnection>(
        `select ${COLUMNS} from console.explorer_connections where master_key <> $1 order by id limit $2`,
        [masterKey, most],
      ),
    rewrap: async ({ id, from, to, masterKey }) =>
      (await db.change(
        "update console.explorer_connections set wrapped_key = $3, master_key = $4 where id = $1 and wrapped_key = $2",
        [id, from, to, masterKey],
      )) > 0,
    async byMasterKey() {
      const rows = await db.query<{ masterKey: string; count: number }>(
        `select master_key as "masterKey", count(*) as count from console.explorer_connections group by 1 order by 1`,
      );
      return new Map(rows.map(({ masterKey, count }) => [masterKey, count]));
    },
  };
}

function valuesOf(of: SavedConnection): unknown[] {
  const where = [of.id, of.owner, of.name, of.host, of.port, of.database, of.user, of.tls, of.ca];
  return [...where, of.version, of.created_ts, of.wrappedKey, of.masterKey, of.sealed];
}
