/**
 * The part of the worker that sends application services what is for them. Each service has a loop of its own, so that one that is
 * slow or away keeps no other waiting; any number of workers run the loops, and a lease says who sends to which.
 */
import type { Context } from "../context.ts";
import { asError } from "../errors.ts";
import { limits } from "../limits.ts";
import { startRounds } from "../rounds.ts";
import { pause } from "../seams.ts";
import { holderName } from "../worker/progress.ts";
import { type Next, takeTurn } from "./deliver.ts";
import { type Moments, openMoments } from "./moments.ts";
import { beginServices, leavePlace } from "./places.ts";
import { openStretches } from "./stretches.ts";

type Loop = () => Promise<void>;

/** Starts the loops, and again where services come and go; gives the function that ends them. */
export async function startServices(ctx: Context): Promise<() => Promise<void>> {
  const holder = holderName(ctx.seams);
  const read = openStretches(ctx);
  const loops = new Map<string, Loop>();
  const follow = async () => {
    const wanted = new Set(ctx.services.all().flatMap(({ id, url }) => (url === undefined ? [] : [id])));
    const isNew = [...wanted].filter((id) => !loops.has(id));
    if (isNew.length > 0) await beginServices(ctx, isNew);
    for (const id of isNew) loops.set(id, startLoop(ctx, { id, holder, read }));
    for (const [id, end] of loops)
      if (!wanted.has(id)) {
        loops.delete(id);
        await end();
      }
  };
  const failed = "application services could not be begun with";
  await follow();
  const end = startRounds(ctx, { wait_ms: () => limits.serviceLook_ms, act: follow, failed });
  return async () => {
    await end();
    await Promise.all([...loops.values()].map((each) => each()));
  };
}

interface LoopOptions {
  id: string;
  holder: string;
  read: ReturnType<typeof openStretches>;
}

function startLoop(ctx: Context, options: LoopOptions): Loop {
  const ending = new AbortController();
  const moments = openMoments(ctx);
  const running = run(ctx, options, { moments, signal: ending.signal });
  return async () => {
    ending.abort(new Error("the worker ends"));
    moments.close();
    await running;
    await leavePlace(ctx.db.appservice, options.id, options.holder).catch(() => {});
  };
}

async function run(
  ctx: Context,
  { id, holder, read }: LoopOptions,
  { moments, signal }: { moments: Moments; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    // Its registration may have changed.
    const service = ctx.services.byId(id);
    if (!service) return;
    const own = service.takesEphemeral ? moments : undefined;
    const next = await takeTurn(ctx, { service, holder, read, moments: own, signal }).catch((thrown: unknown) => {
      if (!signal.aborted)
        ctx.logger.warn(
          { service: id, reason: asError(thrown).message },
          "an application service was not served; it is tried again",
        );
      return { wait_ms: limits.serviceRetryFirst_ms };
    });
    await rest(ctx, next, { moments: own, signal });
  }
}

/** Until something happens, or it is time. */
async function rest(
  ctx: Context,
  next: Next,
  { moments, signal }: { moments: Moments | undefined; signal: AbortSignal },
): Promise<void> {
  if ("wait_ms" in next) return next.wait_ms === 0 ? undefined : pause(ctx.seams, next.wait_ms, signal).catch(() => {});
  const over = new AbortController();
  const either = AbortSignal.any([over.signal, signal]);
  const timer = ctx.seams.after(limits.serviceIdle_ms, () => over.abort());
  const news = ctx.log.hub.reached(next.after + 1, either).catch(() => {});
  await Promise.race([news, ...(moments ? [moments.changed(either)] : [])]);
  timer.cancel();
  over.abort();
}
