/**
 * Reads of history from replicas of the database. A replica serves a reader only where it has replayed all that the reader may
 * know of: the row of the log's head is replicated like any other, so a replica whose head is at or past a position has every
 * entry up to there, and every redaction, as the primary had them. Where none is as far, or one fails in the middle, the
 * primary answers, and the caller sees no difference.
 */
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Seams } from "../seams.ts";
import { type Db, openReader, type Reader } from "./database.ts";

export interface Replicas {
  /** Reads what the database held when its log was at `position`, or later. */
  at(position: number): Reader;
  /** How far each replica is, in the order of the settings; -1 where it does not answer. */
  positions(): readonly number[];
  close(): Promise<void>;
}

export interface ReplicasOptions {
  urls: readonly string[];
  connections: number;
  primary: Db;
  /** The history epoch of this process: a replica of another history serves nobody. */
  epoch(): number;
  seams: Seams;
  onError(error: Error): void;
  /** Told of each read, and who answered it. */
  onRead(from: "replica" | "primary"): void;
}

interface Replica {
  reader: Reader & { close(): Promise<void> };
  position: number;
  looking: boolean;
}

/** Opens the replicas, and looks at once how far they are. Without addresses every read goes to the primary. */
export function openReplicas(options: ReplicasOptions): Replicas {
  const replicas = options.urls.map((url): Replica => ({
    reader: openReader(url, options),
    position: -1,
    looking: false,
  }));
  const lookAtAll = () => {
    for (const replica of replicas) void lookAt(replica, options);
  };
  lookAtAll();
  const poll = options.seams.every(limits.replicaPoll_ms, lookAtAll);
  const primary = counted(options.primary, () => options.onRead("primary"));
  let turn = 0;
  return {
    at(position) {
      const able = replicas.filter((replica) => replica.position >= position);
      const replica = able[turn++ % Math.max(1, able.length)];
      return replica ? withFallback(replica, primary, options) : primary;
    },
    positions: () => replicas.map((replica) => replica.position),
    async close() {
      poll.cancel();
      await Promise.all(replicas.map(({ reader }) => reader.close()));
    },
  };
}

/** How far the replica has replayed. Positions only grow, so what it said last holds until it fails. */
async function lookAt(replica: Replica, { epoch, onError }: ReplicasOptions): Promise<void> {
  if (replica.looking) return;
  replica.looking = true;
  try {
    const head = await replica.reader.one<{ position: number; epoch: number }>("select position, epoch from log.head");
    replica.position = head?.epoch === epoch() ? head.position : -1;
  } catch (thrown) {
    if (replica.position !== -1) onError(asError(thrown));
    replica.position = -1;
  } finally {
    replica.looking = false;
  }
}

/** A read that fails on the replica is answered by the primary; the replica rests until it answers a look again. */
function withFallback(replica: Replica, primary: Reader, { onRead, onError }: ReplicasOptions): Reader {
  const attempt = async <T>(onReplica: () => Promise<T>, onPrimary: () => Promise<T>): Promise<T> => {
    try {
      const result = await onReplica();
      onRead("replica");
      return result;
    } catch (thrown) {
      onError(asError(thrown));
      replica.position = -1;
      return onPrimary();
    }
  };
  return {
    query: <R extends object>(sql: string, params?: readonly unknown[]) =>
      attempt(
        () => replica.reader.query<R>(sql, params),
        () => primary.query<R>(sql, params),
      ),
    one: <R extends object>(sql: string, params?: readonly unknown[]) =>
      attempt(
        () => replica.reader.one<R>(sql, params),
        () => primary.one<R>(sql, params),
      ),
  };
}

function counted(db: Db, count: () => void): Reader {
  return {
    query: (sql, params) => (count(), db.query(sql, params)),
    one: (sql, params) => (count(), db.one(sql, params)),
  };
}
