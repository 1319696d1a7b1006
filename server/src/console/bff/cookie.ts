/** The cookie of the console's session. Scripts can not read it, and no page of another site can send it. */
import type { Context } from "../../context.ts";
import { isLoopback } from "../../config.ts";
import { matrixError } from "../../errors.ts";
import type { RawRequest } from "../perform.ts";

type Asked = Pick<RawRequest, "headers">;

/** Over https the name binds the cookie to this very host, to all of its paths, and to https. */
const SECURE = "__Host-parley-console";
const PLAIN = "parley-console";

/**
 * How the browser reaches this server. Throws M_FORBIDDEN where that is neither https nor this machine: a cookie would go over
 * the network for everybody to read.
 */
function isSecure(ctx: Context, { headers }: Asked): boolean {
  const url = ctx.config.publicUrl ?? `http://${headers.host ?? "localhost"}`;
  // A client may send anything for a host.
  const { protocol, hostname } = URL.parse(url) ?? { protocol: "", hostname: "" };
  if (protocol === "https:") return true;
  if (isLoopback(hostname.replace(/^\[|\]$/g, ""))) return false;
  throw matrixError("M_FORBIDDEN", "The console needs https: set PARLEY_PUBLIC_URL to the address with https://.");
}

export function readCookie(ctx: Context, request: Asked): string | undefined {
  const name = isSecure(ctx, request) ? SECURE : PLAIN;
  const pairs = (request.headers.cookie ?? "").split(";").map((each) => each.trim());
  const found = pairs.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
  return found === "" ? undefined : found;
}

/** The header that sets the cookie, or takes it away where `id` is undefined. It lives as long as the browser's own session. */
export function cookieHeader(ctx: Context, request: Asked, id: string | undefined): Record<string, string> {
  const secure = isSecure(ctx, request);
  const value = `${secure ? SECURE : PLAIN}=${id ?? ""}; Path=/; HttpOnly; SameSite=Strict`;
  return { "set-cookie": value + (secure ? "; Secure" : "") + (id === undefined ? "; Max-Age=0" : "") };
}
