/** The probes. Live: the process answers. Ready: it can serve: the database answers, its schema fits and the log is not far behind. */
import type { Context } from "./context.ts";
import { openSchemaFit, type SchemaFit } from "./db/fit.ts";
import { asError } from "./errors.ts";
import { Answer, route, type Route } from "./http.ts";
import { limits } from "./limits.ts";
import { readHead } from "./log/queries.ts";

interface Health {
  status: number;
  body: Record<string, unknown>;
}

/** Of each process, made when it is asked for the first time. */
const fits = new WeakMap<Context, SchemaFit>();

function fitOf(ctx: Context): SchemaFit {
  const fit = fits.get(ctx) ?? openSchemaFit({ db: ctx.db.log, seams: ctx.seams });
  fits.set(ctx, fit);
  return fit;
}

async function ready(ctx: Context): Promise<Health> {
  if (ctx.draining()) return { status: 503, body: { ready: false, reason: "the server is stopping" } };
  try {
    const { position } = await readHead(ctx.db.log);
    const lag_entries = Math.max(0, position - ctx.log.hub.head());
    ctx.metrics.logLag.set(lag_entries);
    // A schema that does not fit is not mended by waiting; the lag would only hide it.
    const reason = fitOf(ctx).misfit();
    if (reason !== undefined) return { status: 503, body: { ready: false, lag_entries, reason } };
    const isReady = lag_entries <= limits.readyLag_entries;
    return { status: isReady ? 200 : 503, body: { ready: isReady, lag_entries } };
  } catch (thrown) {
    ctx.logger.warn({ err: asError(thrown) }, "not ready: the database does not answer");
    return { status: 503, body: { ready: false, reason: "the database does not answer" } };
  }
}

export const health = { live: (): Health => ({ status: 200, body: { live: true } }), ready };

const answer = ({ status, body }: Health) => new Answer({ status, payload: JSON.stringify(body) });

/** The probes on the public port, for whoever has only that one. */
export const healthRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/health/live",
    // Of the process that serves the web apps, whose own paths are below /api.
    alsoAt: ["/api/v1/health"],
    access: "anyone",
    handle: () => answer(health.live()),
  }),
  route({
    method: "GET",
    path: "/health/ready",
    alsoAt: ["/api/health/ready"],
    access: "anyone",
    handle: async (_request, ctx) => answer(await ready(ctx)),
  }),
];
