/** What becomes of somebody whom a provider knows: they are signed in, get an account, or go on to say something too. */
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import type { Answer } from "../../http.ts";
import { refuseNewSessions, signInBrowser } from "../oauth/browsers.ts";
import { redirect } from "../oauth/pages/page.ts";
import { accountByEmail, accountOf, createAccountFor, link, requireOpen } from "./accounts.ts";
import type { PageRequest } from "./begin.ts";
import type { SsoProvider } from "./config.ts";
import type { Identity } from "./identity.ts";
import { isOfName, nameFrom } from "./names.ts";
import { pathOf } from "./providers.ts";
import { beginLogin } from "./sessions.ts";
import { beginStep, type Sent } from "./steps.ts";

export interface Arriving {
  provider: SsoProvider;
  sent: Sent;
  identity: Identity;
}

export async function arrive(ctx: Context, request: PageRequest, arriving: Arriving): Promise<Answer> {
  const { provider, sent, identity } = arriving;
  if (sent.purpose.kind === "link") return ask(ctx, request, { ...arriving, page: "/link" });
  if (sent.purpose.kind === "confirm") return ask(ctx, request, { ...arriving, page: "/confirm" });
  refuseNewSessions(ctx, sent.next);
  const known = (await accountOf(ctx, identity)) ?? (await linkByEmail(ctx, arriving));
  if (known !== undefined) return enter(ctx, request, { userId: known, identity, next: sent.next });
  if (!provider.new_accounts)
    throw matrixError(
      "M_FORBIDDEN",
      `No account here is yours by ${provider.name}. If you have one, sign in with its password and add ${provider.name} on your account page.`,
    );
  return welcome(ctx, request, arriving);
}

/** A page on which the person says something too; what is known of them waits for that. */
async function ask(ctx: Context, request: PageRequest, asking: Arriving & { page: string }): Promise<Answer> {
  const { provider, identity, sent, page } = asking;
  const { id, headers } = await beginStep(ctx, request, {
    kind: "proved",
    providerId: provider.id,
    purpose: sent.purpose,
    next: sent.next,
    identity,
  });
  return redirect(`${pathOf(provider, page)}?${new URLSearchParams({ step: id }).toString()}`, headers);
}

async function linkByEmail(ctx: Context, { provider, identity }: Arriving): Promise<string | undefined> {
  const userId = await accountByEmail(ctx, provider, identity);
  if (userId !== undefined) await link(ctx, userId, identity);
  return userId;
}

/**
 * An account for a newcomer: by the name that the provider says, where that is free and can be one, else by one that the person chooses. They
 * are asked too where there are policies to accept.
 */
async function welcome(ctx: Context, request: PageRequest, arriving: Arriving): Promise<Answer> {
  refuseNewSessions(ctx);
  const { provider, identity, sent } = arriving;
  const wanted = await nameFrom(ctx, identity);
  if (wanted === undefined || ctx.config.terms.length > 0) return ask(ctx, request, { ...arriving, page: "/name" });
  try {
    await ctx.rates.admit("register", request.address);
    const userId = await createAccountFor(ctx, { userId: wanted, provider, identity });
    return await enter(ctx, request, { userId, identity, next: sent.next });
  } catch (thrown) {
    if (!isOfName(thrown)) throw thrown;
    return ask(ctx, request, { ...arriving, page: "/name" });
  }
}

/** Signs the browser in, and goes on. Throws M_USER_LOCKED and M_USER_DEACTIVATED. */
export async function enter(
  ctx: Context,
  request: PageRequest,
  { userId, identity, next }: { userId: string; identity: Identity; next: string },
): Promise<Answer> {
  await requireOpen(ctx, userId);
  const login = await beginLogin(ctx, userId, identity);
  return redirect(next, await signInBrowser(ctx, request, { userId, login, proved_s: identity.asked_s }));
}
