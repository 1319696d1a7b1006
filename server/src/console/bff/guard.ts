/** That a request which may change something was made by a page of ours, in the session that it comes with. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import type { RawRequest } from "../perform.ts";

/**
 * Throws IO_PARLEY_CSRF for a page of another origin. Browsers say where every request comes from that is no GET; who sends no
 * Origin is none. Our own origin is that of the public address, or of the one
 * given, or the host that was asked.
 */
export function refuseForeignOrigin(
  ctx: Context,
  { headers }: Pick<RawRequest, "headers">,
  address: string = ctx.publicUrl(),
): void {
  const { origin, host } = headers;
  const own = originOf(address);
  const scheme = own.startsWith("https:") ? "https" : "http";
  const isOurs = origin !== undefined && [own, `${scheme}://${host}`].includes(origin);
  const site = headers["sec-fetch-site"];
  if (!isOurs || (site !== undefined && site !== "same-origin"))
    throw matrixError("IO_PARLEY_CSRF", "The request does not come from a page of this server.");
}

function originOf(url: string): string {
  try {
    return new URL(url).origin;
  } catch {
    return "";
  }
}

/** The token of a session, which only who has its id can know: every request that is no GET carries it as X-CSRF-Token. */
export function csrfTokenOf(sessionId: string): string {
  return createHmac("sha256", sessionId).update("parley console csrf").digest("base64url");
}

/** Throws IO_PARLEY_CSRF where the request has no token, or that of another session. */
export function checkCsrf(sessionId: string, { headers }: Pick<RawRequest, "headers">): void {
  const given = Buffer.from(String(headers["x-csrf-token"] ?? ""));
  const right = Buffer.from(csrfTokenOf(sessionId));
  if (given.length !== right.length || !timingSafeEqual(given, right))
    throw matrixError("IO_PARLEY_CSRF", "The request has not the token of this session. Read the session again.");
}
