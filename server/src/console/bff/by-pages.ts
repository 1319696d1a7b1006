/**
 * Signing in to the console by the server's own sign-in pages, for whoever has a passkey or comes by a provider: the browser goes there and
 * back to /admin/signed-in, and the page there has the sign-in taken over. It counts from when the person showed who they are, so that one
 * that is taken over twice lasts no longer, and one of which nobody knows when that was changes nothing until there is another proof.
 */
import type { Context } from "../../context.ts";
import { issuerOf } from "../../auth/oauth/addresses.ts";
import { freshSignIn, type FreshSignIn } from "../../auth/oauth/browsers.ts";
import { providersOf } from "../../auth/sso/providers.ts";
import { matrixError } from "../../errors.ts";
import { route, type Route } from "../../http.ts";
import { limits } from "../../limits.ts";
import { readOperator } from "../operators.ts";
import type { RawRequest } from "../perform.ts";
import { readCookie } from "./cookie.ts";
import { checkCsrf, refuseForeignOrigin } from "./guard.ts";
import { actOf, enter, PATH, sessionOf } from "./sign-in.ts";

/** Throws M_FORBIDDEN where nobody has signed in at the pages in the last minutes. */
async function signedIn(ctx: Context, request: Pick<RawRequest, "headers">): Promise<FreshSignIn> {
  const found = await freshSignIn(ctx, request);
  if (!found) throw matrixError("M_FORBIDDEN", "Nobody has just signed in in this browser. Sign in again.");
  return found;
}

/** Their cookie is of the issuer's host: under another one there is nothing to take over. */
function hasPages(ctx: Context): boolean {
  return new URL(issuerOf(ctx)).origin === new URL(ctx.publicUrl()).origin;
}

const ways = route({
  method: "GET",
  path: `${PATH}/ways`,
  access: "anyone",
  rate: "other",
  handle: async (_request, ctx) => ({
    pages: hasPages(ctx),
    providers: hasPages(ctx) ? providersOf(ctx).map(({ id, name }) => ({ id, name })) : [],
  }),
});

const signIn = route({
  method: "POST",
  path: `${PATH}/from-pages`,
  access: "anyone",
  rate: "other",
  async handle(request, ctx) {
    refuseForeignOrigin(ctx, request);
    const found = await signedIn(ctx, request);
    return enter(ctx, request, {
      act: actOf(found.userId, request, "begin"),
      old: readCookie(ctx, request),
      async prove() {
        const operator = await readOperator(ctx, found.userId);
        if (!operator) throw matrixError("M_FORBIDDEN", `${found.userId} is no operator of this server.`);
        return { ...found, role: operator.role };
      },
    });
  },
});

const confirm = route({
  method: "POST",
  path: `${PATH}/confirm/from-pages`,
  access: "anyone",
  rate: "other",
  async handle(request, ctx) {
    refuseForeignOrigin(ctx, request);
    const old = await sessionOf(ctx, request);
    checkCsrf(old.id, request);
    const { userId, role, endings, began_ms, login } = old;
    return enter(ctx, request, {
      act: actOf(userId, request, "confirm"),
      old: old.id,
      async prove() {
        const proved_ago_ms = await provedAgain(ctx, request, userId);
        return { userId, role, endings, began_ms, login, proved_ago_ms };
      },
    });
  },
});

/** How long ago this person showed who they are, in ms. Throws M_FORBIDDEN where it was somebody else, or nobody knows when it was. */
async function provedAgain(ctx: Context, request: Pick<RawRequest, "headers">, userId: string): Promise<number> {
  const { proved_ago_ms, ...found } = await signedIn(ctx, request);
  if (found.userId !== userId)
    throw matrixError("M_FORBIDDEN", `That was ${found.userId}. The console is open for ${userId}.`);
  if (proved_ago_ms === null || proved_ago_ms > limits.consoleSignIn_ms)
    throw matrixError(
      "M_FORBIDDEN",
      "The provider let you in without asking who you are, or does not say when it did. Use a passkey, or the password.",
    );
  return proved_ago_ms;
}

export const pagesRoutes: readonly Route[] = [ways, signIn, confirm];
