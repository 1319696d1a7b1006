/**
 * Who an access token belongs to. Every request asks, so the answers are kept in memory; an entry of the log that ends a
 * session takes its answers away at once. A process that has not heard the log for `limits.sessionBlind_ms`, because the database
 * is away or the process was paused, believes none of them and asks the database each time.
 */
import { LRUCache } from "lru-cache";
import { atMost } from "../bounded.ts";
import type { Db, Reader } from "../db/database.ts";
import { matrixError, type MatrixError } from "../errors.ts";
import type { Session } from "../http.ts";
import { limits } from "../limits.ts";
import type { LogEntry } from "../log/entry.ts";
import type { Hub } from "../log/hub.ts";
import type { Log } from "../log/open.ts";
import { readHead } from "../log/queries.ts";
import type { Point } from "../log/token.ts";
import { openLookup } from "../lookups.ts";
import type { Seams } from "../seams.ts";
import { createLastSeen } from "./last-seen.ts";
import { accountLocked } from "./moderation.ts";
import { isGenuine, isSigned } from "./oauth/access-tokens.ts";
import type { SigningKeys } from "./oauth/signing-keys.ts";
import { tokenKey } from "./tokens.ts";

export interface Sessions {
  /**
   * The session of an access token, noting that it was seen at `address`. Throws M_UNKNOWN_TOKEN; with `soft_logout` where the
   * session goes on and only its token has expired (client-server-api, "Soft logout").
   */
  authenticate(accessToken: string, address?: string): Promise<Session>;
  /** For whoever serves a session without asking for its token each time: notes that it was seen at `address`. */
  noteSeen(sessionId: number, address: string): void;
  /** Writes down when the sessions were seen last. */
  close(): Promise<void>;
}

interface Known {
  session: Session;
  /** The end of the access token or of this memory of it, on the monotonic clock. */
  until_ms: number;
}

export interface SessionsOptions {
  db: Db;
  log: Reader;
  hub: Hub;
  seams: Seams;
  /** What access tokens of the OAuth 2.0 API are signed with. */
  signingKeys: Pick<SigningKeys, "find">;
}

export function openSessions({ db, log, hub, seams, signingKeys }: SessionsOptions): Sessions {
  const known = new LRUCache<string, Known>({ ...atMost(limits.sessionCache_sessions), dispose: forgetHash });
  const hashesOf = new Map<number, Set<string>>();
  const loading = new Map<string, Promise<Session>>();
  const lastSeen = createLastSeen(db, seams);
  const look = openLookup({ most: limits.lookup_keys, ask: readStanding });
  let endings = 0;

  function forgetHash({ session }: Known, key: string): void {
    const hashes = hashesOf.get(session.id);
    hashes?.delete(key);
    if (hashes?.size === 0) hashesOf.delete(session.id);
  }

  function remember(key: string, entry: Known): void {
    known.set(key, entry);
    const hashes = hashesOf.get(entry.session.id) ?? new Set();
    hashesOf.set(entry.session.id, hashes.add(key));
  }

  /** The head is read first: whoever has a token has it from before that, and what is written after it will be heard. */
  async function readStanding(keys: readonly string[]): Promise<(Read | undefined)[]> {
    const asOf = await readHead(log);
    const rows = await readTokens(db, keys);
    return rows.map((row) => row && { row, asOf });
  }

  hub.listen((entries) => {
    for (const entry of entries) {
      if (entry.kind !== "session" || !FORGETTING.has(entry.type ?? "")) continue;
      endings += 1;
      loading.clear();
      for (const id of sessionsOf(entry)) for (const key of hashesOf.get(id) ?? []) known.delete(key);
    }
  });

  async function load(key: string): Promise<Session> {
    const endingsBefore = endings;
    const { row, asOf } = checked(await look(key));
    const session = sessionIn(row, asOf);
    const lives_ms = Math.min(limits.sessionCache_ms, row.left_ms ?? Number.POSITIVE_INFINITY);
    // A session that ended while it was read must not come back into the cache after its ending was heard.
    if (endings === endingsBefore) remember(key, { session, until_ms: seams.monotonic_ms() + lives_ms });
    return session;
  }

  function loadOnce(key: string, accessToken: string): Promise<Session> {
    const begun = loading.get(key) ?? refuseForged(signingKeys, accessToken).then(() => load(key));
    loading.set(key, begun);
    const done = () => loading.get(key) === begun && loading.delete(key);
    begun.then(done, done);
    return begun;
  }

  return {
    async authenticate(accessToken, address) {
      const key = tokenKey(accessToken);
      const found = known.get(key);
      const now_ms = seams.monotonic_ms();
      const isBlind = now_ms - hub.heard_ms() > limits.sessionBlind_ms;
      const session = found && found.until_ms > now_ms && !isBlind ? found.session : await loadOnce(key, accessToken);
      if (address !== undefined) lastSeen.note(session.id, address);
      return session;
    },
    noteSeen: lastSeen.note,
    close: () => lastSeen.close(),
  };
}

/** A session as far as entries of the log are about it. */
export type Standing = Pick<Session, "id" | "asOf">;

/** What tells which entries a session was read before. */
export type History = Pick<Log, "sharedUpTo">;

/**
 * Why an entry of the log ends what this session waits for; undefined where it does not. A device that signs in again goes on with
 * its session, and so does a bot with a new token: the ending of what it had before is then in its news, and is not its own.
 */
export function endingOf(entry: LogEntry, session: Standing, log: History): MatrixError | undefined {
  if (!concerns(entry, session, log)) return undefined;
  if (entry.type === "ended") return matrixError("M_UNKNOWN_TOKEN", "This session was ended. Sign in again.");
  return entry.type === "locked" ? accountLocked() : undefined;
}

/** Whether the entry says that the session may do more or less than before. */
export function isChanged(entry: LogEntry, session: Standing, log: History): boolean {
  return entry.type === "changed" && concerns(entry, session, log);
}

/** Where a fail-over lost what the session had been read with, others' entries may have those positions by now. */
function concerns(entry: LogEntry, { id, asOf }: Standing, log: History): boolean {
  if (entry.kind !== "session" || !FORGETTING.has(entry.type ?? "")) return false;
  return entry.position > log.sharedUpTo(asOf) && sessionsOf(entry).includes(id);
}

/** The types of entries of the kind `session` after which what is known of the sessions in their bodies is not true any more. */
const FORGETTING = new Set(["ended", "locked", "changed"]);

/** What none of our keys has signed is nobody's, whatever the database says. Its client is told softly: a refresh may do. */
async function refuseForged(keys: SessionsOptions["signingKeys"], accessToken: string): Promise<void> {
  if (!isSigned(accessToken) || (await isGenuine(keys, accessToken))) return;
  const fields = { soft_logout: true };
  throw matrixError("M_UNKNOWN_TOKEN", "No key of this server has signed this access token.", { fields });
}

/** The ids in the body of an entry of the kind `session` and such a type. */
export function sessionsOf(entry: LogEntry): readonly number[] {
  return (JSON.parse(entry.body) as { sessions: number[] }).sessions;
}

interface Read {
  row: TokenRow;
  asOf: Point;
}

interface TokenRow extends Omit<Session, "scopes" | "asOf"> {
  /** Null: everything that the account may. Only a session without has refresh tokens, and so fresh ones. */
  scopes?: readonly string[] | null;
  state: "used" | "retired";
  /** How long the access token still lives; null: for ever. */
  left_ms: number | null;
}

function sessionIn(row: TokenRow, asOf: Point): Session {
  const { id, userId, deviceId, isAdmin, scopes, isLocked, isSuspended, isGuest } = row;
  return {
    id,
    userId,
    deviceId,
    isAdmin,
    asOf,
    ...(scopes ? { scopes } : {}),
    ...(isLocked ? { isLocked } : {}),
    ...(isSuspended ? { isSuspended } : {}),
    ...(isGuest ? { isGuest } : {}),
  };
}

/** The tokens' rows; undefined for one that is not known. Only the first use of a token writes something. */
async function readTokens(db: Db, keys: readonly string[]): Promise<(TokenRow | undefined)[]> {
  const rows = await db.query<Omit<TokenRow, "state"> & { key: string; state: TokenRow["state"] | "fresh" }>(
    `select k.key, s.session_id as id, s.user_id as "userId", s.device_id as "deviceId", a.is_admin as "isAdmin", s.scopes, t.state,
       a.suspended_at is not null as "isLocked", a.read_only_at is not null as "isSuspended", a.is_guest as "isGuest",
       extract(epoch from t.expires_at - clock_timestamp())::double precision * 1000 as left_ms
     from unnest($1::text[]) k(key) join auth.tokens t on t.access_hash = decode(k.key, 'base64')
     join auth.sessions s on s.session_id = t.session_id join auth.accounts a on a.user_id = s.user_id`,
    [keys],
  );
  const found = new Map(rows.map(({ key, ...row }) => [key, row]));
  return Promise.all(
    keys.map(async (key) => {
      const row = found.get(key);
      return row?.state === "fresh" ? await useToken(db, key) : (row as TokenRow | undefined);
    }),
  );
}

function useToken(db: Db, key: string): Promise<TokenRow | undefined> {
  return db.one<TokenRow>(
    `select u.session_id as id, u.user_id as "userId", u.device_id as "deviceId", u.is_admin as "isAdmin", u.state, u.left_ms,
       a.suspended_at is not null as "isLocked", a.read_only_at is not null as "isSuspended", a.is_guest as "isGuest"
     from auth.use_token(decode($1, 'base64')) u join auth.accounts a using (user_id)`,
    [key],
  );
}

function checked(read: Read | undefined): Read {
  if (!read) throw matrixError("M_UNKNOWN_TOKEN", "This access token is not known. Sign in again.");
  const { state, left_ms } = read.row;
  if (state === "retired" || (left_ms !== null && left_ms <= 0))
    throw matrixError("M_UNKNOWN_TOKEN", "This access token has expired.", { fields: { soft_logout: true } });
  return read;
}
