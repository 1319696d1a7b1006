/** The user name of a newcomer, as far as the provider says it. */
import type { Context } from "../../context.ts";
import { MatrixError } from "../../errors.ts";
import { freeUserId } from "../register.ts";
import type { Identity } from "./identity.ts";

/** What another name helps against. */
const OTHER_NAME = ["M_INVALID_USERNAME", "M_USER_IN_USE", "M_EXCLUSIVE"];

/** Whether a name was refused, so that the person is asked for another. */
export function isOfName(thrown: unknown): boolean {
  return thrown instanceof MatrixError && OTHER_NAME.includes(thrown.errcode);
}

/** The user id by the name that the provider says; undefined where it says none, or one that can not be or is somebody else's. */
export async function nameFrom(ctx: Context, { localpart }: Identity): Promise<string | undefined> {
  if (localpart === undefined) return undefined;
  try {
    return await freeUserId(ctx, localpart);
  } catch (thrown) {
    if (!isOfName(thrown)) throw thrown;
    return undefined;
  }
}
