/**
 * E-mail addresses of accounts. There are no phone numbers and no identity server here, which is said at each of the paths where a client
 * may ask. Without a mail server (SMTP_URL) nobody can add an address. Specification: client-server-api, "Adding account administrative
 * contact information".
 */
import { z } from "zod";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { type Request, type Route, route } from "../http.ts";
import { limits } from "../limits.ts";
import { foldAddress } from "./email/address.ts";
import { addressesOf, bindAddress, removeAddress } from "./email/addresses.ts";
import { askForMail } from "./email/ask.ts";
import type { Mail } from "./email/config.ts";
import { forgetValidation, type Purpose, provedAddress } from "./email/validations.ts";
import { interactive } from "./interactive.ts";
import { auth, text } from "./shapes.ts";

const V3 = "/_matrix/client/v3";
/** What adding and binding are called by those who began when they were a proposal (MSC2290). */
const UNSTABLE = "/_matrix/client/unstable";

const contacts = route({
  method: "GET",
  path: `${V3}/account/3pid`,
  access: "session",
  rate: "other",
  handle: async ({ session }, ctx) => ({ threepids: await addressesOf(ctx, session.userId) }),
});

const contact = z.looseObject({ medium: text(), address: text() });

const removals = ["/account/3pid/delete", "/account/3pid/unbind"].map((path) =>
  route({
    method: "POST",
    path: V3 + path,
    alsoAt: [UNSTABLE + path],
    access: "session",
    rate: "other",
    body: contact,
    async handle({ session, body: { medium, address } }, ctx) {
      const folded = foldAddress(address);
      const isOwn = medium === "email" && folded !== undefined && path === "/account/3pid/delete";
      if (isOwn) await removeAddress(ctx, session.userId, folded);
      // No identity server knows it, so that none is left to be told.
      return { id_server_unbind_result: "success" };
    },
  }),
);

const credentials = { sid: text(), client_secret: text() };

const add = route({
  method: "POST",
  path: `${V3}/account/3pid/add`,
  alsoAt: [`${UNSTABLE}/account/3pid/add`],
  access: "session",
  rate: "other",
  body: z.looseObject({ ...credentials, auth: auth.optional() }),
  async handle(request, ctx) {
    mailOf(ctx);
    await interactive(ctx, request, { flows: [["m.login.password"]] });
    await bindProved(ctx, request.session.userId, request.body);
    return {};
  },
});

/** Its form from before r0.6, deprecated: the credentials are one level deeper. */
const addAsBefore = route({
  method: "POST",
  path: `${V3}/account/3pid`,
  access: "session",
  rate: "other",
  body: z.looseObject({ three_pid_creds: z.looseObject(credentials), auth: auth.optional() }),
  async handle(request, ctx) {
    mailOf(ctx);
    await interactive(ctx, request, { flows: [["m.login.password"]] });
    await bindProved(ctx, request.session.userId, request.body.three_pid_creds);
    return {};
  },
});

async function bindProved(ctx: Context, userId: string, given: { sid: string; client_secret: string }): Promise<void> {
  const address = await provedAddress(ctx, "add", given);
  if (address === undefined)
    throw matrixError("M_THREEPID_AUTH_FAILED", "The address was not confirmed yet. Open the link in the mail first.");
  await bindAddress(ctx, userId, address);
  await forgetValidation(ctx, given);
}

const bind = route({
  method: "POST",
  path: `${V3}/account/3pid/bind`,
  alsoAt: [`${UNSTABLE}/account/3pid/bind`],
  access: "session",
  rate: "other",
  handle: refuse,
});

const CLIENT_SECRET = /^[0-9a-zA-Z.=_-]{1,255}$/;

const emailToken = z.looseObject({
  client_secret: z.string(),
  email: text(limits.nextLink_characters),
  send_attempt: z.int32(),
  next_link: text(limits.nextLink_characters).optional(),
});

const requestTokens = Object.entries({
  "/account/3pid": "add",
  "/account/password": "password",
  "/register": "register",
} as const).map(([path, purpose]) =>
  route({
    method: "POST",
    path: `${V3}${path}/email/requestToken`,
    access: "anyone",
    rate: "register",
    body: emailToken,
    handle: (request, ctx) => requestToken(ctx, purpose, request),
  }),
);

async function requestToken(
  ctx: Context,
  purpose: Purpose,
  { body }: Pick<Request<z.output<typeof emailToken>, unknown, undefined>, "body">,
): Promise<object> {
  const mail = mailOf(ctx);
  if (!CLIENT_SECRET.test(body.client_secret))
    throw matrixError("M_INVALID_PARAM", '"client_secret" has 1 to 255 of the characters 0-9 a-z A-Z . = _ -');
  const nextLink = body.next_link === undefined ? undefined : webAddress(body.next_link);
  const { email, client_secret: clientSecret, send_attempt: sendAttempt } = body;
  return { sid: await askForMail(ctx, mail, { purpose, email, clientSecret, sendAttempt, nextLink }) };
}

function webAddress(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url?.protocol === "https:" || url?.protocol === "http:") return url.href;
  throw matrixError("M_INVALID_PARAM", '"next_link" has to be an address that begins with https:// or http://.');
}

const phoneTokens = ["/account/3pid", "/account/password", "/register"].map((path) =>
  route({ method: "POST", path: `${V3}${path}/msisdn/requestToken`, access: "anyone", rate: "other", handle: refuse }),
);

function mailOf(ctx: Context): Mail {
  return ctx.config.mail ?? refuse();
}

function refuse(): never {
  throw matrixError("M_THREEPID_DENIED", "This server takes no addresses of this kind.");
}

export const thirdPartyRoutes: readonly Route[] = [
  contacts,
  ...removals,
  add,
  addAsBefore,
  bind,
  ...requestTokens,
  ...phoneTokens,
];
