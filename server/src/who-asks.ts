/** Who makes a request: nobody in particular, a signed-in device, or an application service as one of its users. */
import type { IncomingHttpHeaders } from "node:http";
import { accessTokenOf } from "./access-token.ts";
import { actAs } from "./appservice/acting.ts";
import type { Service } from "./appservice/service.ts";
import { guestsAt } from "./auth/guests.ts";
import { goodStandingFor } from "./auth/moderation.ts";
import { scopeFor } from "./bots/scopes.ts";
import type { Context } from "./context.ts";
import { matrixError } from "./errors.ts";
import type { Route, Session } from "./http.ts";

interface Asked {
  headers: IncomingHttpHeaders;
  query: unknown;
  ip: string;
  params?: unknown;
}

export type Authenticate = (asked: Asked) => Promise<Session | undefined>;

/**
 * What finds the session of a request to a route, as the route wants one. It throws M_MISSING_TOKEN, M_UNKNOWN_TOKEN, M_USER_LOCKED,
 * M_USER_SUSPENDED, M_FORBIDDEN and M_GUEST_ACCESS_FORBIDDEN. Who may do what is decided here, once for a route.
 */
export function authenticatesAt(ctx: Context, each: Route): Authenticate {
  if (each.access === "anyone") return () => Promise.resolve(undefined);
  const requireGoodStanding = goodStandingFor(each.method, each.path);
  const requireScope = scopeFor(each.method, each.path);
  const requireGuestMay = guestsAt(ctx, each);
  return async (asked) => {
    const session = await sessionOf(ctx, each, asked);
    if (!session) return undefined;
    requireGoodStanding(session);
    requireScope(session);
    requireGuestMay(session, asked);
    if (each.access === "admin" && !session.isAdmin)
      throw matrixError("M_FORBIDDEN", "Only an administrator may do this.");
    return session;
  };
}

async function sessionOf(ctx: Context, each: Route, asked: Asked): Promise<Session | undefined> {
  const token = accessTokenOf(asked, ctx.config.queryTokens);
  if (!token && each.access === "anyone or session") return undefined;
  if (!token) throw matrixError("M_MISSING_TOKEN", "The request has no access token. Sign in first.");
  const service = ctx.services.ofToken(token);
  if (service) return actAs(ctx, { service, query: asked.query, address: asked.ip });
  const session = await ctx.authenticate(token, asked.ip);
  if (each.access === "service") throw matrixError("M_FORBIDDEN", "Only an application service may do this.");
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
