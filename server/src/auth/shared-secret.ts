/**
 * Accounts made by whoever knows a secret, at the path and in the form that Synapse has for it: half of the tools around Matrix
 * make their accounts here. There is nothing at this path while PARLEY_REGISTRATION_SHARED_SECRET is not set.
 * Docs: docs/operations/testing-against-parley.md.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { changeProfile } from "../account/profile.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { type Route, route } from "../http.ts";
import { limits } from "../limits.ts";
import { valueOf } from "../secrets/address.ts";
import { randomToken } from "../seams.ts";
import { createAccount, setAdministrator } from "./for-operators-acts.ts";
import { newDevice, text } from "./shapes.ts";
import { signIn } from "./sign-in.ts";

const PATH = "/_synapse/admin/v1/register";
const NONCE_BYTES = 32;

const body = z.looseObject({
  nonce: text(),
  username: text(limits.identifier_bytes),
  password: text(limits.password_characters),
  mac: text(),
  admin: z.boolean().nullish(),
  displayname: text(limits.displayname_bytes).nullish(),
  // Part of what is signed. It changes nothing here: Parley has no kinds of accounts.
  user_type: z.enum(["bot", "support"]).nullish(),
  inhibit_login: z.boolean().optional(),
  ...newDevice,
});

const giveNonce = route({
  method: "GET",
  path: PATH,
  access: "anyone",
  rate: "register",
  async handle(_request, ctx) {
    secretOf(ctx);
    const nonce = randomToken(ctx.seams, NONCE_BYTES);
    // Beside what else is begun without an account, so that any replica takes it.
    await ctx.db.auth.change(
      `with expired as (delete from auth.interactive_sessions where expires_at < now())
       insert into auth.interactive_sessions (id, operation, expires_at) values ($1, $2, now() + $3 * interval '1 millisecond')`,
      [nonce, PATH, limits.interactive_ms],
    );
    return { nonce };
  },
});

const registerBySecret = route({
  method: "POST",
  path: PATH,
  access: "anyone",
  rate: "register",
  body,
  async handle({ body: given, address }, ctx) {
    const secret = secretOf(ctx);
    await useNonce(ctx, given.nonce);
    if (!isRight(given, secret)) throw matrixError("M_UNKNOWN", "HMAC incorrect.", { status: 403 });
    const { username, password, displayname } = given;
    const { userId } = await createAccount(ctx, { username, password });
    if (given.admin) await setAdministrator(ctx, userId, true);
    if (displayname) await changeProfile(ctx, userId, { field: "displayname", value: displayname });
    if (given.inhibit_login) return { user_id: userId, home_server: ctx.config.serverName };
    return signIn(ctx, { userId, device: given, address });
  },
});

export const sharedSecretRoutes: readonly Route[] = [giveNonce, registerBySecret];

function secretOf({ config }: Context): string {
  if (config.registrationSecret !== undefined) return valueOf(config.registrationSecret);
  throw matrixError("M_UNRECOGNIZED", "Registration with a shared secret is not switched on here.");
}

/** Each is good for one request, right or wrong. */
async function useNonce(ctx: Context, nonce: string): Promise<void> {
  const sql = "delete from auth.interactive_sessions where id = $1 and operation = $2 and expires_at > now()";
  if ((await ctx.db.auth.change(sql, [nonce, PATH])) === 0)
    throw matrixError("M_UNKNOWN", "This nonce is not known, has expired or was used. Ask for another.", {
      status: 400,
    });
}

function isRight({ nonce, username, password, admin, user_type, mac }: z.output<typeof body>, secret: string): boolean {
  const signed = [nonce, username, password, admin ? "admin" : "notadmin", ...(user_type ? [user_type] : [])];
  const wanted = createHmac("sha1", secret).update(signed.join("\0")).digest();
  const given = Buffer.from(mac, "hex");
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
