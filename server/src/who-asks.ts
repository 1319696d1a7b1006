/** Who makes a request: nobody in particular, a signed-in device, or an application service as one of its users. */
import type { IncomingHttpHeaders } from "node:http";
import { accessTokenOf } from "./access-token.ts";
import { actAs } from "./appservice/acting.ts";
import type { Service } from "./appservice/service.ts";
import { requireGuestMay } from "./auth/guests.ts";
import { requireGoodStanding } from "./auth/moderation.ts";
import { requireScope } from "./bots/scopes.ts";
import type { Context } from "./context.ts";
import { matrixError } from "./errors.ts";
import type { Route, Session } from "./http.ts";

interface Asked {
  headers: IncomingHttpHeaders;
  query: unknown;
  ip: string;
  params?: unknown;
}

/** The session of a request, as its route wants one. Throws M_MISSING_TOKEN, M_UNKNOWN_TOKEN, M_FORBIDDEN and M_GUEST_ACCESS_FORBIDDEN. */
export async function authenticate(ctx: Context, each: Route, asked: Asked): Promise<Session | undefined> {
  if (each.access === "anyone") return undefined;
  const token = accessTokenOf(asked, ctx.config.queryTokens);
  if (!token && each.access === "anyone or session") return undefined;
  if (!token) throw matrixError("M_MISSING_TOKEN", "The request has no access token. Sign in first.");
  const service = ctx.services.ofToken(token);
  const session = service
    ? await actAs(ctx, { service, query: asked.query, address: asked.ip })
    : await ctx.authenticate(token, asked.ip);
  if (each.access === "service" && !service)
    throw matrixError("M_FORBIDDEN", "Only an application service may do this.");
  requireGoodStanding(session, each.method, each.path);
  requireScope(session, each.method, each.path);
  requireGuestMay(ctx, session, { ...each, params: asked.params, query: asked.query });
  if (each.access === "admin" && !session.isAdmin)
    throw matrixError("M_FORBIDDEN", "Only an administrator may do this.");
  return session;
}

/** The application service whose token a request carries that has no session, such as a registration. */
export function serviceAsking(ctx: Context, asked: Omit<Asked, "ip">): Service | undefined {
  if (ctx.services.all().length === 0) return undefined;
  return ctx.services.ofToken(accessTokenOf(asked, ctx.config.queryTokens) ?? "");
}

/** Whether no rate limits count: an operator said so of the service, or it is its own user who asks. */
export function isUnlimited(ctx: Context, session: Session | undefined, asked: Asked): boolean {
  return session ? session.service?.isUnlimited === true : serviceAsking(ctx, asked)?.isRateLimited === false;
}
