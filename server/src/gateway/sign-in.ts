/** The first frame of a connection: who is there, and from where to go on. */
import { loadFilter } from "../account/filters.ts";
import { guestsAt } from "../auth/guests.ts";
import { goodStandingFor } from "../auth/moderation.ts";
import { endingOf, isChanged } from "../auth/sessions.ts";
import { useStreamTicket } from "../auth/stream-tickets.ts";
import { scopeFor } from "../bots/scopes.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import type { Session } from "../http.ts";
import { parseToken } from "../log/token.ts";
import type { StateSection } from "../sync/run.ts";
import { standOf } from "../sync/sync.ts";
import type { Arrival } from "./follower.ts";
import type { SignInFrame } from "./frames.ts";

const STREAM = { method: "GET", path: "/_parley/client/v1/stream" };
const requireGoodStanding = goodStandingFor("GET", "/_matrix/client/v3/sync");
const requireScope = scopeFor("GET", "/_matrix/client/v3/sync");

/**
 * Authenticates the frame. Throws M_UNKNOWN_TOKEN, M_MISSING_TOKEN, M_LIMIT_EXCEEDED, and what a filter or a token can be
 * refused with.
 */
export async function signIn(ctx: Context, frame: SignInFrame, address: string): Promise<Arrival> {
  const head = ctx.log.hub.head();
  const session = await sessionOf(ctx, frame, address);
  requireGoodStanding(session);
  requireScope(session);
  guestsAt(ctx, STREAM)(session, { query: frame });
  ctx.rates.take("stream", session.id);
  const filter = typeof frame.filter === "object" ? JSON.stringify(frame.filter) : frame.filter;
  const since = frame.since === undefined ? undefined : await standOf(ctx, parseToken(frame.since));
  const arrival: Arrival = {
    session,
    filter: await loadFilter(ctx, session.userId, filter),
    stateSection: stateSectionOf(frame),
    fullState: frame.full_state === true,
    since,
    startsOver: since === undefined && frame.since !== undefined,
    presence: frame.set_presence,
  };
  refuseEnded(ctx, session, head);
  return arrival;
}

function sessionOf(ctx: Context, { access_token, ticket }: SignInFrame, address: string): Promise<Session> {
  if (access_token !== undefined) return ctx.authenticate(access_token, address);
  if (ticket !== undefined) return useStreamTicket(ctx, ticket);
  throw matrixError("M_MISSING_TOKEN", "The frame has neither an access_token nor a ticket.");
}

function stateSectionOf(frame: SignInFrame): StateSection {
  if (frame.use_state_after === true) return "state_after";
  return frame["org.matrix.msc4222.use_state_after"] === true ? "org.matrix.msc4222.state_after" : "state";
}

/** A session that ended while it was looked up: nobody was there yet to be told. */
function refuseEnded({ log }: Context, session: Session, since: number): void {
  for (const entry of log.tail.ofUser(session.userId, since)) {
    const ending = endingOf(entry, session, log);
    if (ending) throw ending;
    if (isChanged(entry, session, log))
      throw matrixError("IO_PARLEY_UNAVAILABLE", "The account changed meanwhile. Sign in again.");
  }
}
