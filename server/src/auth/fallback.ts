/** The pages of stages for clients that do not know them. Specification: client-server-api, "Fallback" of user-interactive authentication. */
import { z } from "zod";
import { matrixError } from "../errors.ts";
import { type Request, type Route, route } from "../http.ts";
import { readForm } from "./oauth/forms.ts";
import { shown } from "./oauth/pages/page.ts";
import { stagePages } from "./stage-pages.ts";

const PATH = "/_matrix/client/v3/auth/:authType/fallback/web";

function pageOf({ params }: Pick<Request, "params">) {
  const stage = params["authType"] ?? "";
  return (Object.hasOwn(stagePages, stage) && stagePages[stage]) || undefined;
}

function noPage() {
  return matrixError("M_NOT_FOUND", "There is no page for this stage: the application asks for it itself.");
}

const showStage = route({
  method: "GET",
  path: PATH,
  access: "anyone",
  rate: "other",
  query: z.looseObject({ session: z.string().max(200), step: z.string().max(20).optional() }),
  handle: shown((request: Request<undefined, { session: string; step?: string | undefined }, undefined>, ctx) => {
    const stage = pageOf(request);
    if (!stage) throw noPage();
    const { session, step } = request.query;
    return stage.show(ctx, { session, step, headers: request.headers });
  }),
});

const completeStage = route({
  method: "POST",
  path: PATH,
  access: "anyone",
  rate: "other",
  body: "stream",
  handle: shown(async (request: Request<unknown, unknown, undefined>, ctx) => {
    const stage = pageOf(request);
    const { headers, address } = request;
    const sent = await readForm(request.body);
    if (!stage?.take) throw noPage();
    return stage.take(ctx, { sent, headers, address });
  }),
});

export const fallbackRoutes: readonly Route[] = [showStage, completeStage];
