// Which push rule an event meets for a user, and what follows.
//
// A server evaluates each event for every member of its room, so the rules are compiled: each condition is a function,
// and within a kind the rules that demand an event type are filed under it. An event then meets only the few rules that
// its type can meet. The predefined rules are compiled once for all users; who has changed nothing shares them whole.
// Specification: client-server-api, push module, "Push Rules".

import { compileCondition, compilePattern, typeDemandedBy, type CompiledCondition } from "./conditions.ts";
import { defaultRules, masterRuleId } from "./defaults.ts";
import type { PushEvent } from "./event.ts";
import { changed, type PushRule, type RuleChanges, type RuleKind, type Tweak } from "./ruleset.ts";

/** What an event means for a user. */
export type Outcome = {
  /** Whether it is a notification: it counts as unread, and goes to the pushers. */
  readonly notify: boolean;
  /** Whether it counts as a highlight. Never without `notify`. */
  readonly highlight: boolean;
  /** The sound to play, if any. */
  readonly sound?: string;
  /** Every tweak of the rule, for the push gateway. */
  readonly tweaks: Readonly<Record<string, unknown>>;
  /** The rule that decided; undefined where none matched. */
  readonly ruleId?: string;
};

/** A user's rules, ready to run. */
export type CompiledRuleset = (event: PushEvent) => Outcome;

/** The outcome where no rule matches, and for the user's own events. */
export const silence: Outcome = Object.freeze({ notify: false, highlight: false, tweaks: Object.freeze({}) });

type CompiledRule = {
  /** The type that an event must have, lower-cased; then no condition says so again. */
  type: string | undefined;
  conditions: CompiledCondition[];
  outcome: Outcome;
};

/** The rules of a kind in their order: those that an event of each demanded type can meet, and of any other type. */
type Segment = { byType: Map<string, CompiledRule[]>; otherTypes: CompiledRule[] };

/** Rules whose id is their whole condition: the outcome by room id or by sender. */
type ById = ReadonlyMap<string, Outcome>;

type ConditionalKind = Exclude<RuleKind, "room" | "sender">;

// No predefined rule is a content rule, so the kind of each is one with conditions.
const compiledPredefined = new Map(
  Object.values(defaultRules).flatMap((rules) => rules.map((rule) => [rule, compileRule("override", rule)])),
);
const predefinedSegments: Record<ConditionalKind, Segment> = {
  override: compileSegment("override", defaultRules.override),
  content: compileSegment("content", defaultRules.content),
  underride: compileSegment("underride", defaultRules.underride),
};
const noOutcomes: ById = new Map();

/**
 * Compiles the rules of the user `userId`: the predefined ones with the user's changes. Keep the result for as long as
 * the changes stand; it holds little beside the rules that the user has changed.
 */
export function compileRuleset(changes: RuleChanges, userId: string): CompiledRuleset {
  const override = segmentOf("override", changes);
  const content = segmentOf("content", changes);
  const room = outcomesById(changes.own.room);
  const sender = outcomesById(changes.own.sender);
  const underride = segmentOf("underride", changes);
  return (event) => {
    if (event.raw.sender === userId) return silence;
    return (
      firstMatch(override, event, userId) ??
      firstMatch(content, event, userId) ??
      room.get(event.raw.room_id) ??
      sender.get(event.raw.sender) ??
      firstMatch(underride, event, userId) ??
      silence
    );
  };
}

function firstMatch(segment: Segment, event: PushEvent, userId: string): Outcome | undefined {
  const rules = segment.byType.get(event.foldedType) ?? segment.otherTypes;
  for (const rule of rules) if (matches(rule.conditions, event, userId)) return rule.outcome;
  return undefined;
}

function matches(conditions: CompiledCondition[], event: PushEvent, userId: string): boolean {
  for (const condition of conditions) if (!condition(event, userId)) return false;
  return true;
}

function segmentOf(kind: ConditionalKind, changes: RuleChanges): Segment {
  const own = changes.own[kind] ?? [];
  const predefined = defaultRules[kind].map((rule) => changed(rule, changes));
  const isUnchanged = own.length === 0 && predefined.every((rule, at) => rule === defaultRules[kind][at]);
  if (isUnchanged) return predefinedSegments[kind];
  const top = predefined.filter((rule) => rule.rule_id === masterRuleId);
  return compileSegment(kind, [...top, ...own, ...predefined.filter((rule) => rule.rule_id !== masterRuleId)]);
}

function compileSegment(kind: ConditionalKind, rules: PushRule[]): Segment {
  const compiled = rules
    .filter((rule) => rule.enabled)
    .map((rule) => compiledPredefined.get(rule) ?? compileRule(kind, rule));
  const types = new Set(compiled.map((rule) => rule.type).filter((type) => type !== undefined));
  const forType = (type: string | undefined) =>
    compiled.filter((rule) => rule.type === undefined || rule.type === type);
  return { byType: new Map(Array.from(types, (type) => [type, forType(type)])), otherTypes: forType(undefined) };
}

function compileRule(kind: ConditionalKind, rule: PushRule): CompiledRule {
  const outcome = outcomeOf(rule);
  if (kind === "content") return { type: undefined, conditions: [compilePattern(rule.pattern)], outcome };
  const written = rule.conditions ?? [];
  const demand = written.find((condition) => typeDemandedBy(condition) !== undefined);
  const others = written.filter((condition) => condition !== demand);
  const conditions = others.map((condition) => compileCondition(condition, rule.default));
  return { type: demand === undefined ? undefined : typeDemandedBy(demand), conditions, outcome };
}

function outcomesById(rules: PushRule[] | undefined): ById {
  const enabled = rules?.filter((rule) => rule.enabled) ?? [];
  return enabled.length === 0 ? noOutcomes : new Map(enabled.map((rule) => [rule.rule_id, outcomeOf(rule)]));
}

/** A tweak says how a notification is shown, so without `notify` there is none. Specification: push, "Actions". */
function outcomeOf(rule: PushRule): Outcome {
  const ruleId = rule.rule_id;
  if (!rule.actions.includes("notify")) return { ...silence, ruleId };
  const tweaks = rule.actions.filter((action): action is Tweak => typeof action === "object");
  const values = Object.fromEntries(
    tweaks.map(({ set_tweak: name, value }) => [
      name,
      name === "highlight" ? (value === undefined ? true : value) : value,
    ]),
  );
  const sound = typeof values.sound === "string" ? { sound: values.sound } : {};
  return { notify: true, highlight: values.highlight === true, ...sound, tweaks: values, ruleId };
}
