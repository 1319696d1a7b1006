/** Asks for a mail with a link: for a client (third-party.ts), and for the person on the page of the stage (page.ts). */
import type { Context } from "../../context.ts";
import { matrixError } from "../../errors.ts";
import { foldAddress } from "./address.ts";
import { inUse, ownerOfAddress } from "./addresses.ts";
import type { Mail } from "./config.ts";
import { type Asked, beginValidation, type Purpose } from "./validations.ts";

/** Whether the address may be used for this; throws where not. */
const checks: Readonly<Record<Purpose, (ctx: Context, address: string) => Promise<void>>> = {
  register: refuseBound,
  add: refuseBound,
  async password(ctx, address) {
    if ((await ownerOfAddress(ctx, address)) === undefined)
      throw matrixError("M_THREEPID_NOT_FOUND", "No account here has this address.");
  },
};

async function refuseBound(ctx: Context, address: string): Promise<void> {
  if ((await ownerOfAddress(ctx, address)) !== undefined) throw inUse();
}

/**
 * Sends it, unless this attempt has sent one, and gives the id of the validation. Throws M_INVALID_PARAM for what is no address,
 * M_LIMIT_EXCEEDED, M_THREEPID_IN_USE, M_THREEPID_NOT_FOUND, and IO_PARLEY_UNAVAILABLE where it can not be sent.
 */
export async function askForMail(
  ctx: Context,
  mail: Mail,
  { email, ...asked }: Omit<Asked, "address"> & { email: string },
): Promise<string> {
  const address = foldAddress(email);
  if (address === undefined) throw matrixError("M_INVALID_PARAM", `${email} is no e-mail address.`);
  // Nobody's letter box is filled by who asks again and again, whoever asks.
  await ctx.rates.admit("mail", address);
  await checks[asked.purpose](ctx, address);
  return beginValidation(ctx, mail, { ...asked, address });
}
