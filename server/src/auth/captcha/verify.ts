/** Asking whether somebody has solved the captcha. https://developers.google.com/recaptcha/docs/verify */
import { z } from "zod";
import type { Context } from "../../context.ts";
import { asError, matrixError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { sendOutward } from "../../outward/request.ts";
import { valueOf } from "../../secrets/address.ts";
import type { Captcha } from "./config.ts";

const verdict = z.looseObject({ success: z.boolean(), "error-codes": z.array(z.string()).default([]) });
type Verdict = z.output<typeof verdict>;

/** What is wrong with this server, and not with what somebody sent. */
const OWN_FAULTS = ["missing-input-secret", "invalid-input-secret", "invalid-keys"];

/**
 * Whether `response` says that the widget was solved; each says it once. Throws M_CAPTCHA_NEEDED for none, M_CAPTCHA_INVALID for one that says
 * nothing, and IO_PARLEY_UNAVAILABLE where nobody answers.
 */
export async function requireHuman(ctx: Context, captcha: Captcha, response: string): Promise<void> {
  if (response === "") throw matrixError("M_CAPTCHA_NEEDED", "Show first that you are no robot.");
  const { success, "error-codes": codes } = await ask(ctx, captcha, response).catch((thrown: unknown) => {
    throw unavailable(ctx, asError(thrown).message);
  });
  if (success) return;
  if (codes.some((code) => OWN_FAULTS.includes(code))) throw unavailable(ctx, codes.join(", "));
  throw matrixError("M_CAPTCHA_INVALID", "That you are no robot was shown too long ago, or not at all. Show it again.");
}

/** The address of the person is not told: whoever shows the widget sees it anyway, and nobody else needs it. */
async function ask({ seams }: Context, { secret, base, hosts }: Captcha, response: string): Promise<Verdict> {
  const outgoing = {
    method: "POST" as const,
    url: `${base}/api/siteverify`,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ secret: valueOf(secret), response }).toString(),
    timeout_ms: limits.captchaAnswer_ms,
    answer_bytes: limits.captchaAnswer_bytes,
  };
  const guard = { allowed: hosts, setting: "PARLEY_RECAPTCHA_URL", isPublicAllowed: true };
  const answer = await sendOutward(seams, outgoing, guard);
  if (answer.status !== 200) throw new Error(`it answered with the status ${answer.status}`);
  return verdict.parse(JSON.parse(answer.body.toString()));
}

function unavailable({ logger }: Context, reason: string) {
  logger.warn({ reason }, "the captcha can not be checked");
  const sentence = "Whether you are no robot can not be checked right now. Try again in a moment.";
  return matrixError("IO_PARLEY_UNAVAILABLE", sentence, { retryAfter_ms: limits.captchaRetry_ms });
}
