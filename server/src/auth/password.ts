/** A new password. Specification: client-server-api, "POST /account/password". */
import { z } from "zod";
import { matrixError } from "../errors.ts";
import type { Context } from "../context.ts";
import { route } from "../http.ts";
import { afterEnding, type Ended, ENDED_COLUMNS } from "./end-sessions.ts";
import { hashPassword } from "./hashing.ts";
import { interactive } from "./interactive.ts";
import { checkNewPassword } from "./passwords.ts";
import { auth } from "./shapes.ts";

export const changePassword = route({
  method: "POST",
  path: "/_matrix/client/v3/account/password",
  access: "session",
  rate: "other",
  body: z.looseObject({ new_password: z.string(), logout_devices: z.boolean().default(true), auth: auth.optional() }),
  async handle(request, ctx) {
    const { session, body } = request;
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
