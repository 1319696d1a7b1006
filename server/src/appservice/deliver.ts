/** One service's turn: what stands in the log behind its place is put together, written down, and sent until the service has it. */
import type { Context } from "../context.ts";
import { limits } from "../limits.ts";
import { startRounds } from "../rounds.ts";
import { askService, Unreached } from "./client.ts";
import { collect } from "./collect.ts";
import { forgetDelivered } from "./delivered.ts";
import { serviceMetrics } from "./metrics.ts";
import type { Moments } from "./moments.ts";
import {
  beginTransaction,
  endTransaction,
  failTransaction,
  followFork,
  passOver,
  type Place,
  takePlace,
} from "./places.ts";
import type { Service } from "./service.ts";
import type { Stretch } from "./stretches.ts";

export interface Turn {
  service: Service;
  holder: string;
  read(after: number): Promise<Stretch>;
  moments: Moments | undefined;
  signal: AbortSignal;
}

/** What comes next: at once, after a while, or when something happens behind a position of the log. */
export type Next = { wait_ms: number } | { after: number };

export async function takeTurn(ctx: Context, turn: Turn): Promise<Next> {
  const { service, holder } = turn;
  const place = await takePlace(ctx.db.appservice, service.id, holder);
  if (!place) return { wait_ms: limits.serviceLook_ms };
  serviceMetrics(ctx).backlog.set({ service: service.id }, Math.max(0, ctx.log.hub.head() - place.position));
  // A look now and then keeps the lease.
  if (place.retryIn_ms > 0) return { wait_ms: Math.min(place.retryIn_ms, limits.serviceKeep_ms) };
  if (place.body !== null) return send(ctx, turn, place);
  return goOn(ctx, turn, place);
}

async function goOn(ctx: Context, { service, holder, read, moments, ...turn }: Turn, from: Place): Promise<Next> {
  const stretch = await read(from.position);
  const place = await followFork(ctx, from, stretch.epoch);
  if (place.position !== from.position) return { wait_ms: 0 };
  const { body, upTo } = await collect(ctx, service, { stretch, moments });
  if (body !== undefined) {
    const begun = await beginTransaction(ctx.db.appservice, place, { holder, body, reaches: upTo });
    return begun ? send(ctx, { service, holder, read, moments, ...turn }, begun) : { wait_ms: 0 };
  }
  if (upTo > place.position) await passOver(ctx.db.appservice, place, { holder, upTo });
  return stretch.entries.length < limits.serviceStretch_entries && upTo === stretch.upTo
    ? { after: upTo }
    : { wait_ms: 0 };
}

/** The lease is kept while the service takes its time. */
async function send(ctx: Context, { service, holder, signal }: Turn, place: Place): Promise<Next> {
  const keep = startRounds(ctx, {
    wait_ms: () => limits.serviceKeep_ms,
    act: () => takePlace(ctx.db.appservice, service.id, holder),
    failed: "the lease on an application service could not be kept",
  });
  let fault: string | undefined;
  try {
    fault = await attempt(ctx, service, { place, signal });
  } finally {
    await keep();
  }
  if (signal.aborted) return { wait_ms: 0 };
  serviceMetrics(ctx).transactions.inc({ service: service.id, outcome: fault === undefined ? "taken" : "failed" });
  if (fault === undefined) {
    await endTransaction(ctx.db.appservice, place);
    const { body, reaches, epoch } = place;
    await forgetDelivered(ctx, service, { body: body as string, upTo: reaches as number, epoch });
    return { wait_ms: 0 };
  }
  if (place.failures === 0)
    ctx.logger.warn(
      { service: service.id, reason: fault },
      "an application service did not take a transaction; it is sent again",
    );
  const wait_ms = await failTransaction(ctx, place, fault);
  return { wait_ms: Math.min(wait_ms, limits.serviceKeep_ms) };
}

/** Undefined where the service has the transaction, else what was wrong. Specification: "Pushing events". */
async function attempt(
  ctx: Context,
  service: Service,
  { place, signal }: { place: Place; signal: AbortSignal },
): Promise<string | undefined> {
  try {
    const { status, text } = await askService(ctx, service, {
      method: "PUT",
      path: `/transactions/${place.transaction}`,
      body: place.body as string,
      timeout_ms: limits.serviceTransaction_ms,
      signal,
      legacy: "",
    });
    if (status >= 200 && status < 300) return undefined;
    return `it answered ${status}: ${text.replaceAll(/\s+/g, " ")}`.slice(0, limits.serviceError_characters);
  } catch (thrown) {
    if (thrown instanceof Unreached) return thrown.message;
    throw thrown;
  }
}
