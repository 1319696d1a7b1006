/** Reading and changing push rules. Specification: client-server-api, push module, "Push Rules: API". */
import { z } from "zod";
import { changeAccountData } from "../account/data.ts";
import type { Context } from "../context.ts";
import { matrixError } from "../errors.ts";
import { encoded, route, type Route } from "../http.ts";
import { readAccountDataItem } from "../log/queries.ts";
import {
  actionsBodySchema,
  deleteRule,
  type EditResult,
  enabledBodySchema,
  findRule,
  putRule,
  type RuleAddress,
  ruleBodySchema,
  ruleKindOf,
  setActions,
  setEnabled,
} from "./rules/edit.ts";
import { mergeRules, type PushRule, type RuleChanges } from "./rules/ruleset.ts";
import { pushRulesContent, storedChanges } from "./stored-rules.ts";

const keyOf = (userId: string) => ({ userId, roomId: "", type: "m.push_rules" });

async function changesOf(ctx: Context, userId: string): Promise<RuleChanges> {
  return storedChanges(await readAccountDataItem(ctx.db.log, keyOf(userId)));
}

/** Applies one edit to the person's rules, which tells all of their sessions. */
async function edit(ctx: Context, userId: string, change: (changes: RuleChanges) => EditResult): Promise<object> {
  await changeAccountData(ctx, keyOf(userId), (stored) => {
    const result = change(storedChanges(stored));
    if (!result.ok) throw matrixError(result.failure.errcode, result.failure.error, { status: result.failure.status });
    return result.changes;
  });
  return {};
}

function addressOf(params: Record<string, string>): RuleAddress {
  const kind = ruleKindOf(params["kind"] as string);
  if (!kind) throw matrixError("M_INVALID_PARAM", `"${params["kind"]}" is not a kind of push rule.`);
  return { kind, ruleId: params["ruleId"] as string };
}

async function ruleAt(ctx: Context, userId: string, at: RuleAddress): Promise<PushRule> {
  const rule = findRule(mergeRules(await changesOf(ctx, userId), userId), at);
  if (!rule) throw matrixError("M_NOT_FOUND", `There is no push rule ${at.kind}/${at.ruleId}.`);
  return rule;
}

const ROOT = "/_matrix/client/v3/pushrules";
const RULE = `${ROOT}/global/:kind/:ruleId`;
const placeQuery = z.object({ before: z.string().optional(), after: z.string().optional() });

const readRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: ROOT,
    access: "session",
    handle: async ({ session }, ctx) =>
      encoded(pushRulesContent(await readAccountDataItem(ctx.db.log, keyOf(session.userId)), session.userId)),
  }),
  route({
    method: "GET",
    path: `${ROOT}/global`,
    access: "session",
    handle: async ({ session }, ctx) => mergeRules(await changesOf(ctx, session.userId), session.userId),
  }),
  route({
    method: "GET",
    path: RULE,
    access: "session",
    handle: ({ session, params }, ctx) => ruleAt(ctx, session.userId, addressOf(params)),
  }),
  route({
    method: "GET",
    path: `${RULE}/enabled`,
    access: "session",
    handle: async ({ session, params }, ctx) => ({
      enabled: (await ruleAt(ctx, session.userId, addressOf(params))).enabled,
    }),
  }),
  route({
    method: "GET",
    path: `${RULE}/actions`,
    access: "session",
    handle: async ({ session, params }, ctx) => ({
      actions: (await ruleAt(ctx, session.userId, addressOf(params))).actions,
    }),
  }),
];

const writeRoutes: readonly Route[] = [
  route({
    method: "PUT",
    path: RULE,
    access: "session",
    rate: "other",
    body: ruleBodySchema,
    query: placeQuery,
    handle: ({ session, params, body, query }, ctx) =>
      edit(ctx, session.userId, (changes) =>
        putRule(changes, { at: addressOf(params), body, before: query.before, after: query.after }),
      ),
  }),
  route({
    method: "DELETE",
    path: RULE,
    access: "session",
    rate: "other",
    handle: ({ session, params }, ctx) =>
      edit(ctx, session.userId, (changes) => deleteRule(changes, addressOf(params))),
  }),
  route({
    method: "PUT",
    path: `${RULE}/enabled`,
    access: "session",
    rate: "other",
    body: enabledBodySchema,
    handle: ({ session, params, body }, ctx) =>
      edit(ctx, session.userId, (changes) => setEnabled(changes, addressOf(params), body.enabled)),
  }),
  route({
    method: "PUT",
    path: `${RULE}/actions`,
    access: "session",
    rate: "other",
    body: actionsBodySchema,
    handle: ({ session, params, body }, ctx) =>
      edit(ctx, session.userId, (changes) => setActions(changes, addressOf(params), body.actions)),
  }),
];

export const ruleRoutes: readonly Route[] = [...readRoutes, ...writeRoutes];
