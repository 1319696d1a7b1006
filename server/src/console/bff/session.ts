/**
 * The console's sessions. One begins when an operator has proved who they are and ends: when it is unused for `limits.consoleIdle_ms`,
 * after `limits.consoleSession_ms` in any case, when the person signs out, when all their sessions are ended wherever that is done, when
 * the provider that let them in ends that, when the account is suspended or deactivated, when they are no operator any more, and when they
 * owe a second factor. All but the first two are looked at with every
 * request, so they hold at once and on every replica. Its id changes with every proof of who somebody is.
 */
import { z } from "zod";
import type { Context } from "../../context.ts";
import { hasLoginEnded } from "../../auth/sso/sessions.ts";
import { limits } from "../../limits.ts";
import { randomToken } from "../../seams.ts";
import { openSessionStore } from "../../sessions/open.ts";
import type { SessionStore } from "../../sessions/sessions.ts";
import type { OperatorRole } from "../operation.ts";
import { readOperator } from "../operators.ts";
import { owesSecondFactor, secondFactorOwed } from "../second-factor.ts";

const ID_BYTES = 32;
/** How much of the idle time may pass before a request prolongs it: so not every one writes. */
const TOUCH_MS = 60_000;

const kept = z.object({
  userId: z.string(),
  /** How often all sessions of the account had been ended when it began. */
  endings: z.int(),
  began_ms: z.int(),
  /** When the person last proved who they are; 0 where a provider let them in that does not say when it asked them. */
  confirmed_ms: z.int(),
  /** What a provider let them in by: with that the session ends. */
  login: z.int().nullable().default(null),
});
type Kept = z.output<typeof kept>;

export interface ConsoleSession extends Kept {
  id: string;
  role: OperatorRole;
  /** The store's clock. */
  now_ms: number;
}

const stores = new WeakMap<Context, SessionStore>();

export function storeOf(ctx: Context): SessionStore {
  const store =
    stores.get(ctx) ?? openSessionStore({ storage: ctx.config.sessionStorage, db: ctx.db.console, seams: ctx.seams });
  stores.set(ctx, store);
  return store;
}

export interface Beginning extends Pick<Kept, "userId" | "endings"> {
  role: OperatorRole;
  /** That of the old, where a session goes on under a new id. */
  began_ms?: number;
  /** How long ago the person proved who they are: just now, where it is missing; null where nobody knows. */
  proved_ago_ms?: number | null;
  login?: number | null;
}

/** Begins a session, or goes on with one under a new id. Throws M_FORBIDDEN where a second factor is owed. */
export async function beginSession(ctx: Context, beginning: Beginning): Promise<ConsoleSession> {
  const { userId, endings, role, began_ms, proved_ago_ms = 0, login = null } = beginning;
  if (await owesSecondFactor(ctx, userId)) throw secondFactorOwed(ctx);
  const store = storeOf(ctx);
  const now_ms = await store.now_ms();
  const confirmed_ms = proved_ago_ms === null ? 0 : now_ms - proved_ago_ms;
  const data: Kept = { userId, endings, began_ms: began_ms ?? now_ms, confirmed_ms, login };
  const id = randomToken(ctx.seams, ID_BYTES);
  await store.set(id, JSON.stringify(data), { owner: userId, ttl_ms: ttlOf(data, now_ms) });
  return { ...data, id, role, now_ms };
}

/** The session of an id, prolonged; undefined where it has ended, and then it is gone. */
export async function readSession(ctx: Context, id: string): Promise<ConsoleSession | undefined> {
  const store = storeOf(ctx);
  const stored = await store.get(id);
  if (!stored) return undefined;
  const data = kept.parse(JSON.parse(stored.data));
  const [operator, isOwing, hasEnded] = await Promise.all([
    readOperator(ctx, data.userId),
    owesSecondFactor(ctx, data.userId),
    hasLoginEnded(ctx, data.login),
  ]);
  const ttl_ms = ttlOf(data, stored.now_ms);
  if (operator?.standing.sessionEndings !== data.endings || isOwing || hasEnded || ttl_ms <= 0) {
    await store.delete(id);
    return undefined;
  }
  if (ttl_ms - stored.left_ms > TOUCH_MS) await store.touch(id, ttl_ms);
  return { ...data, id, role: operator.role, now_ms: stored.now_ms };
}

function ttlOf({ began_ms }: Kept, now_ms: number): number {
  return Math.min(limits.consoleIdle_ms, began_ms + limits.consoleSession_ms - now_ms);
}

/** Whether what changes something needs a proof again. */
export function isStale({ confirmed_ms, now_ms }: Pick<ConsoleSession, "confirmed_ms" | "now_ms">): boolean {
  return now_ms - confirmed_ms > limits.consoleConfirm_ms;
}
