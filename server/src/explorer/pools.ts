/**
 * Connections to saved databases, kept for a while. A pool is of one owner, one saved connection and one version of it: what has other
 * credentials or other TLS settings has another version, and so another pool. Pools of versions that are gone are closed when they fall
 * idle, at once where they are idle already.
 */
import { connectForeign, type ForeignConnection, type ForeignServer, type OwnServer } from "../db/foreign.ts";
import { matrixError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Seams } from "../seams.ts";

export interface PoolKey {
  owner: string;
  id: string;
  version: number;
}

export interface Pools {
  /**
   * A connection for one use at a time. `describe` says where to, and is called only where a new connection is made. Throws
   * M_LIMIT_EXCEEDED where this saved connection, or the process, has all that it may have in use, and ForeignError.
   */
  take(key: PoolKey, describe: () => Promise<ForeignServer | OwnServer>): Promise<Taken>;
  /** Closes what nobody uses of this saved connection, and keeps nothing of it that is given back. */
  drop(key: Pick<PoolKey, "owner" | "id">): void;
  /** How many connections are open, of how many pools. */
  size(): { pools: number; connections: number };
  close(): Promise<void>;
}

export interface Taken {
  connection: ForeignConnection;
  /** Gives it back; a broken one is closed. */
  release(): void;
}

interface Pool {
  key: PoolKey;
  idle: { connection: ForeignConnection; since_ms: number }[];
  used: number;
  isDropped: boolean;
}

interface State {
  byName: Map<string, Pool>;
  isClosed: boolean;
  seams: Seams;
}

export function openPools(seams: Seams): Pools {
  const state: State = { byName: new Map(), isClosed: false, seams };
  const all = () => Array.from(state.byName.values());
  const sweep = seams.every(limits.explorerIdle_ms / 4, () => {
    for (const pool of all()) closeIdle(state, pool, seams.monotonic_ms() - limits.explorerIdle_ms);
  });
  return {
    async take(key, describe) {
      const pool = poolFor(state, key);
      const idle = idleOf(pool);
      if (!idle && pool.used >= limits.explorerPool_connections) throw busy("This connection");
      pool.used++;
      try {
        const connection = idle ?? (await connectForeign(await describe(), seams));
        return takenFrom(state, pool, connection);
      } catch (thrown) {
        pool.used--;
        forget(state, pool);
        throw thrown;
      }
    },
    drop({ owner, id }) {
      for (const pool of all())
        if (pool.key.owner === owner && pool.key.id === id) {
          pool.isDropped = true;
          closeIdle(state, pool, Infinity);
        }
    },
    size: () => ({
      pools: state.byName.size,
      connections: all().reduce((sum, { idle, used }) => sum + idle.length + used, 0),
    }),
    async close() {
      state.isClosed = true;
      sweep.cancel();
      const idle = all().flatMap((pool) => pool.idle.splice(0));
      await Promise.all(idle.map(({ connection }) => connection.end()));
    },
  };
}

/** No two keys have one name. */
function nameOf({ owner, id, version }: PoolKey): string {
  return JSON.stringify([owner, id, version]);
}

function poolFor({ byName }: State, key: PoolKey): Pool {
  const name = nameOf(key);
  const found = byName.get(name);
  if (found) return found;
  if (byName.size >= limits.explorerPools) throw busy("This server");
  const made = { key, idle: [], used: 0, isDropped: false };
  byName.set(name, made);
  return made;
}

function takenFrom(state: State, pool: Pool, connection: ForeignConnection): Taken {
  let isReleased = false;
  return {
    connection,
    release() {
      if (isReleased) return;
      isReleased = true;
      pool.used--;
      if (connection.isBroken() || pool.isDropped || state.isClosed) void connection.end();
      else pool.idle.push({ connection, since_ms: state.seams.monotonic_ms() });
      forget(state, pool);
    },
  };
}

function closeIdle(state: State, pool: Pool, before_ms: number): void {
  const old = pool.idle.filter(({ since_ms }) => since_ms <= before_ms);
  pool.idle = pool.idle.filter(({ since_ms }) => since_ms > before_ms);
  for (const { connection } of old) void connection.end();
  forget(state, pool);
}

function forget({ byName }: State, pool: Pool): void {
  const name = nameOf(pool.key);
  if (pool.used === 0 && pool.idle.length === 0 && byName.get(name) === pool) byName.delete(name);
}

function idleOf(pool: Pool): ForeignConnection | undefined {
  for (;;) {
    const found = pool.idle.pop()?.connection;
    if (!found?.isBroken()) return found;
  }
}

function busy(what: string) {
  return matrixError(
    "M_LIMIT_EXCEEDED",
    `${what} has as many queries under way as it may: wait until one is done, or stop it.`,
    { retryAfter_ms: 1_000 },
  );
}
