/** A new password. Specification: client-server-api, "POST /account/password". */
import { z } from "zod";
import { matrixError } from "../errors.ts";
import type { Context } from "../context.ts";
import { type Request, route } from "../http.ts";
import { afterEnding, type Ended, ENDED_COLUMNS } from "./end-sessions.ts";
import { hashPassword } from "./hashing.ts";
import { interactive } from "./interactive.ts";
import { checkNewPassword } from "./passwords.ts";
import { ownerOfAddress } from "./email/addresses.ts";
import { forgetValidation } from "./email/validations.ts";
import { type Auth, auth } from "./shapes.ts";
import { provedBy } from "./stages.ts";

export const changePassword = route({
  method: "POST",
  path: "/_matrix/client/v3/account/password",
  access: "anyone or session",
  rate: "other",
  body: z.looseObject({ new_password: z.string(), logout_devices: z.boolean().default(true), auth: auth.optional() }),
  async handle(request, ctx) {
    const { session, body } = request;
    if (!session) {
      const { path, address } = request;
      return resetPassword(ctx, { body, path, address, session });
    }
    if (session.service)
      throw matrixError(
        "M_FORBIDDEN",
        "Users of an application service have no password, so that nobody else is one of them.",
      );
    checkNewPassword(ctx, body.new_password);
    await interactive(ctx, request, { flows: [["m.login.password"]] });
    const except = body.logout_devices ? session.id : null;
    await storePassword(ctx, session.userId, { password: body.new_password, except });
    return {};
  },
});

type Reset = Request<{ new_password: string; logout_devices: boolean; auth?: Auth | undefined }, unknown, undefined>;

/** Of somebody who does not know the password, and gets mail at an address of the account. */
async function resetPassword(ctx: Context, request: Pick<Reset, "body" | "path" | "address"> & { session: undefined }) {
  const { new_password: password, logout_devices: endsDevices } = request.body;
  if (!ctx.config.mail) throw matrixError("M_MISSING_TOKEN", "The request has no access token. Sign in first.");
  checkNewPassword(ctx, password);
  const completed = await interactive(ctx, request, { flows: [["m.login.email.identity"]] });
  const { address, sid } = provedBy(completed["m.login.email.identity"] as string);
  const userId = await ownerOfAddress(ctx, address);
  if (userId === undefined) throw matrixError("M_THREEPID_NOT_FOUND", "No account here has this address any more.");
  await setPassword(ctx, userId, { password, endsDevices });
  await forgetValidation(ctx, { sid });
  return {};
}

/** Sets the password of somebody who has proved who they are. With `endsDevices` all their devices are signed out. */
export function setPassword(
  ctx: Context,
  userId: string,
  { password, endsDevices }: { password: string; endsDevices: boolean },
): Promise<void> {
  return storePassword(ctx, userId, { password, except: endsDevices ? NO_SESSION : null });
}

/** No session has this number: none is excepted. */
const NO_SESSION = 0;

async function storePassword(
  ctx: Context,
  userId: string,
  { password, except }: { password: string; except: number | null },
): Promise<void> {
  const hash = await hashPassword(ctx, password);
  const row = await ctx.db.auth.one<Ended>(`select ${ENDED_COLUMNS} from auth.change_password($1, $2, $3)`, [
    userId,
    hash,
    except,
  ]);
  await afterEnding(ctx, userId, row);
}
