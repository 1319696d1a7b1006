/** A new password. Specification: client-server-api, "POST /account/password". */
import { z } from "zod";
import { matrixError } from "../errors.ts";
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
    const hash = await hashPassword(ctx, body.new_password);
    const row = await ctx.db.auth.one<Ended>(`select ${ENDED_COLUMNS} from auth.change_password($1, $2, $3)`, [
      session.userId,
      hash,
      body.logout_devices ? session.id : null,
    ]);
    await afterEnding(ctx, session.userId, row);
    return {};
  },
});
