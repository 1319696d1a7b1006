/** Application services as operators see them: what is registered, how far each was sent what is for it, and a push where one waits. */
import { z } from "zod";
import { cursorOf, readCursor } from "../console/cursor.ts";
import { operation, type Operation, pageOf, pageQuery, reasonSchema } from "../console/operation.ts";
import type { Context } from "../context.ts";
import { asError, MatrixError, matrixError } from "../errors.ts";
import { describeRegistration, describeServices, registrationShape, serviceOf, serviceShape } from "./for-operators.ts";
import { pingService } from "./ping.ts";
import { retryNow } from "./places.ts";
import type { Service } from "./service.ts";

const list = operation({
  id: "appservices.list",
  method: "GET",
  path: "/appservices",
  summary: "Lists the application services (bridges), how far behind each is, and what is wrong",
  role: "auditor",
  query: z.object(pageQuery),
  answer: pageOf(serviceShape),
  command: {
    name: "appservice list",
    arguments: [],
    columns: ["id", "state", "url", "backlog", "sent_ts", "failures", "error"],
  },
  async handle({ query: { limit, from, q } }, ctx) {
    const after = from === undefined ? "" : readCursor(from, z.tuple([z.string()]))[0];
    const found = ctx.services.all().filter((each) => matches(each, q));
    const behind = found.filter(({ id }) => id > after).toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const items = await describeServices(ctx, behind.slice(0, limit));
    const last = behind.length > limit ? items.at(-1) : undefined;
    return { items, total: found.length, ...(last ? { next: cursorOf([last.id]) } : {}) };
  },
});

function matches({ id, url = "", sender }: Service, q = ""): boolean {
  return [id, url, sender].some((text) => text.toLowerCase().includes(q.toLowerCase()));
}

const read = operation({
  id: "appservices.read",
  method: "GET",
  path: "/appservices/:serviceId",
  summary: "Shows an application service: its namespaces, its place in the log, and what waits for it; no token",
  role: "auditor",
  answer: registrationShape,
  command: { name: "appservice show", arguments: ["serviceId"] },
  handle: ({ params: { serviceId } }, ctx) => describeRegistration(ctx, serviceOf(ctx, serviceId)),
});

/** Throws M_URL_NOT_SET. */
function reachable(ctx: Context, id: string): Service {
  const service = serviceOf(ctx, id);
  if (service.url === undefined)
    throw matrixError(
      "M_URL_NOT_SET",
      "The registration of this application service has no url: nothing is sent to it.",
    );
  return service;
}

const retry = operation({
  id: "appservices.retry",
  method: "POST",
  path: "/appservices/:serviceId/retry",
  summary:
    "Sends an application service what waits for it within seconds, however long the pause since the last failure",
  role: "operator",
  body: z.object({ reason: reasonSchema.optional() }),
  answer: serviceShape,
  command: { name: "appservice retry", arguments: ["serviceId"] },
  async handle({ params: { serviceId }, audit }, ctx) {
    const service = reachable(ctx, serviceId);
    const [before] = await describeServices(ctx, [service]);
    await retryNow(ctx.db.appservice, serviceId);
    const [after] = (await describeServices(ctx, [service])) as [z.output<typeof serviceShape>];
    audit({ before: { failures: before?.failures, retry_ts: before?.retry_ts }, after: { retry_ts: after.retry_ts } });
    return after;
  },
});

const pinged = z.object({
  ok: z.boolean(),
  duration_ms: z.int(),
  errcode: z.string().nullable().meta({ description: "As of Matrix's own ping." }),
  error: z.string().nullable(),
});

const ping = operation({
  id: "appservices.ping",
  method: "POST",
  path: "/appservices/:serviceId/ping",
  summary:
    "Asks an application service whether it is there and takes this server's token; one that is gets what waits for it",
  description: "The process that answers asks; the workers, which send, may reach other addresses than it does.",
  role: "operator",
  answer: pinged,
  command: { name: "appservice ping", arguments: ["serviceId"] },
  async handle({ params: { serviceId }, signal, audit }, ctx) {
    const service = reachable(ctx, serviceId);
    const begun_ms = ctx.seams.monotonic_ms();
    const fault = await pingService(ctx, service, { body: "{}", signal }).then(() => undefined, faultOf);
    const answer = {
      ok: fault === undefined,
      duration_ms: Math.round(ctx.seams.monotonic_ms() - begun_ms),
      errcode: fault?.errcode ?? null,
      error: fault?.message ?? null,
    };
    audit({ after: answer });
    return answer;
  },
});

/** What a service did wrong is the answer; what this server does is a failure. */
function faultOf(thrown: unknown): MatrixError {
  if (thrown instanceof MatrixError) return thrown;
  throw asError(thrown);
}

export const appserviceOperations: readonly Operation[] = [list, read, retry, ping];
