// What a user may do to their push rules. Every function takes the changes as they are and gives the changes as they
// should be stored, or says why not; nothing is changed in place.
// Specification: client-server-api, push module, "Push Rules: API" (`pushrules.yaml`).

import { z } from "zod";
import { defaultRules } from "./defaults.ts";
import {
  actionsSchema,
  conditionSchema,
  maxConditions,
  maxPattern_characters,
  maxRuleId_characters,
  ruleKinds,
  type Action,
  type PushRule,
  type RuleChanges,
  type RuleKind,
} from "./ruleset.ts";

/** The most rules of one user: one for each room that they have muted, and then some. */
export const maxRules = 5_000;
/** The most glob patterns of one user. Each may be run over every message that the user may read. */
export const maxPatterns = 200;

/** Where a rule is: the two parameters of the path. */
export type RuleAddress = { kind: RuleKind; ruleId: string };

/** Why an edit is refused: what the answer's status and standard error say. */
export type EditFailure = {
  errcode: "M_NOT_FOUND" | "M_INVALID_PARAM" | "M_MISSING_PARAM" | "M_UNKNOWN" | "M_TOO_LARGE";
  status: 400 | 404;
  error: string;
};

export type EditResult = { ok: true; changes: RuleChanges } | { ok: false; failure: EditFailure };

/** The body of `PUT /pushrules/global/{kind}/{ruleId}`. */
export const ruleBodySchema = z.object({
  actions: actionsSchema,
  conditions: z.array(conditionSchema).max(maxConditions).optional(),
  pattern: z.string().max(maxPattern_characters).optional(),
});
/** The body of `PUT …/enabled`. */
export const enabledBodySchema = z.object({ enabled: z.boolean() });
/** The body of `PUT …/actions`. */
export const actionsBodySchema = z.object({ actions: actionsSchema });

export type NewRule = {
  at: RuleAddress;
  body: z.output<typeof ruleBodySchema>;
  /** Stand next above this rule of the user's own. Goes before `after`. */
  before?: string | undefined;
  /** Stand next below this rule of the user's own. */
  after?: string | undefined;
};

/** The kind that a path parameter names, or undefined where there is none of that name. */
export function ruleKindOf(text: string): RuleKind | undefined {
  return ruleKinds.find((kind) => kind === text);
}

/** The rule at an address, or undefined: for `GET` of a rule, of its switch and of its actions. */
export function findRule(ruleset: Record<RuleKind, PushRule[]>, at: RuleAddress): PushRule | undefined {
  return ruleset[at.kind].find((rule) => rule.rule_id === at.ruleId);
}

/**
 * Adds a rule, enabled and as the most important of its kind where nothing else is said, or replaces the one with its
 * id, which then keeps its switch and, where nothing is said, its place.
 */
export function putRule(changes: RuleChanges, rule: NewRule): EditResult {
  const problem = problemWith(rule);
  if (problem !== undefined) return problem;
  const { kind, ruleId } = rule.at;
  const rules = changes.own[kind] ?? [];
  const place = rules.findIndex((each) => each.rule_id === ruleId);
  const made = makeRule(rule, rules[place]?.enabled ?? true);
  const others = rules.filter((each) => each.rule_id !== ruleId);
  const neighbour = rule.before ?? rule.after;
  let index = Math.max(place, 0);
  if (neighbour !== undefined) {
    const at = others.findIndex((each) => each.rule_id === neighbour);
    if (at < 0) return refuse("M_UNKNOWN", `before/after rule not found: ${neighbour}`);
    index = rule.before === undefined ? at + 1 : at;
  }
  const edited = withOwn(changes, kind, others.toSpliced(index, 0, made));
  return tooMany(edited) ?? { ok: true, changes: edited };
}

/** Takes away a rule of the user's own. A predefined rule cannot be deleted: to this operation it does not exist. */
export function deleteRule(changes: RuleChanges, at: RuleAddress): EditResult {
  const rules = changes.own[at.kind] ?? [];
  const rest = rules.filter((each) => each.rule_id !== at.ruleId);
  if (rest.length === rules.length) return notFound();
  return { ok: true, changes: withOwn(changes, at.kind, rest) };
}

/** Switches a rule on or off, also a predefined one. */
export function setEnabled(changes: RuleChanges, at: RuleAddress, enabled: boolean): EditResult {
  return change(changes, at, { enabled });
}

/** Gives a rule other actions, also a predefined one. */
export function setActions(changes: RuleChanges, at: RuleAddress, actions: Action[]): EditResult {
  return change(changes, at, { actions });
}

function change(changes: RuleChanges, at: RuleAddress, what: { enabled?: boolean; actions?: Action[] }): EditResult {
  if (findRule(defaultRules, at) !== undefined) {
    const known = changes.predefined[at.ruleId];
    const predefined = { ...changes.predefined, [at.ruleId]: { ...known, ...what } };
    return { ok: true, changes: { ...changes, predefined } };
  }
  const rules = changes.own[at.kind] ?? [];
  if (!rules.some((each) => each.rule_id === at.ruleId)) return notFound();
  const edited = rules.map((each) => (each.rule_id === at.ruleId ? { ...each, ...what } : each));
  return { ok: true, changes: withOwn(changes, at.kind, edited) };
}

function problemWith({ at, body, before, after }: NewRule): EditResult | undefined {
  if (at.ruleId === "") return refuse("M_INVALID_PARAM", "A rule id may not be empty.");
  if (at.ruleId.startsWith(".")) {
    return refuse("M_INVALID_PARAM", "A rule id that starts with a dot is reserved for the server's own rules.");
  }
  if (/[/\\]/.test(at.ruleId)) return refuse("M_INVALID_PARAM", "A rule id may hold neither a slash nor a backslash.");
  if (at.ruleId.length > maxRuleId_characters) {
    return refuse("M_INVALID_PARAM", `A rule id has at most ${maxRuleId_characters} characters.`);
  }
  if (at.kind === "content" && body.pattern === undefined) {
    return refuse("M_MISSING_PARAM", "A content rule has a pattern.");
  }
  if ((before ?? after)?.startsWith(".") === true) {
    return refuse("M_UNKNOWN", "A rule cannot be placed relative to one of the server's own rules.");
  }
  return undefined;
}

function makeRule({ at, body }: NewRule, enabled: boolean): PushRule {
  const rule: PushRule = { rule_id: at.ruleId, default: false, enabled, actions: body.actions };
  if (at.kind === "content") rule.pattern = body.pattern;
  if (at.kind === "override" || at.kind === "underride") rule.conditions = body.conditions ?? [];
  return rule;
}

function tooMany(changes: RuleChanges): EditResult | undefined {
  const rules = Object.values(changes.own).flat();
  if (rules.length > maxRules) return refuse("M_TOO_LARGE", `There may be at most ${maxRules} push rules.`);
  const patterns = rules
    .flatMap((rule) => [rule, ...(rule.conditions ?? [])])
    .filter((each) => each.pattern !== undefined);
  if (patterns.length > maxPatterns) {
    return refuse("M_TOO_LARGE", `There may be at most ${maxPatterns} patterns in all push rules together.`);
  }
  return undefined;
}

function withOwn(changes: RuleChanges, kind: RuleKind, rules: PushRule[]): RuleChanges {
  return { ...changes, own: { ...changes.own, [kind]: rules } };
}

function refuse(errcode: EditFailure["errcode"], error: string): EditResult {
  return { ok: false, failure: { errcode, status: 400, error } };
}

function notFound(): EditResult {
  return { ok: false, failure: { errcode: "M_NOT_FOUND", status: 404, error: "The push rule was not found." } };
}
