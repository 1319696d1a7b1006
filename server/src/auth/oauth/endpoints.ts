/** The endpoints that clients call: most of them are the provider's. */
import { Answer, route, type Route } from "../../http.ts";
import type { Rate } from "../../limits.ts";
import { paths } from "./addresses.ts";
import { readForm } from "./forms.ts";
import { serveByProvider } from "./provider.ts";
import { revokeToken } from "./sessions.ts";

interface ByProvider {
  method: "GET" | "POST";
  path: string;
  rate: Rate;
}

function byProvider({ method, path, rate }: ByProvider): Route {
  return route({
    method,
    path,
    access: "anyone",
    rate,
    ...(method === "POST" ? { body: "stream" } : {}),
    async handle({ handOver, address }, ctx) {
      await serveByProvider(ctx, handOver, address);
      return {};
    },
  });
}

/**
 * Ends the session of a token. Specification: "Token revocation": whoever has the token may, as a scanner for leaked secrets does, so
 * that nobody is asked which client they are.
 */
const revoke = route({
  method: "POST",
  path: paths.revoke,
  access: "anyone",
  rate: "other",
  body: "stream",
  async handle({ body }, ctx) {
    const token = (await readForm(body))("token");
    if (token === "") return refusal("There is no token in the body.");
    await revokeToken(ctx, token);
    return new Answer({ headers: { "cache-control": "no-store" }, payload: "{}" });
  },
});

function refusal(error_description: string): Answer {
  const body = { error: "invalid_request", error_description };
  return new Answer({ status: 400, headers: { "cache-control": "no-store" }, payload: JSON.stringify(body) });
}

export const endpointRoutes: readonly Route[] = [
  byProvider({ method: "GET", path: paths.authorize, rate: "other" }),
  byProvider({ method: "GET", path: `${paths.authorize}/:uid`, rate: "other" }),
  byProvider({ method: "POST", path: paths.token, rate: "other" }),
  byProvider({ method: "POST", path: paths.device, rate: "register" }),
  byProvider({ method: "GET", path: paths.keys, rate: "other" }),
  revoke,
];
