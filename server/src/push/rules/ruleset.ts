// Push rules: their shapes, and how a user's own changes and the predefined rules make one ruleset.
// Specification: client-server-api, push module, "Push Rules"; `definitions/push_rule.yaml`.

import { z } from "zod";
import { defaultRules, masterRuleId, ownUserId } from "./defaults.ts";

/** The kinds in the order in which they are checked. */
export const ruleKinds = ["override", "content", "room", "sender", "underride"] as const;
export type RuleKind = (typeof ruleKinds)[number];

/** The longest glob pattern. An identifier, the longest thing that one is written for, has 255 bytes. */
export const maxPattern_characters = 255;
/** The most conditions of one rule. */
export const maxConditions = 20;
/** The most actions of one rule. */
export const maxActions = 20;
/** The longest rule id; those of room and sender rules are identifiers of at most 255 bytes. */
export const maxRuleId_characters = 255;

/** Actions of older versions ("Historical Actions"): clients read back what they wrote, and a rule does nothing by them. */
const historicalActions = ["dont_notify", "coalesce"] as const;

export type Action = "notify" | Tweak | (typeof historicalActions)[number];
export type Tweak = { set_tweak: string; value?: unknown };
export type Scalar = string | number | boolean | null;

/** A condition of an override or underride rule. One of an unknown kind is kept as it is, and never matches. */
export type Condition = {
  kind: string;
  key?: string | undefined;
  pattern?: string | undefined;
  is?: string | undefined;
  value?: Scalar | undefined;
};

/** A rule as clients see it. `conditions` belongs to override and underride rules, `pattern` to content rules. */
export type PushRule = {
  rule_id: string;
  default: boolean;
  enabled: boolean;
  actions: Action[];
  conditions?: Condition[] | undefined;
  pattern?: string | undefined;
};

/** The rules of a user, the most important first within each kind. */
export type Ruleset = Record<RuleKind, PushRule[]>;

/** What a user has changed: this is stored, and not the ruleset, so that new predefined rules reach everyone. */
export type RuleChanges = {
  /** The user's own rules, the most important first. */
  own: Partial<Record<RuleKind, PushRule[]>>;
  /** Changes of predefined rules by their rule id, which is unique among all of them. */
  predefined: Record<string, { enabled?: boolean | undefined; actions?: Action[] | undefined }>;
};

/** The changes of a user who has made none. */
export const noChanges: RuleChanges = { own: {}, predefined: {} };

const tweakSchema = z.looseObject({ set_tweak: z.string().max(maxRuleId_characters), value: z.unknown().optional() });

/** The actions of a rule; unknown ones are refused. */
export const actionsSchema = z
  .array(
    z.union([z.literal(["notify", ...historicalActions]), tweakSchema], {
      error: "an action is notify or an object with set_tweak",
    }),
  )
  .refine((actions) => actions.length <= maxActions, { error: `there may be at most ${maxActions} actions` });

const scalarSchema = z.union([z.string(), z.int(), z.boolean(), z.null()], {
  error: "a value is a string, an integer, a boolean or null",
});

/** The fields that each known kind of condition must have. */
const neededFields: Record<string, (keyof Condition)[]> = {
  event_match: ["key", "pattern"],
  event_property_is: ["key", "value"],
  event_property_contains: ["key", "value"],
  room_member_count: ["is"],
  sender_notification_permission: ["key"],
};

/** One condition; of a known kind it must have the fields of that kind. */
export const conditionSchema = z
  .looseObject({
    kind: z.string(),
    key: z.string().max(maxPattern_characters).optional(),
    pattern: z.string().max(maxPattern_characters).optional(),
    is: z.string().max(maxPattern_characters).optional(),
    value: scalarSchema.optional(),
  })
  .superRefine((condition, check) => {
    const needed = Object.hasOwn(neededFields, condition.kind) ? (neededFields[condition.kind] ?? []) : [];
    const missing = needed.find((field) => condition[field] === undefined);
    if (missing !== undefined) check.addIssue(`a condition of the kind ${condition.kind} has the field ${missing}`);
  });

const ruleSchema = z.object({
  rule_id: z.string(),
  default: z.literal(false),
  enabled: z.boolean(),
  actions: actionsSchema,
  conditions: z.array(conditionSchema).optional(),
  pattern: z.string().optional(),
});

/** What is stored of a user. Parse it when it is read, so that a row of an older version can not break evaluation. */
export const ruleChangesSchema: z.ZodType<RuleChanges> = z.object({
  own: z.partialRecord(z.enum(ruleKinds), z.array(ruleSchema)),
  predefined: z.record(z.string(), z.object({ enabled: z.boolean().optional(), actions: actionsSchema.optional() })),
});

/**
 * The whole ruleset of a user: their own rules above the predefined ones, but for `.m.rule.master`, which stands above
 * everything. It is the answer to `GET /pushrules/` under `global`, and the content of `m.push_rules`.
 */
export function mergeRules(changes: RuleChanges, userId: string): Ruleset {
  const merged = (kind: RuleKind): PushRule[] => {
    const predefined = defaultRules[kind].map((each) => forUser(changed(each, changes), userId));
    const top = predefined.filter((each) => each.rule_id === masterRuleId);
    const rest = predefined.filter((each) => each.rule_id !== masterRuleId);
    return [...top, ...(changes.own[kind] ?? []), ...rest];
  };
  return {
    override: merged("override"),
    content: merged("content"),
    room: merged("room"),
    sender: merged("sender"),
    underride: merged("underride"),
  };
}

/** A predefined rule as the user has changed it: its switch and its actions. The same object where they have not. */
export function changed(rule: PushRule, changes: RuleChanges): PushRule {
  const change = Object.hasOwn(changes.predefined, rule.rule_id) ? changes.predefined[rule.rule_id] : undefined;
  if (change === undefined) return rule;
  return { ...rule, enabled: change.enabled ?? rule.enabled, actions: change.actions ?? rule.actions };
}

function forUser(rule: PushRule, userId: string): PushRule {
  const conditions = rule.conditions?.map((condition) => {
    if (condition.pattern === ownUserId) return { ...condition, pattern: userId };
    return condition.value === ownUserId ? { ...condition, value: userId } : condition;
  });
  return { ...rule, conditions };
}
