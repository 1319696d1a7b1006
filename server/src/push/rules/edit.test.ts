import assert from "node:assert/strict";
import test from "node:test";
import {
  deleteRule,
  findRule,
  maxPatterns,
  maxRules,
  putRule,
  ruleBodySchema,
  ruleKindOf,
  setActions,
  setEnabled,
  type EditResult,
  type NewRule,
} from "./edit.ts";
import { maxConditions, mergeRules, noChanges, ruleChangesSchema, type RuleChanges, type RuleKind } from "./ruleset.ts";

const alice = "@alice:example.org";

/** Adds the rule that `address` names as `kind ruleId`. */
function add(changes: RuleChanges, address: string, more: Partial<NewRule> = {}): EditResult {
  const kind = ruleKindOf(address.split(" ", 1)[0] ?? "") ?? assert.fail();
  const ruleId = address.slice(kind.length + 1);
  const body = kind === "content" ? { actions: [], pattern: ruleId } : { actions: [] };
  return putRule(changes, { at: { kind, ruleId }, body, ...more });
}

function done(result: EditResult): RuleChanges {
  assert.ok(result.ok, JSON.stringify(result));
  return result.changes;
}

function failure(result: EditResult) {
  assert.ok(!result.ok, "the edit should have been refused");
  return result.failure;
}

const order = (changes: RuleChanges, kind: RuleKind) => mergeRules(changes, alice)[kind].map((rule) => rule.rule_id);
const own = (changes: RuleChanges, kind: RuleKind) => order(changes, kind).filter((id) => !id.startsWith("."));
const three = ["c", "b", "a"].reduce((changes, id) => done(add(changes, `content ${id}`)), noChanges);

test("the merged ruleset holds the predefined rules with the user's id in its places", () => {
  const merged = mergeRules(noChanges, alice);
  const invite = findRule(merged, { kind: "override", ruleId: ".m.rule.invite_for_me" });
  assert.equal(invite?.conditions?.[2]?.pattern, alice);
  const mention = findRule(merged, { kind: "override", ruleId: ".m.rule.is_user_mention" });
  assert.equal(mention?.conditions?.[0]?.value, alice);
  assert.doesNotMatch(JSON.stringify(merged), /the user's/);
});

test("a new rule is enabled, is not a default, and is the most important of its kind", () => {
  assert.deepEqual(own(three, "content"), ["a", "b", "c"]);
  const rule = findRule(mergeRules(three, alice), { kind: "content", ruleId: "a" });
  assert.deepEqual(rule, { rule_id: "a", default: false, enabled: true, actions: [], pattern: "a" });
});

test("own rules stand above the predefined ones, the master rule above all", () => {
  const changes = done(add(done(add(noChanges, "override x")), "override y"));
  assert.deepEqual(order(changes, "override").slice(0, 4), [".m.rule.master", "y", "x", ".m.rule.suppress_notices"]);
  assert.equal(order(done(add(noChanges, "underride z")), "underride")[0], "z");
});

const places: [title: string, ruleId: string, where: Partial<NewRule>, expected: string[]][] = [
  ["before a rule", "n", { before: "b" }, ["a", "n", "b", "c"]],
  ["after a rule", "n", { after: "b" }, ["a", "b", "n", "c"]],
  ["before the first", "n", { before: "a" }, ["n", "a", "b", "c"]],
  ["after the last", "n", { after: "c" }, ["a", "b", "c", "n"]],
  ["before, where both are given", "n", { before: "b", after: "c" }, ["a", "n", "b", "c"]],
  ["moved up", "c", { before: "a" }, ["c", "a", "b"]],
  ["moved down", "a", { after: "b" }, ["b", "a", "c"]],
  ["replaced in its place", "b", {}, ["a", "b", "c"]],
];

for (const [title, ruleId, where, expected] of places) {
  test(`a rule is placed ${title}`, () => {
    assert.deepEqual(own(done(add(three, `content ${ruleId}`, where)), "content"), expected);
    assert.deepEqual(own(three, "content"), ["a", "b", "c"], "the changes given are not touched");
  });
}

test("a replaced rule has its new body and keeps its switch", () => {
  const at = { kind: "content", ruleId: "b" } as const;
  const off = done(setEnabled(three, at, false));
  const replaced = done(putRule(off, { at, body: { actions: ["notify"], pattern: "new" } }));
  const rule = findRule(mergeRules(replaced, alice), at);
  assert.deepEqual(rule, { rule_id: "b", default: false, enabled: false, actions: ["notify"], pattern: "new" });
});

test("a rule id is unique within its kind only", () => {
  const both = done(add(done(add(noChanges, "override x")), "underride x"));
  const without = done(deleteRule(both, { kind: "override", ruleId: "x" }));
  assert.deepEqual([own(without, "override"), own(without, "underride")], [[], ["x"]]);
});

type Refusal = { rule: string; edit: () => EditResult; errcode: string; status: number };

const refusals: Refusal[] = [
  { rule: "an id with a dot", edit: () => add(noChanges, "room .mine"), errcode: "M_INVALID_PARAM", status: 400 },
  { rule: "an id with a slash", edit: () => add(noChanges, "room a/b"), errcode: "M_INVALID_PARAM", status: 400 },
  { rule: "a backslash", edit: () => add(noChanges, "room a\\b"), errcode: "M_INVALID_PARAM", status: 400 },
  { rule: "an empty id", edit: () => add(noChanges, "room "), errcode: "M_INVALID_PARAM", status: 400 },
  { rule: "a long id", edit: () => add(noChanges, "room a".repeat(256)), errcode: "M_INVALID_PARAM", status: 400 },
  {
    rule: "a neighbour that is not there",
    edit: () => add(three, "content n", { before: "someRuleId" }),
    errcode: "M_UNKNOWN",
    status: 400,
  },
  {
    rule: "a neighbour of another kind",
    edit: () => add(three, "override n", { after: "a" }),
    errcode: "M_UNKNOWN",
    status: 400,
  },
  {
    rule: "a predefined neighbour",
    edit: () => add(noChanges, "override n", { after: ".m.rule.master" }),
    errcode: "M_UNKNOWN",
    status: 400,
  },
  {
    rule: "a content rule without a pattern",
    edit: () => putRule(noChanges, { at: { kind: "content", ruleId: "n" }, body: { actions: [] } }),
    errcode: "M_MISSING_PARAM",
    status: 400,
  },
  {
    rule: "a deletion of a rule that is not there",
    edit: () => deleteRule(three, { kind: "room", ruleId: "a" }),
    errcode: "M_NOT_FOUND",
    status: 404,
  },
  {
    rule: "a deletion of a predefined rule",
    edit: () => deleteRule(three, { kind: "underride", ruleId: ".m.rule.message" }),
    errcode: "M_NOT_FOUND",
    status: 404,
  },
  {
    rule: "a switch of a rule that is not there",
    edit: () => setEnabled(three, { kind: "override", ruleId: ".m.rule.message" }, false),
    errcode: "M_NOT_FOUND",
    status: 404,
  },
  {
    rule: "actions of a rule that is not there",
    edit: () => setActions(three, { kind: "room", ruleId: "a" }, []),
    errcode: "M_NOT_FOUND",
    status: 404,
  },
];

for (const { rule, edit, errcode, status } of refusals) {
  test(`refuses ${rule} with ${errcode}`, () => {
    assert.partialDeepStrictEqual(failure(edit()), { errcode, status });
  });
}

test("the answer to an unknown neighbour is the one of the specification", () => {
  const refused = failure(add(three, "content n", { before: "someRuleId" }));
  assert.equal(refused.error, "before/after rule not found: someRuleId");
});

test("a predefined rule can be switched and given other actions, and the two are kept apart", () => {
  const at = { kind: "underride", ruleId: ".m.rule.message" } as const;
  const both = done(setActions(done(setEnabled(noChanges, at, false)), at, []));
  assert.partialDeepStrictEqual(findRule(mergeRules(both, alice), at), { enabled: false, actions: [], default: true });
  assert.partialDeepStrictEqual(findRule(mergeRules(noChanges, alice), at), { enabled: true, actions: ["notify"] });
});

test("there is a limit to a user's rules, and to the patterns in them", () => {
  const rules = Array.from({ length: maxRules }, (_, at) => ({
    rule_id: `r${at}`,
    default: false,
    enabled: true,
    actions: [],
  }));
  const full: RuleChanges = { own: { room: rules }, predefined: {} };
  assert.equal(failure(add(full, "sender one more")).errcode, "M_TOO_LARGE");
  done(add(full, "room r7"));
  const patterns: RuleChanges = {
    own: { content: rules.slice(0, maxPatterns - 1).map((rule) => ({ ...rule, pattern: "p" })) },
    predefined: {},
  };
  const last = done(add(patterns, "content last"));
  assert.equal(failure(add(last, "content one more")).errcode, "M_TOO_LARGE");
  const conditions = [{ kind: "event_match", key: "type", pattern: "x" }];
  const asCondition = putRule(last, { at: { kind: "override", ruleId: "x" }, body: { actions: [], conditions } });
  assert.equal(failure(asCondition).errcode, "M_TOO_LARGE");
});

const bodies: [rule: string, body: unknown, expected: RegExp | "ok"][] = [
  ["the example of the specification", { pattern: "cake*lie", actions: ["notify"] }, "ok"],
  ["a tweak of a client's own", { actions: [{ set_tweak: "flash", value: 3, more: true }] }, "ok"],
  ["a condition of an unknown kind", { actions: [], conditions: [{ kind: "org.example", any: 1 }] }, "ok"],
  ["no actions", {}, /expected array/],
  ["an unknown action", { actions: ["shout"] }, /an action is notify or an object with set_tweak/],
  ["a tweak without a name", { actions: [{ value: 1 }] }, /an action is/],
  ["a condition without a kind", { actions: [], conditions: [{}] }, /expected string/],
  [
    "event_match without a pattern",
    { actions: [], conditions: [{ kind: "event_match", key: "type" }] },
    /the field pattern/,
  ],
  [
    "event_property_is without a value",
    { actions: [], conditions: [{ kind: "event_property_is", key: "a" }] },
    /field value/,
  ],
  ["event_property_is null", { actions: [], conditions: [{ kind: "event_property_is", key: "a", value: null }] }, "ok"],
  [
    "a list as a value",
    { actions: [], conditions: [{ kind: "event_property_is", key: "a", value: [] }] },
    /a value is/,
  ],
  ["room_member_count without is", { actions: [], conditions: [{ kind: "room_member_count" }] }, /the field is/],
  ["a long pattern", { actions: [], pattern: "a".repeat(256) }, /<=255/],
  [
    "many conditions",
    { actions: [], conditions: Array.from({ length: maxConditions + 1 }, () => ({ kind: "x" })) },
    /<=20/,
  ],
];

for (const [rule, body, expected] of bodies) {
  test(`a body with ${rule} is ${expected === "ok" ? "taken" : "refused"}`, () => {
    const parsed = ruleBodySchema.safeParse(body);
    assert.equal(parsed.success, expected === "ok", JSON.stringify(parsed.error?.issues));
    if (expected !== "ok") assert.match(parsed.error?.issues[0]?.message ?? "", expected);
  });
}

test("historical actions are kept as they were written", () => {
  assert.deepEqual(ruleBodySchema.parse({ actions: ["dont_notify"] }).actions, ["dont_notify"]);
  assert.deepEqual(ruleBodySchema.parse({ actions: ["coalesce", "notify"] }).actions, ["coalesce", "notify"]);
});

test("what is stored can be read back", () => {
  const at = { kind: "override", ruleId: ".m.rule.reaction" } as const;
  const changes = done(setActions(done(add(three, "override x")), at, ["notify"]));
  assert.deepEqual(ruleChangesSchema.parse(JSON.parse(JSON.stringify(changes))), changes);
});

test("a kind is one of five", () => {
  assert.deepEqual(["override", "device", "toString"].map(ruleKindOf), ["override", undefined, undefined]);
});
