/** The operator API as routes: each operation at /_parley/admin/v1, for bearers of a token. The console's own are in bff/. */
import { z } from "zod";
import type { Context } from "../context.ts";
import { Answer, route, type Route } from "../http.ts";
import { type Candidate, bearerOf } from "./actor.ts";
import type { Operation } from "./operation.ts";
import { perform, type RawRequest } from "./perform.ts";

export const API = "/_parley/admin/v1";

/** The role is looked at, and what was sent, once it is known who sent it. */
export function routesAt(
  prefix: string,
  operations: readonly Operation[],
  whoIs: (ctx: Context, request: RawRequest, operation: Operation) => Promise<Candidate>,
): Route[] {
  return operations.map((operation) =>
    route({
      method: operation.method,
      path: prefix + operation.path,
      access: "anyone",
      body: operation.body === "stream" ? "stream" : z.unknown(),
      query: z.record(z.string(), z.string()),
      ...(operation.bodyLimit_bytes ? { bodyLimit_bytes: operation.bodyLimit_bytes } : {}),
      async handle(request, ctx) {
        const who = await whoIs(ctx, request, operation);
        return noStore(await perform(ctx, { operation, request, who }));
      },
    }),
  );
}

export function apiRoutes(operations: readonly Operation[]): Route[] {
  return routesAt(API, operations, bearerOf);
}

/** What an operator sees is nobody else's, also on a machine that others use after them. */
function noStore(answer: Answer | object): Answer {
  const headers = { "cache-control": "no-store", "x-content-type-options": "nosniff" };
  if (!(answer instanceof Answer)) return new Answer({ headers, payload: JSON.stringify(answer) });
  return new Answer({ status: answer.status, payload: answer.payload, headers: { ...headers, ...answer.headers } });
}
