/** `POST /appservice/{appserviceId}/ping`. Specification: application-service-api, "Pinging". */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError, type MatrixError } from "../errors.ts";
import { route } from "../http.ts";
import { limits } from "../limits.ts";
import { askService, Unreached } from "./client.ts";
import { retryNow } from "./places.ts";
import type { Service } from "./service.ts";

export const ping = route({
  method: "POST",
  path: "/_matrix/client/v1/appservice/:appserviceId/ping",
  access: "service",
  rate: "other",
  body: z.looseObject({ transaction_id: z.string().max(limits.identifier_bytes).optional() }),
  async handle({ params, session, body, signal }, ctx) {
    const service = ctx.services.byId(params["appserviceId"] as string);
    if (!service || service.id !== session.service?.id)
      throw matrixError("M_FORBIDDEN", "This is not the as_token of that application service.");
    if (service.url === undefined)
      throw matrixError("M_URL_NOT_SET", "The registration of this application service has no url.");
    const begun_ms = ctx.seams.monotonic_ms();
    await pingService(ctx, service, { body: JSON.stringify(body), signal: signal() });
    return { duration_ms: Math.round(ctx.seams.monotonic_ms() - begun_ms) };
  },
});

/** Asks whether the service is there; where it is, what waits for it is sent soon. Throws the errors that a ping answers. */
export async function pingService(
  ctx: Context,
  service: Service,
  { body, signal }: { body: string; signal: AbortSignal },
): Promise<void> {
  const { status, text } = await askService(ctx, service, {
    method: "POST",
    path: "/ping",
    body,
    timeout_ms: limits.servicePing_ms,
    signal,
  }).catch((thrown: unknown) => {
    throw thrown instanceof Unreached ? unreached(thrown) : thrown;
  });
  if (status >= 200 && status < 300) return retryNow(ctx.db.appservice, service.id);
  throw matrixError("M_BAD_STATUS", `The application service answered ${status}.`, {
    fields: { status, body: text.slice(0, limits.servicePingBody_characters) },
  });
}

/** What the service is told of a ping that found nobody. */
export function unreached({ isTimeout, message }: Unreached): MatrixError {
  return matrixError(
    isTimeout ? "M_CONNECTION_TIMEOUT" : "M_CONNECTION_FAILED",
    `The application service: ${message}.`,
  );
}
