/**
 * What clients of operators ask at the specification's own paths: who somebody is, and locking and suspending accounts. Each is an
 * operation as those of the operator API are, with the same roles and the same audit log; it stands at the specification's path alone.
 * Specification: client-server-api, "Server administration" and "Account moderation".
 */
import { z } from "zod";
import { moderateAccount, type Moderation, readModeration } from "../auth/moderation.ts";
import { accountExists, listDevices } from "../auth/queries.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { type Request, route, type Route } from "../http.ts";
import { tokenHolder } from "./actor.ts";
import { operation, type Operation, type OperationRequest } from "./operation.ts";
import { rolesOf } from "./operators.ts";
import { perform } from "./perform.ts";
import { readStanding } from "../auth/for-operators.ts";
import { actOn } from "./users/may.ts";

const SUSPEND = "/_matrix/client/v1/admin/suspend/:userId";
const LOCK = "/_matrix/client/v1/admin/lock/:userId";
const WHOIS = "/_matrix/client/v3/admin/whois/:userId";

type State = keyof Moderation;

/** Throws M_INVALID_PARAM, M_NOT_FOUND, or M_FORBIDDEN for another operator's account. */
async function targetOf(ctx: Context, { actor, params }: Pick<OperationRequest, "actor" | "params">) {
  const userId = params["userId"] as string;
  if (!userId.endsWith(`:${ctx.config.serverName}`))
    throw matrixError("M_INVALID_PARAM", "User does not belong to the local server.");
  const found = await readModeration(ctx, userId);
  if (!found) throw matrixError("M_NOT_FOUND", "There is no such account, or it is deactivated.");
  const { isAdmin = false } = (await readStanding(ctx, userId)) ?? {};
  if (userId !== actor.userId && (await rolesOf(ctx, [{ userId, isAdmin }])).has(userId))
    throw matrixError("M_FORBIDDEN", "This account is that of another administrator.");
  return { userId, found };
}

function readState(state: State, path: typeof SUSPEND | typeof LOCK): Operation {
  return operation({
    id: `users.read_${state}`,
    method: "GET",
    path,
    summary: `Whether an account is ${state}`,
    role: "auditor",
    query: z.looseObject({}),
    answer: z.object({ [state]: z.boolean() }),
    handle: async (request, ctx) => ({ [state]: (await targetOf(ctx, request)).found[state] }),
  });
}

function setState(state: State, path: typeof SUSPEND | typeof LOCK): Operation {
  return operation({
    id: `users.set_${state}`,
    method: "PUT",
    path,
    summary: `Makes an account ${state}, or takes that back`,
    role: "operator",
    query: z.looseObject({}),
    body: z.looseObject({ [state]: z.boolean() }),
    answer: z.object({ [state]: z.boolean() }),
    async handle(request, ctx) {
      const { userId, found } = await targetOf(ctx, request);
      const wanted = request.body[state] as boolean;
      await actOn(ctx, request, {
        userId,
        async act() {
          await moderateAccount(ctx, userId, { [state]: wanted });
          return { before: { [state]: found[state] }, after: { [state]: wanted } };
        },
      });
      return { [state]: wanted };
    },
  });
}

const whois = operation({
  id: "users.whois",
  method: "GET",
  path: WHOIS,
  summary: "Where an account is signed in",
  role: "auditor",
  query: z.looseObject({}),
  answer: z.looseObject({ user_id: z.string() }),
  handle: ({ params }, ctx) => whoIs(ctx, params.userId),
});

async function whoIs(ctx: Context, userId: string) {
  if (!(await accountExists(ctx, userId))) throw matrixError("M_NOT_FOUND", "There is no such account here.");
  const devices = await listDevices(ctx, userId);
  const sessionOf = ({ lastSeen_ms, lastSeenAddress }: (typeof devices)[number]) => ({
    connections: [{ ...(lastSeenAddress === null ? {} : { ip: lastSeenAddress }), last_seen: lastSeen_ms }],
  });
  return {
    user_id: userId,
    devices: Object.fromEntries(devices.map((device) => [device.deviceId, { sessions: [sessionOf(device)] }])),
  };
}

type Asked = Request<unknown, Record<string, string>>;

async function perforce(ctx: Context, moderation: Operation, request: Asked): Promise<object> {
  const who = await tokenHolder(ctx, request.session, request.address);
  return perform(ctx, { operation: moderation, request: { ...request, session: undefined }, who });
}

function served(each: Operation): Route {
  return route({
    method: each.method,
    path: each.path,
    access: "session",
    ...(each.method === "PUT" ? { body: z.unknown() } : {}),
    query: z.record(z.string(), z.string()),
    handle: (request, ctx) => perforce(ctx, each, request),
  });
}

export const moderationRoutes: readonly Route[] = [
  served(readState("suspended", SUSPEND)),
  served(setState("suspended", SUSPEND)),
  served(readState("locked", LOCK)),
  served(setState("locked", LOCK)),
  route({
    method: "GET",
    path: WHOIS,
    access: "session",
    rate: "other",
    query: z.record(z.string(), z.string()),
    // Everybody may ask about themselves, and is no operator for that.
    handle: (request, ctx) =>
      request.params["userId"] === request.session.userId
        ? whoIs(ctx, request.session.userId)
        : perforce(ctx, whois, request as Asked),
  }),
];
