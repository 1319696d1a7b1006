/**
 * What the authorisation server remembers between two requests, in auth.oauth_state: any replica goes on with what another one began.
 * Of an id that opens something the table has the SHA-256. What has expired is passed over, and forgotten by a round.
 */
import type { Adapter, AdapterPayload } from "oidc-provider";
import type { Context } from "../../context.ts";
import { isOfNul } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { tokenHash } from "../tokens.ts";
import { type KnownClient, readClient } from "./clients.ts";
import { endGrant } from "./sessions.ts";

/** Codes: kept after their use, so that a second one is noticed. */
const CONSUMED = new Set(["AuthorizationCode", "DeviceCode"]);
const KEPT = new Set(["Interaction", "Grant", ...CONSUMED]);

/** The library's errors, as a client is told them. */
export interface Refusals {
  grant(message: string): Error;
  request(message: string): Error;
}

/**
 * The adapter of one kind. Only the kinds of `KEPT` are in the table. Tokens are Parley's own (sessions.ts), who the browser is says
 * browsers.ts, and clients have their table.
 */
export function adapterOf(ctx: Context, refused: Refusals): (kind: string) => Adapter {
  return (kind) => {
    if (kind === "Grant") return grantsOf(ctx, storedIn(ctx, kind, refused));
    if (KEPT.has(kind)) return storedIn(ctx, kind, refused);
    if (kind === "Client") return { ...nothing, find: async (id) => spread(await readClient(ctx, id)) };
    if (kind === "AccessToken") return { ...nothing, revokeByGrantId: (grantId) => endGrant(ctx, grantId) };
    return nothing;
  };
}

/** A shape without a name, as the library has it. */
function spread(client: KnownClient | undefined): AdapterPayload | undefined {
  return client && { ...client };
}

/** What the provider keeps of a request may hold what the database can not. */
async function withoutNul(keeping: Promise<number>, refused: Refusals): Promise<void> {
  try {
    await keeping;
  } catch (thrown) {
    if (!isOfNul(thrown)) throw thrown;
    throw refused.request("a parameter has the character U+0000");
  }
}

const nothing: Adapter = {
  upsert: () => Promise.resolve(),
  find: () => Promise.resolve(undefined),
  findByUserCode: () => Promise.resolve(undefined),
  findByUid: () => Promise.resolve(undefined),
  consume: () => Promise.resolve(),
  destroy: () => Promise.resolve(),
  revokeByGrantId: () => Promise.resolve(),
};

/**
 * What a person allowed goes with their sessions: where all of these were ended since, no code of it is good any more, so that a
 * device that somebody has let in, and that has not come yet, stays out.
 */
function grantsOf(ctx: Context, stored: Adapter): Adapter {
  return {
    ...stored,
    upsert: async (id, payload, expiresIn_s) =>
      stored.upsert(id, { ...payload, sessionEndings: await endingsOf(ctx, payload.accountId) }, expiresIn_s),
    async find(id) {
      const found = await stored.find(id);
      if (!found) return undefined;
      const before = found["sessionEndings"];
      // One that was written down before there was this has none.
      return before === undefined || before === (await endingsOf(ctx, found.accountId)) ? found : undefined;
    },
  };
}

async function endingsOf(ctx: Context, userId: string | undefined): Promise<number | undefined> {
  const sql = `select session_endings as "endings" from auth.accounts where user_id = $1`;
  return (await ctx.db.auth.one<{ endings: number }>(sql, [userId]))?.endings;
}

interface StateRow {
  payload: AdapterPayload;
  is_consumed: boolean;
}

function storedIn({ db: { auth: db } }: Context, kind: string, refused: Refusals): Adapter {
  const kept_ms = CONSUMED.has(kind) ? limits.oauthKept_ms : 0;
  return {
    ...nothing,
    async upsert(id, { jti: _, ...payload }, expiresIn_s) {
      const keeping = db.change(
        `insert into auth.oauth_state (kind, id_hash, payload, grant_id, user_code, expires_at)
         values ($1, $2, $3, $4, $5, now() + $6 * interval '1 millisecond')
         on conflict (kind, id_hash) do update
           set payload = excluded.payload, grant_id = excluded.grant_id, expires_at = excluded.expires_at`,
        [
          kind,
          tokenHash(id),
          payload,
          payload.grantId ?? null,
          payload.userCode ?? null,
          (expiresIn_s ?? 0) * 1_000 + kept_ms,
        ],
      );
      await withoutNul(keeping, refused);
    },
    async find(id) {
      const row = await db.one<StateRow>(
        `select payload, consumed_at is not null as is_consumed from auth.oauth_state
         where kind = $1 and id_hash = $2 and expires_at > now()`,
        [kind, tokenHash(id)],
      );
      return row && { ...row.payload, jti: id, ...(row.is_consumed ? { consumed: true } : {}) };
    },
    async consume(id) {
      const used = await db.change(
        "update auth.oauth_state set consumed_at = now() where kind = $1 and id_hash = $2 and consumed_at is null",
        [kind, tokenHash(id)],
      );
      // Another replica took it between this one's look and now.
      if (used === 0) throw refused.grant("this code was used already");
    },
    async destroy(id) {
      await db.change("delete from auth.oauth_state where kind = $1 and id_hash = $2", [kind, tokenHash(id)]);
    },
    // The session of the grant ends; what has been used stays as used.
    revokeByGrantId: () => Promise.resolve(),
  };
}
