/** The pages of stages for clients that do not know them. Specification: client-server-api, "Fallback" of user-interactive authentication. */
import { z } from "zod";
import { matrixError } from "../errors.ts";
import { type Request, type Route, route } from "../http.ts";
import { showCaptchaStage, solveCaptcha } from "./captcha/page.ts";
import { readForm } from "./oauth/forms.ts";
import { shown } from "./oauth/pages/page.ts";
import { showSsoStage } from "./sso/confirm.ts";
import { stagePages } from "./stage-pages.ts";
import { acceptTerms, showTermsStage } from "./terms/page.ts";

const PATH = "/_matrix/client/v3/auth/:authType/fallback/web";

function pageOf(stage = "") {
  const own = Object.hasOwn(stagePages, stage) ? stagePages[stage] : undefined;
  if (own) return own;
  throw matrixError("M_NOT_FOUND", "There is no page for this stage: the application asks for it itself.");
}

const showStage = route({
  method: "GET",
  path: PATH,
  access: "anyone",
  rate: "other",
  query: z.looseObject({ session: z.string().max(200) }),
  handle: shown((request: Request<undefined, { session: string }, undefined>, ctx) => {
    const { session } = request.query;
    const stage = request.params["authType"];
    if (stage === "m.login.sso") return showSsoStage(ctx, session);
    if (stage === "m.login.terms") return showTermsStage(ctx, { session, headers: request.headers });
    if (stage === "m.login.recaptcha") return showCaptchaStage(ctx, session);
    return pageOf(stage).show(ctx, { session });
  }),
});

const completeStage = route({
  method: "POST",
  path: PATH,
  access: "anyone",
  rate: "other",
  body: "stream",
  handle: shown(async (request: Request<unknown, unknown, undefined>, ctx) => {
    const stage = request.params["authType"];
    const sent = await readForm(request.body);
    if (stage === "m.login.terms") return acceptTerms(ctx, { headers: request.headers, sent });
    if (stage === "m.login.recaptcha") return solveCaptcha(ctx, sent, request.address);
    return pageOf(stage).take(ctx, sent, request.address);
  }),
});

export const fallbackRoutes: readonly Route[] = [showStage, completeStage];
