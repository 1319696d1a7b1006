/** Who is behind a request to the operator API: the bearer of an operator's access token, or of a ticket that the shell wrote. */
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { accountLocked } from "../auth/moderation.ts";
import type { Request, Session } from "../http.ts";
import type { OperatorRole } from "./operation.ts";
import { readOperator } from "./operators.ts";
import { owesSecondFactor, secondFactorOwed } from "./second-factor.ts";
import { TICKET_PREFIX, useTicket } from "./tickets.ts";

/** An actor whose role is not looked at yet: whoever is signed in and no operator has none. */
export interface Candidate {
  userId: string;
  role: OperatorRole | undefined;
  via: "browser" | "token" | "shell";
  address: string;
  device?: string | undefined;
  /** Of a browser, whether the last proof of who it is was too long ago for what changes something. */
  isStale?: boolean;
}

type Asked = Pick<Request<unknown, unknown, undefined>, "headers" | "address">;

/** Throws M_MISSING_TOKEN or M_UNKNOWN_TOKEN. */
export async function bearerOf(ctx: Context, { headers, address }: Asked): Promise<Candidate> {
  const token = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1];
  if (!token) throw matrixError("M_MISSING_TOKEN", "The request has no access token of an operator.");
  if (token.startsWith(TICKET_PREFIX)) return ofTicket(ctx, token, address);
  const session = await ctx.authenticate(token, address);
  return tokenHolder(ctx, session, address);
}

/** Whoever is signed in, as somebody who may be an operator. Throws M_USER_LOCKED, or M_FORBIDDEN for a bot and for an operator who owes a second factor. */
export async function tokenHolder(ctx: Context, session: Session, address: string): Promise<Candidate> {
  if (session.isLocked) throw accountLocked();
  if (session.scopes !== undefined) throw matrixError("M_FORBIDDEN", "No token of a bot may do this.");
  const operator = await readOperator(ctx, session.userId);
  if (operator && (await owesSecondFactor(ctx, session.userId))) throw secondFactorOwed(ctx);
  return { userId: session.userId, role: operator?.role, via: "token", address, device: session.deviceId };
}

/** A ticket opens the API once. Who can write one has the database, and so is an owner. */
async function ofTicket(ctx: Context, ticket: string, address: string): Promise<Candidate> {
  const userId = await useTicket(ctx, ticket);
  if (userId === undefined) throw matrixError("M_UNKNOWN_TOKEN", "This ticket is not known, has expired or was used.");
  return { userId, role: "owner", via: "shell", address };
}
