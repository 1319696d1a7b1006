/**
 * Where what connections have been sent is kept: in PostgreSQL as steps, each of which says what an answer changed, and put together
 * in memory. A token names its step, so any process can answer any request. In the ordinary case, news in rooms that the client
 * has, nothing changes and nothing is written; and a connection without rooms has no row at all.
 *
 * Steps of a connection form chains: each but the first names the one that it began from. A chain that has grown long begins anew
 * with a step that says everything. docs/decisions/0050-sliding-sync-keeps-steps.md
 */
import { LRUCache } from "lru-cache";
import { sessionsOf } from "../../auth/sessions.ts";
import type { Context } from "../../context.ts";
import { asError, matrixError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { LogEntry } from "../../log/entry.ts";
import { startRounds } from "../../rounds.ts";
import { applied, type ConnectionState, decodeChange, encodeChange, NOTHING_SENT, type StateChange } from "./state.ts";

/** A client's own connection. */
export interface ConnectionName {
  sessionId: number;
  connId: string;
}

/** What the client has that shows this step; 0 is the step of who has nothing. */
export interface Held {
  step: number;
  state: ConnectionState;
  /** The steps that it is made of, the first one first. */
  chain: readonly number[];
}

export interface Connections {
  /** What the client has. Throws M_UNKNOWN_POS where nobody knows any more. */
  open(name: ConnectionName, step: number): Promise<Held>;
  /** Notes what an answer changes; gives the step for its token. */
  take(name: ConnectionName, from: Held, change: StateChange): Promise<number>;
  /** Ends the work in the background. */
  close(): Promise<void>;
}

/** Numbers of steps are chance. */
const MOST_STEP = 2 ** 48 - 1;
const BEGINNING: Held = { step: 0, state: NOTHING_SENT, chain: [] };

interface Kept extends Held {
  from: number;
  touched_ms: number;
}

/** Opens the store, and forgets connections of ended sessions and those that nobody uses. */
export function openConnections(ctx: Context): Connections {
  const { seams } = ctx;
  const kept = new LRUCache<string, Kept>({
    maxSize: limits.slidingStates_rooms,
    sizeCalculation: ({ state }) => state.size + 10,
  });
  const keyOf = ({ sessionId, connId }: ConnectionName, step: number) => `${sessionId} ${step} ${connId}`;

  ctx.log.hub.listen((entries) => {
    for (const entry of entries) if (entry.kind === "session" && entry.type === "ended") forgetSessions(ctx, entry);
  });
  const close = startRounds(ctx, {
    wait_ms: () => limits.slidingSweep_ms + seams.randomInt(limits.slidingSweepSpread_ms),
    act: () => forgetIdle(ctx),
    failed: "unused connections of sliding sync could not be forgotten",
  });

  /** Says once a day that the connection is in use, which its steps do not where nothing changes. */
  function touch(name: ConnectionName, held: Kept): void {
    const now_ms = seams.monotonic_ms();
    if (now_ms - held.touched_ms < limits.slidingTouch_ms) return;
    held.touched_ms = now_ms;
    ctx.db.sync
      .change("update sync.connections set used_at = now() where session_id = $1 and conn_id = $2", [
        name.sessionId,
        name.connId,
      ])
      .catch((thrown: unknown) => ctx.logger.warn({ err: asError(thrown) }, "a use of a connection was not noted"));
  }

  return {
    close,
    async open(name, step) {
      if (step === 0) return BEGINNING;
      let held = kept.get(keyOf(name, step));
      if (!held) {
        const read = await readHeld(ctx, name, step);
        held = { ...read, from: 0, touched_ms: -limits.slidingTouch_ms };
        kept.set(keyOf(name, step), held);
      }
      // The client has the answer of this step, so it does not come back with the token of the one before.
      kept.delete(keyOf(name, held.from));
      touch(name, held);
      return held;
    },
    async take(name, from, change) {
      const state = applied(from.state, change);
      // A number that nobody had before: after a fail-over a sequence may give some out again.
      const step = seams.randomInt(MOST_STEP) + 1;
      const isWhole = from.chain.length === 0 || from.chain.length >= limits.slidingChain_steps;
      await ctx.db.sync.query("select sync.take_step($1, $2, $3, $4, $5, $6, $7, $8)", [
        name.sessionId,
        name.connId,
        step,
        isWhole ? null : from.step,
        encodeChange(isWhole ? state : change),
        from.chain,
        limits.slidingConnections,
        limits.slidingSiblings_steps,
      ]);
      const chain = isWhole ? [step] : [...from.chain, step];
      kept.set(keyOf(name, step), { step, state, chain, from: from.step, touched_ms: seams.monotonic_ms() });
      return step;
    },
  };
}

interface StepRow {
  step: number;
  base: number | null;
  state: string;
}

/** Puts the steps together. */
async function readHeld(ctx: Context, { sessionId, connId }: ConnectionName, step: number): Promise<Held> {
  const rows = await ctx.db.sync.query<StepRow>(
    "select step, base, state from sync.steps where session_id = $1 and conn_id = $2",
    [sessionId, connId],
  );
  const steps = new Map(rows.map((row) => [row.step, row]));
  const chain: StepRow[] = [];
  for (let next: number | null = step; next !== null;) {
    const row = steps.get(next);
    if (!row) throw unknownPosition();
    chain.unshift(row);
    steps.delete(next);
    next = row.base;
  }
  const state = chain.reduce((before, row) => applied(before, decodeChange(row.state)), NOTHING_SENT);
  return { step, state, chain: chain.map((row) => row.step) };
}

/** The client must leave out its `pos`, and gets everything anew. MSC4186, "Connections". */
export function unknownPosition() {
  return matrixError("M_UNKNOWN_POS", `This server does not know "pos" any more. Leave it out to start over.`);
}

function forgetSessions(ctx: Context, entry: LogEntry): void {
  ctx.db.sync
    .change("delete from sync.connections where session_id = any ($1)", [sessionsOf(entry)])
    .catch((thrown: unknown) =>
      ctx.logger.warn({ err: asError(thrown) }, "connections of an ended session stay until they are old"),
    );
}

async function forgetIdle(ctx: Context): Promise<void> {
  await ctx.db.sync.change("delete from sync.connections where used_at < now() - $1 * interval '1 millisecond'", [
    limits.slidingIdle_ms,
  ]);
}
