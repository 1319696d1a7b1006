/** The operator API as the console reaches it: the same operations, with the session's cookie. */
import type { Context } from "../../context.ts";
import { MatrixError } from "../../errors.ts";
import type { Route } from "../../http.ts";
import type { Candidate } from "../actor.ts";
import { routesAt } from "../mount.ts";
import type { Operation } from "../operation.ts";
import { denied, type RawRequest } from "../perform.ts";
import { checkCsrf, refuseForeignOrigin } from "./guard.ts";
import { isStale } from "./session.ts";
import { sessionOf } from "./sign-in.ts";

export const CONSOLE_API = "/api/admin/v1";

async function whoIs(ctx: Context, request: RawRequest, operation: Operation): Promise<Candidate> {
  const session = await sessionOf(ctx, request);
  const { userId, role } = session;
  const who = { userId, role, via: "browser" as const, address: request.address, isStale: isStale(session) };
  if (operation.method === "GET") return who;
  try {
    refuseForeignOrigin(ctx, request);
    checkCsrf(session.id, request);
  } catch (thrown) {
    if (thrown instanceof MatrixError) await denied(ctx, { operation, request, who }, thrown.errcode);
    throw thrown;
  }
  return who;
}

export function consoleRoutes(operations: readonly Operation[]): Route[] {
  return routesAt(CONSOLE_API, operations, whoIs);
}
