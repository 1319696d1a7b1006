/** From a request of somebody known to the answer: may they, is what they sent right, the act, and its audit entries. */
import type { Context } from "../context.ts";
import { asError, matrixError } from "../errors.ts";
import { Answer, type Request } from "../http.ts";
import { validate } from "../validate.ts";
import { type Act, appendAudit } from "./audit/append.ts";
import type { Candidate } from "./actor.ts";
import { openRecorder } from "./audit/recorder.ts";
import type { Actor, Operation, OperationRequest } from "./operation.ts";
import { isAtLeast } from "./operators.ts";
import { refuseUnstorable } from "./storable.ts";

export type RawRequest = Request<unknown, Record<string, string>, undefined>;

export interface Performance {
  operation: Operation;
  request: RawRequest;
  who: Candidate;
}

/** Does what is asked, and has it in the audit log before it answers. Throws matrixError. */
export async function perform(ctx: Context, { operation, request, who }: Performance): Promise<Answer | object> {
  await ctx.rates.admit(operation.rate, who.userId);
  const actor = await admit(ctx, { operation, request, who });
  if (operation.isWrite && who.isStale)
    throw matrixError("IO_PARLEY_CONFIRM", "Give your password again before you change something.");
  const given = readGiven(operation, request);
  const recorder = openRecorder(ctx, actOf(operation, { request, actor, given }));
  const asked: OperationRequest = {
    params: request.params,
    ...given,
    actor,
    audit: recorder.audit,
    transact: recorder.transact,
    goesOn: recorder.goesOn,
    get signal() {
      return request.signal();
    },
    log: request.log,
  };
  if (operation.isWrite && !operation.isOneTransaction) await recorder.begin(operation.intent?.(given));
  let answer;
  try {
    answer = await operation.handle(asked, ctx);
  } catch (thrown) {
    if (operation.isAudited) await recorder.failed(thrown);
    throw thrown;
  }
  if (operation.isAudited) await recorder.done();
  return checked(operation, answer);
}

/** Whoever may not is told the role that is needed; that they tried to change something is kept. */
async function admit(ctx: Context, { operation, request, who }: Performance): Promise<Actor> {
  const { isStale: _, ...actor } = who;
  if (who.role !== undefined && isAtLeast(who.role, operation.role)) return { ...actor, role: who.role };
  await denied(ctx, { operation, request, who }, "M_FORBIDDEN");
  throw matrixError("M_FORBIDDEN", `This needs the operator's role "${operation.role}".`, {
    fields: { required_role: operation.role },
  });
}

/** Writes down that somebody known was refused what changes something, and slows down who tries on and on. */
export async function denied(ctx: Context, { operation, request, who }: Performance, error: string): Promise<void> {
  if (!operation.isWrite) return;
  await ctx.rates.admit("operatorDenied", who.userId);
  const act = actOf(operation, { request, actor: who });
  await appendAudit(ctx, [{ ...act, outcome: "denied", error }]);
}

interface Given {
  query: unknown;
  body: unknown;
}

function readGiven(operation: Operation, request: RawRequest): Given {
  const { access_token: _, ...query } = request.query;
  refuseUnstorable({ ...request.params, ...query }, "query");
  if (operation.body !== undefined && operation.body !== "stream") refuseUnstorable(request.body, "body");
  return {
    query: validate(operation.query, query, "query"),
    body: operation.body === undefined ? undefined : readBody(operation.body, request.body),
  };
}

function readBody(body: Exclude<Operation["body"], undefined>, given: unknown): unknown {
  return body === "stream" ? given : validate(body, given, "body");
}

interface Acting {
  request: RawRequest;
  actor: Act["actor"];
  /** Not of who is refused: what they sent is not read. */
  given?: Given;
}

function actOf(operation: Operation, { request, actor, given }: Acting): Omit<Act, "outcome"> {
  const { body } = given ?? {};
  // A request without a body, such as DELETE, has its reason in the query.
  const reason = reasonIn(body) ?? reasonIn(given?.query);
  return {
    actor,
    action: operation.id,
    target: operation.target?.({ params: request.params, body: body ?? {} }) ?? Object.values(request.params)[0],
    reason,
  };
}

function reasonIn(given: unknown): string | undefined {
  const { reason } = (typeof given === "object" && given !== null ? given : {}) as { reason?: unknown };
  return typeof reason === "string" ? reason : undefined;
}

/**
 * What the document of the API promises of an answer is kept: members that it does not name stay here. An answer of another shape
 * is a fault of ours, and stays here as a whole: nobody knows what is in it.
 */
function checked(operation: Operation, answer: unknown): Answer | object {
  if (operation.answer === "stream" || answer instanceof Answer) return answer as Answer;
  const parsed = operation.answer.safeParse(answer);
  if (parsed.success) return parsed.data as object;
  throw new Error(`the answer of ${operation.id} is not what it promises: ${asError(parsed.error).message}`);
}
