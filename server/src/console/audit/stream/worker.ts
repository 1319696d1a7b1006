/**
 * Streams the audit log to the system that collects it, each entry in its order and at least once: the position moves when the other
 * end has taken what is before it. Any number of workers run this; a lease says which of them sends.
 */
import type { Context } from "../../../context.ts";
import { asError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import { startRounds } from "../../../rounds.ts";
import { holderName } from "../../../worker/progress.ts";
import type { AuditStream } from "./config.ts";
import { entriesBehind, failPlace, leavePlace, movePlace, type Place, takePlace } from "./place.ts";
import { sendEntries } from "./send.ts";

export function startAuditStream(ctx: Context): Promise<() => Promise<void>> {
  const stream = ctx.config.auditStream;
  if (!stream) return Promise.resolve(() => Promise.resolve());
  const holder = holderName(ctx.seams);
  const end = startRounds(ctx, {
    wait_ms: () => limits.auditStreamLook_ms,
    act: () => streamOn(ctx, stream, holder),
    failed: "the audit log could not be streamed",
  });
  return Promise.resolve(async () => {
    await end();
    await leavePlace(ctx.db.console, holder).catch(() => {});
  });
}

/** Until there is nothing more, or a failure. */
async function streamOn(ctx: Context, stream: AuditStream, holder: string): Promise<void> {
  while (!ctx.stopping.aborted) {
    const place = await takePlace(ctx.db.console, holder);
    if (!place || !(await streamSome(ctx, stream, { holder, place }))) return;
  }
}

/** Gives whether there may be more. */
async function streamSome(
  ctx: Context,
  stream: AuditStream,
  { holder, place }: { holder: string; place: Place },
): Promise<boolean> {
  const rows = await entriesBehind(ctx.db.console, place.position);
  const last = rows.at(-1);
  if (!last) return false;
  const late = new AbortController();
  const timer = ctx.seams.after(limits.auditStreamSend_ms, () => late.abort(new Error("it did not answer in time")));
  try {
    const signal = AbortSignal.any([late.signal, ctx.stopping]);
    await sendEntries({ stream, serverName: ctx.config.serverName, rows, signal });
  } catch (thrown) {
    if (ctx.stopping.aborted) return false;
    const reason = late.signal.aborted ? "it did not answer in time" : asError(thrown).message;
    const error = reason.slice(0, limits.auditStreamError_characters);
    if (place.failures === 0)
      ctx.logger.warn({ reason: error }, "the audit log was not taken where it is streamed to; it is tried again");
    await failPlace(ctx.db.console, holder, { failures: place.failures, error });
    return false;
  } finally {
    timer.cancel();
  }
  await movePlace(ctx.db.console, holder, last.position);
  return rows.length === limits.auditStream_entries;
}
