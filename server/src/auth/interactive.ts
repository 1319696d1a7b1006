/**
 * User-interactive authentication. Specification: client-server-api, "User-Interactive Authentication API".
 *
 * A request that needs it calls `interactive()` first, which returns once one of the flows is complete and otherwise throws
 * the challenge (401). What is complete already is kept in the database under a session id, so any replica can go on with it:
 *   begun      the first challenge was sent; lives for limits.interactive_ms
 *   underway   some stages are complete
 *   used       all stages of a flow were complete: the request goes ahead, and the session is gone
 */
import type { Context } from "../context.ts";
import { InteractiveAuthentication, MatrixError, matrixError } from "../errors.ts";
import type { Request, Session } from "../http.ts";
import { limits } from "../limits.ts";
import { randomToken } from "../seams.ts";
import { COMPLETED } from "./email/stage.ts";
import { hasSecondFactor } from "./factors/totp.ts";
import { addressOf, paths } from "./oauth/addresses.ts";
import { type Approvable, useApproval } from "./oauth/approvals.ts";
import { isOAuthSession } from "./oauth/sessions.ts";
import type { Auth } from "./shapes.ts";
import { flowsFor } from "./sso/confirm.ts";
import { acceptedBy, paramsOf, type Stage, stages } from "./stages.ts";
import { areCurrent, versionsOf } from "./terms/policies.ts";

export interface InteractiveOptions {
  /** Each flow is a list of stages that, all complete, let the request pass. */
  flows: readonly (readonly Stage[])[];
  /**
   * What a person with a session of the OAuth 2.0 API, or with a second factor, allows on the account page instead; without it they can not
   * do it here.
   */
  byAccountPage?: Approvable;
}

/** The request: whose body may carry `auth`. Its path is what the authentication is for. */
export type InteractiveRequest = Pick<
  Request<{ auth?: Auth | undefined }, unknown, Session | undefined>,
  "body" | "session" | "path" | "address"
>;

/** What the completed stages proved, by stage; for m.login.registration_token the hash of the token, for m.login.terms what was accepted. */
export type Completed = Partial<Record<Stage, string>>;

interface Progress {
  /** Undefined before anything is stored. */
  id: string | undefined;
  completed: Completed;
}

/**
 * Returns when the request is authenticated; what is complete counts for this one request alone. Throws
 * InteractiveAuthentication, with `errcode` and `error` where a stage was refused.
 */
export async function interactive(
  ctx: Context,
  request: InteractiveRequest,
  { flows: wanted, byAccountPage }: InteractiveOptions,
): Promise<Completed> {
  // Its users have no password, and it has full control over them. Application-service-api, "Device management", "Cross-signing".
  if (request.session?.service) return {};
  const why = request.session && (await whyOnAccountPage(ctx, request.session));
  if (why !== undefined) return onAccountPage(ctx, request, { action: byAccountPage, why });
  const flows = request.session ? await flowsFor(ctx, request.session.userId, wanted) : wanted;
  const progress = await readProgress(ctx, request);
  const { own, refusal } = await proveStage(ctx, request, { flows, progress });
  const completed = { ...progress.completed, ...own };
  if (!refusal && isComplete(flows, completed)) {
    // What was complete before counts for one request, whoever else comes with it at the same moment.
    if (await endSession(ctx, progress)) return completed;
    if (isComplete(flows, own)) return own;
  }
  throw await challenge(ctx, { request, progress, own, flows, params: paramsOf(ctx, flows), refusal });
}

function isComplete(flows: InteractiveOptions["flows"], completed: Completed): boolean {
  return flows.some((flow) => flow.every((each) => completed[each] !== undefined));
}

interface Underway {
  flows: InteractiveOptions["flows"];
  progress: Progress;
}

/** What this request proves by itself, or why its stage is refused. */
async function proveStage(
  ctx: Context,
  request: InteractiveRequest,
  { flows, progress }: Underway,
): Promise<{ own: Completed; refusal: MatrixError | undefined }> {
  const stage = request.body.auth?.type;
  // What is complete already is as good as not said: the request then rests on the stored session.
  if (stage === undefined || Object.hasOwn(progress.completed, stage)) return { own: {}, refusal: undefined };
  if (!isOffered(stage, flows))
    return { own: {}, refusal: new MatrixError("M_UNRECOGNIZED", `${stage} is not one of the stages.`) };
  const result = await stages[stage](ctx, request);
  return result instanceof MatrixError
    ? { own: {}, refusal: result }
    : { own: { [stage]: result }, refusal: undefined };
}

/** Who proves there who they are: whose session has no stages here, and whose password alone proves nothing. */
async function whyOnAccountPage(ctx: Context, session: Session): Promise<string | undefined> {
  if (await isOAuthSession(ctx, session.id)) return "This application signed in by OAuth 2.0";
  if (await hasSecondFactor(ctx, session.userId)) return "This account has a second factor";
  return undefined;
}

/**
 * Specification: "OAuth authentication": the person allows it on the account page, and the client asks again. Throws M_FORBIDDEN for what
 * has no place there.
 */
async function onAccountPage(
  ctx: Context,
  request: InteractiveRequest,
  { action, why }: { action: Approvable | undefined; why: string },
): Promise<Completed> {
  const page = addressOf(ctx, paths.account);
  if (!action)
    throw matrixError("M_FORBIDDEN", `${why}: do it on the account page, ${page}.`, {
      fields: { "io.parley.account_page": page },
    });
  if (await useApproval(ctx, request.session?.userId ?? "", action)) return {};
  const url = `${page}?${new URLSearchParams({ action }).toString()}`;
  const progress = await readProgress(ctx, request);
  // Clients from before the specification had the stage know it by the name of the action.
  const stages = ["m.oauth", action];
  const params = Object.fromEntries(stages.map((stage) => [stage, { url }]));
  const flows = stages.map((stage) => [stage]);
  throw await challenge(ctx, { request, progress, own: {}, flows, params, refusal: undefined });
}

function isOffered(stage: string, flows: InteractiveOptions["flows"]): stage is Stage {
  return flows.some((flow) => flow.some((each) => each === stage));
}

/** The same path under its older name is the same operation; each path has one method that needs authentication. */
function operationOf({ path }: InteractiveRequest): string {
  return path.replace("/_matrix/client/r0/", "/_matrix/client/v3/");
}

/** An unknown or expired session is as none: its client gets a new challenge. Throws M_FORBIDDEN for one of another request, or person. */
async function readProgress(ctx: Context, request: InteractiveRequest): Promise<Progress> {
  const id = request.body.auth?.session;
  const row =
    id === undefined
      ? undefined
      : await ctx.db.auth.one<{ completed: Completed; isOfThis: boolean }>(
          `select ${COMPLETED} as completed, s.user_id is not distinct from $2 and s.operation = $3 as "isOfThis"
           from auth.interactive_sessions s where s.id = $1 and s.expires_at > now()`,
          [id, request.session?.userId ?? null, operationOf(request)],
        );
  if (row && !row.isOfThis)
    throw matrixError(
      "M_FORBIDDEN",
      "This authentication was begun for another request. Begin a new one without a session.",
    );
  return row ? { id, completed: stillGood(ctx, row.completed) } : { id: undefined, completed: {} };
}

/** Policies that have changed since they were accepted are to be accepted again. */
function stillGood(ctx: Context, { "m.login.terms": terms, ...others }: Completed): Completed {
  return terms !== undefined && areCurrent(ctx, acceptedBy(terms)) ? { ...others, "m.login.terms": terms } : others;
}

async function endSession(ctx: Context, { id }: Progress): Promise<boolean> {
  if (id === undefined) return false;
  return (await ctx.db.auth.change("delete from auth.interactive_sessions where id = $1", [id])) > 0;
}

interface ChallengeParts {
  request: InteractiveRequest;
  progress: Progress;
  /** What this request has proved. */
  own: Completed;
  flows: readonly (readonly string[])[];
  params: Record<string, object>;
  refusal: MatrixError | undefined;
}

async function challenge(ctx: Context, parts: ChallengeParts): Promise<Error> {
  const { request, progress, own, flows, params, refusal } = parts;
  const presented = "m.login.terms" in params ? JSON.stringify(versionsOf(ctx)) : null;
  const isKept = await keepSession(ctx, progress, { own, presented });
  const session = isKept ? (progress.id as string) : await beginSession(ctx, request, { own, presented });
  return new InteractiveAuthentication({
    flows: flows.map((each) => ({ stages: each })),
    params,
    session,
    completed: Object.keys(isKept ? { ...progress.completed, ...own } : own),
    ...refusal?.body(),
  });
}

interface Kept {
  own: Completed;
  presented: string | null;
}

/** False where there is no session any more: what was complete in it was used by another request. */
async function keepSession(ctx: Context, { id }: Progress, { own, presented }: Kept): Promise<boolean> {
  if (id === undefined) return false;
  const sql = "update auth.interactive_sessions set completed = completed || $2::jsonb, presented = $3 where id = $1";
  return (await ctx.db.auth.change(sql, [id, JSON.stringify(own), presented])) > 0;
}

async function beginSession(ctx: Context, request: InteractiveRequest, { own, presented }: Kept): Promise<string> {
  const session = randomToken(ctx.seams, 18);
  await ctx.db.auth.change(
    `with expired as (delete from auth.interactive_sessions where expires_at < now())
     insert into auth.interactive_sessions (id, user_id, operation, completed, expires_at, presented)
     values ($1, $2, $3, $4, now() + $5 * interval '1 millisecond', $6)`,
    [
      session,
      request.session?.userId ?? null,
      operationOf(request),
      JSON.stringify(own),
      limits.interactive_ms,
      presented,
    ],
  );
  return session;
}
