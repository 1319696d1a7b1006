import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { defaultRules } from "./defaults.ts";
import { compileRuleset, type Outcome } from "./evaluate.ts";
import { prepareEvent, type PushRoom, type RawEvent } from "./event.ts";
import { mergeRules, noChanges, type Condition, type PushRule, type RuleChanges, type RuleKind } from "./ruleset.ts";

const alice = "@alice:example.org";
const bob = "@bob:example.org";
const roomId = "!room:example.org";

const room: PushRoom = {
  memberCount: 3,
  powerLevelOf: (userId) => (userId === bob ? 50 : 0),
  notificationLevels: undefined,
  displayNameOf: (userId) => (userId === alice ? "Alice (she)" : undefined),
};
const pair: PushRoom = { ...room, memberCount: 2 };

function event(type: string, content: object = {}, more: Partial<RawEvent> = {}): RawEvent {
  return { type, sender: bob, room_id: roomId, content, ...more };
}

const text = (body: string, more: object = {}) => event("m.room.message", { msgtype: "m.text", body, ...more });

/** What the rules of Alice say of an event. */
function outcome(raw: RawEvent, changes: RuleChanges = noChanges, where: PushRoom = room): Outcome {
  return compileRuleset(changes, alice)(prepareEvent(raw, where));
}

function ownRule(kind: RuleKind, rule: Partial<PushRule>): RuleChanges {
  return {
    own: { [kind]: [{ rule_id: "own", default: false, enabled: true, actions: ["notify"], ...rule }] },
    predefined: {},
  };
}

const POLL = "org.matrix.msc3381.poll";
const POLL_RULE = ".org.matrix.msc3930.rule.poll";

type DefaultRow = { rule: string; event: RawEvent; room?: PushRoom; is?: Partial<Outcome> };

const mention = { "m.mentions": { user_ids: [bob, alice] } };
const sounds = { notify: true, highlight: false, sound: "default" };

// For each predefined rule an event that meets it, and one that only nearly does and falls to another or to none.
const defaultRows: DefaultRow[] = [
  { rule: ".m.rule.suppress_notices", event: event("m.room.message", { msgtype: "m.notice", ...mention }) },
  {
    rule: ".m.rule.message",
    event: event("m.room.message", { msgtype: "m.notices" }),
    is: { notify: true, highlight: false },
  },
  {
    rule: ".m.rule.invite_for_me",
    event: event("m.room.member", { membership: "invite" }, { state_key: alice }),
    is: sounds,
  },
  { rule: ".m.rule.member_event", event: event("m.room.member", { membership: "invite" }, { state_key: "@carol:b" }) },
  { rule: ".m.rule.member_event", event: event("m.room.member", { membership: "join" }, { state_key: alice }) },
  {
    rule: ".m.rule.is_user_mention",
    event: text("hi", mention),
    is: { notify: true, highlight: true, sound: "default" },
  },
  { rule: ".m.rule.message", event: text("hi", { "m.mentions": { user_ids: ["@ALICE:example.org", 1, {}] } }) },
  { rule: ".m.rule.message", event: text("hi", { "m.mentions": { user_ids: alice } }) },
  { rule: ".m.rule.is_user_mention", event: event("org.example.any", mention), is: { highlight: true } },
  {
    rule: ".m.rule.is_room_mention",
    event: text("hi", { "m.mentions": { room: true } }),
    is: { notify: true, highlight: true },
  },
  { rule: ".m.rule.message", event: text("hi", { "m.mentions": { room: "true" } }) },
  { rule: ".m.rule.message", event: { ...text("hi", { "m.mentions": { room: true } }), sender: "@carol:example.org" } },
  {
    rule: ".m.rule.tombstone",
    event: event("m.room.tombstone", {}, { state_key: "" }),
    is: { notify: true, highlight: true },
  },
  { rule: "none", event: event("m.room.tombstone", {}) },
  { rule: ".m.rule.reaction", event: event("m.reaction") },
  { rule: ".m.rule.room.server_acl", event: event("m.room.server_acl", {}, { state_key: "" }) },
  { rule: "none", event: event("m.room.server_acl", {}, { state_key: "x" }) },
  { rule: ".m.rule.suppress_edits", event: text("* hi", { "m.relates_to": { rel_type: "m.replace" } }) },
  { rule: ".m.rule.message", event: text("hi", { "m.relates_to": { rel_type: "m.thread" } }) },
  { rule: ".m.rule.call", event: event("m.call.invite"), is: { notify: true, sound: "ring" } },
  { rule: "none", event: event("m.call.hangup") },
  { rule: ".m.rule.encrypted_room_one_to_one", event: event("m.room.encrypted"), room: pair, is: sounds },
  { rule: ".m.rule.encrypted", event: event("m.room.encrypted"), is: { notify: true, highlight: false } },
  { rule: ".m.rule.room_one_to_one", event: text("hi"), room: pair, is: sounds },
  { rule: ".m.rule.message", event: text("hi"), is: { notify: true, highlight: false } },
  { rule: `${POLL_RULE}_response`, event: event(`${POLL}.response`) },
  { rule: `${POLL_RULE}_start`, event: event(`${POLL}.start`), is: { notify: true, highlight: false } },
  { rule: `${POLL_RULE}_start_one_to_one`, event: event(`${POLL}.start`), room: pair, is: sounds },
  { rule: `${POLL_RULE}_end`, event: event(`${POLL}.end`), is: { notify: true, highlight: false } },
  { rule: `${POLL_RULE}_end_one_to_one`, event: event(`${POLL}.end`), room: pair, is: sounds },
  { rule: "none", event: event("m.room.topic", { topic: "t" }, { state_key: "" }) },
];

for (const row of defaultRows) {
  test(`predefined: ${row.rule} decides on ${JSON.stringify(row.event.content)} of ${row.event.type}`, () => {
    const found = outcome(row.event, noChanges, row.room);
    assert.equal(found.ruleId ?? "none", row.rule);
    assert.partialDeepStrictEqual(found, row.is ?? (row.rule === ".m.rule.message" ? {} : { notify: false }));
  });
}

test("every predefined rule but the master has an event above that meets it", () => {
  const met = new Set(defaultRows.map((row) => row.rule));
  const rules = Object.values(defaultRules)
    .flat()
    .filter((rule) => !met.has(rule.rule_id));
  assert.deepEqual(
    rules.map((rule) => rule.rule_id),
    [".m.rule.master"],
  );
});

test("the master rule, switched on, silences even the user's own rules", () => {
  const changes: RuleChanges = {
    ...ownRule("override", { conditions: [] }),
    predefined: { ".m.rule.master": { enabled: true } },
  };
  assert.equal(outcome(text("hi"), changes).ruleId, ".m.rule.master");
  assert.equal(outcome(text("hi"), { ...changes, predefined: {} }).ruleId, "own");
});

test("the user's own events never notify", () => {
  assert.equal(outcome({ ...text("hi"), sender: alice }, ownRule("override", { conditions: [] })).notify, false);
});

test("a predefined rule that the user changed has its new actions and its new switch", () => {
  const actions = [{ set_tweak: "sound", value: "bing" }, "notify"] satisfies PushRule["actions"];
  const louder = { own: {}, predefined: { ".m.rule.message": { actions } } };
  assert.partialDeepStrictEqual(outcome(text("hi"), louder), { notify: true, sound: "bing", highlight: false });
  const off = { own: {}, predefined: { ".m.rule.message": { enabled: false } } };
  assert.equal(outcome(text("hi"), off).notify, false);
});

type ConditionRow = { condition: Condition; meets: RawEvent[]; misses: RawEvent[]; room?: PushRoom };

const topic = (value: unknown) => event("m.room.topic", { topic: value }, { state_key: "" });
const federate = (value: unknown) => event("m.room.create", { "m.federate": value });
const aliases = (value: unknown) => event("m.room.canonical_alias", { alt_aliases: value });
const count = (is: string): Condition => ({ kind: "room_member_count", is });
const match = (key: string, pattern: string): Condition => ({ kind: "event_match", key, pattern });
const property = (key: string, value: Condition["value"]): Condition => ({ kind: "event_property_is", key, value });
const nested = { "a.b": { "c\\d": "x" }, list: ["x"], "e\\f": "y" };

const conditionRows: ConditionRow[] = [
  // The examples of the specification, for each kind in its order.
  {
    condition: match("content.topic", "lunc?*"),
    meets: [topic("Lunch plans"), topic("LUNCH")],
    misses: [topic(" lunch"), topic("lunc"), topic(null), event("m.room.topic")],
  },
  {
    condition: match("content.body", "ex*ple"),
    meets: [text("An example event."), text("exple"), text("An exciting triple-whammy")],
    misses: [text("An examplex event"), text("hexample"), text("ex_pl")],
  },
  { condition: match("content.topic", "*"), meets: [topic("")], misses: [topic(1), topic({}), event("m.room.topic")] },
  {
    condition: property(String.raw`content.m\.federate`, true),
    meets: [federate(true)],
    misses: [federate("true"), federate(1), event("m.room.create")],
  },
  {
    condition: property("content.topic", null),
    meets: [topic(null)],
    misses: [event("t"), topic(undefined), topic(0)],
  },
  { condition: property("content.topic", 0), meets: [topic(0)], misses: [topic("0"), topic(false), topic(null)] },
  { condition: property("content.topic", "Lunch"), meets: [topic("Lunch")], misses: [topic("lunch")] },
  { condition: property("content.topic", 1.5), meets: [], misses: [topic(1.5)] },
  { condition: property("content.topic", 2 ** 53), meets: [], misses: [topic(2 ** 53)] },
  {
    condition: { kind: "event_property_contains", key: "content.alt_aliases", value: "#myroom:example.com" },
    meets: [aliases(["#somewhere:example.org", "#myroom:example.com"])],
    misses: [
      aliases([":example.com"]),
      aliases("#myroom:example.com"),
      aliases([["#myroom:example.com"]]),
      aliases([]),
    ],
  },
  {
    condition: { kind: "event_property_contains", key: "content.alt_aliases", value: null },
    meets: [aliases([null])],
    misses: [aliases([0, false, ""]), event("x")],
  },
  {
    condition: { kind: "contains_display_name" },
    meets: [text("ALICE (SHE)!"), text("hi alice (she) and bob")],
    misses: [text("malice (she)"), text("alice"), event("m.room.message", { body: 1 })],
  },
  {
    condition: { kind: "contains_display_name" },
    meets: [],
    misses: [text("")],
    room: { ...room, displayNameOf: () => "" },
  },
  { condition: count("3"), meets: [text("")], misses: [] },
  { condition: count("==3"), meets: [text("")], misses: [] },
  { condition: count("<3"), meets: [], misses: [text("")] },
  { condition: count("<=3"), meets: [text("")], misses: [] },
  { condition: count(">2"), meets: [text("")], misses: [] },
  { condition: count(">=4"), meets: [], misses: [text("")] },
  { condition: count("= 3"), meets: [], misses: [text("")] },
  { condition: count("3.0"), meets: [], misses: [text("")] },
  {
    condition: { kind: "sender_notification_permission", key: "room" },
    meets: [text("")],
    misses: [{ ...text(""), sender: "@carol:example.org" }],
  },
  {
    condition: { kind: "sender_notification_permission", key: "room" },
    meets: [],
    misses: [text("")],
    room: { ...room, notificationLevels: { room: 51 } },
  },
  {
    condition: { kind: "sender_notification_permission", key: "other" },
    meets: [{ ...text(""), sender: "@carol:example.org" }],
    misses: [],
    room: { ...room, notificationLevels: { other: 0, room: 51 } },
  },
  // Paths: escapes, and nothing but own properties of objects.
  { condition: match(String.raw`content.a\.b.c\\d`, "x"), meets: [event("t", nested)], misses: [event("t", {})] },
  { condition: match(String.raw`content.e\f`, "y"), meets: [event("t", nested)], misses: [event("t", {})] },
  { condition: match("content.a.b.c", "*"), meets: [], misses: [event("t", nested)] },
  { condition: match("content.list.0", "x"), meets: [], misses: [event("t", nested)] },
  { condition: property("content.__proto__.__proto__", null), meets: [], misses: [event("t", nested)] },
  { condition: match("content.list.length", "*"), meets: [], misses: [event("t", nested)] },
  // The type knows no case, and may be a pattern.
  { condition: match("type", "M.Room.MESSAGE"), meets: [text("")], misses: [event("m.room.messages")] },
  { condition: match("type", "m.room.*"), meets: [text(""), topic("")], misses: [event("m.call.invite")] },
  { condition: match("room_id", roomId), meets: [text("")], misses: [{ ...text(""), room_id: "!other:b" }] },
  // What nobody knows, or what lacks a field, never matches.
  { condition: { kind: "org.example.unknown" }, meets: [], misses: [text("")] },
  { condition: { kind: "constructor" }, meets: [], misses: [text("")] },
  { condition: { kind: "event_match", key: "type" }, meets: [], misses: [text("")] },
  { condition: { kind: "event_match", pattern: "*" }, meets: [], misses: [text("")] },
  { condition: { kind: "event_property_is", key: "state_key" }, meets: [], misses: [text("")] },
  { condition: { kind: "event_property_contains", value: "x" }, meets: [], misses: [text("")] },
  { condition: { kind: "sender_notification_permission" }, meets: [], misses: [text("")] },
];

for (const { condition, meets, misses, room: where } of conditionRows) {
  const changes = ownRule("override", { conditions: [condition] });
  test(`condition ${JSON.stringify(condition)}`, () => {
    for (const each of meets) assert.equal(outcome(each, changes, where).ruleId, "own", JSON.stringify(each));
    for (const each of misses) assert.notEqual(outcome(each, changes, where).ruleId, "own", JSON.stringify(each));
  });
}

test("all conditions of a rule must hold, and none at all always do", () => {
  const both = [match("type", "m.room.message"), match("content.body", "tea")];
  assert.equal(outcome(text("tea"), ownRule("override", { conditions: both })).ruleId, "own");
  assert.notEqual(outcome(text("time"), ownRule("override", { conditions: both })).ruleId, "own");
  assert.notEqual(outcome(topic("tea"), ownRule("override", { conditions: both })).ruleId, "own");
  assert.equal(outcome(topic("tea"), ownRule("underride", { conditions: [] })).ruleId, "own");
  assert.equal(outcome(topic("tea"), ownRule("underride", {})).ruleId, "own");
});

test("override goes before content, room, sender and underride; a disabled rule never matches", () => {
  const ids: Record<RuleKind, string> = {
    override: "o",
    content: "c",
    room: roomId,
    sender: bob,
    underride: "u",
  };
  const kinds: RuleKind[] = ["override", "content", "room", "sender", "underride"];
  for (let first = 0; first < kinds.length; first++) {
    const own = Object.fromEntries(
      kinds.map((kind, at): [RuleKind, PushRule[]] => [
        kind,
        [{ rule_id: ids[kind], default: false, enabled: at >= first, actions: ["notify"], pattern: "tea" }],
      ]),
    );
    const expected = ids[kinds[first] as RuleKind];
    assert.equal(outcome(text("It's time for tea"), { own, predefined: {} }).ruleId, expected);
  }
});

test("the first rule of a kind that matches decides, whatever type each demands", () => {
  const rules = (order: string[]): RuleChanges => ({
    own: {
      override: order.map((each) => ({ ...made[each], rule_id: each, default: false, enabled: true, actions: [] })),
    },
    predefined: {},
  });
  const made: Record<string, { conditions: Condition[] }> = {
    typed: { conditions: [match("type", "m.room.message")] },
    open: { conditions: [match("content.body", "tea")] },
  };
  assert.equal(outcome(text("tea"), rules(["typed", "open"])).ruleId, "typed");
  assert.equal(outcome(text("tea"), rules(["open", "typed"])).ruleId, "open");
  assert.equal(outcome(event("m.sticker", { body: "tea" }), rules(["typed", "open"])).ruleId, "open");
});

test("a room rule and a sender rule match their id and nothing like it", () => {
  assert.equal(outcome(text("x"), ownRule("room", { rule_id: roomId })).ruleId, roomId);
  assert.equal(outcome(text("x"), ownRule("room", { rule_id: "!ROOM:example.org" })).ruleId, ".m.rule.message");
  assert.equal(outcome(text("x"), ownRule("sender", { rule_id: bob })).ruleId, bob);
  assert.equal(outcome(text("x"), ownRule("sender", { rule_id: "@*" })).ruleId, ".m.rule.message");
});

test("a content rule without a pattern never matches", () => {
  assert.equal(outcome(text("x"), ownRule("content", {})).ruleId, ".m.rule.message");
});

test("the user of the predefined rules is not a word that a user's own rule may use", () => {
  const changes = ownRule("override", { conditions: [match("state_key", "[the user's Matrix ID]")] });
  assert.notEqual(outcome(event("x", {}, { state_key: alice }), changes).ruleId, "own");
});

test("actions: tweaks without notify do nothing; highlight without a value is true", () => {
  const run = (actions: PushRule["actions"]) => outcome(text("x"), ownRule("override", { actions }));
  const highlight = { set_tweak: "highlight" };
  assert.partialDeepStrictEqual(run([highlight]), { notify: false, highlight: false });
  assert.partialDeepStrictEqual(run(["notify", highlight]), { notify: true, highlight: true });
  assert.partialDeepStrictEqual(run(["notify", { ...highlight, value: false }]), { notify: true, highlight: false });
  assert.equal(run(["notify"]).sound, undefined);
  const flash = run(["notify", { set_tweak: "flash", value: { ms: 5 } }]);
  assert.deepEqual(flash.tweaks, { flash: { ms: 5 } });
});

test("one prepared event serves any number of users, each with their own rules", () => {
  const prepared = prepareEvent(text("tea for @all", mention), room);
  const keyword = compileRuleset(ownRule("content", { pattern: "TEA" }), "@carol:example.org");
  assert.equal(keyword(prepared).ruleId, "own");
  assert.equal(compileRuleset(noChanges, alice)(prepared).ruleId, ".m.rule.is_user_mention");
  assert.equal(compileRuleset(noChanges, "@dave:example.org")(prepared).ruleId, ".m.rule.message");
});

// The filing by type is an optimisation; this is the text without it: the merged ruleset from top to bottom.
test("a compiled ruleset decides as the merged ruleset does, rule by rule", () => {
  const condition = fc.oneof(
    fc.constantFrom(match("type", "m.a"), match("type", "M.B"), match("type", "m.*"), match("content.body", "t?a")),
    fc.constantFrom(count("3"), count("2"), property("content.n", 1), { kind: "unknown" }),
  );
  const rule = fc.record({
    conditions: fc.array(condition, { maxLength: 3 }),
    enabled: fc.boolean(),
    pattern: fc.constantFrom("tea", "t*", "x"),
  });
  const rules = fc.array(rule, { maxLength: 6 });
  const events = fc.record({
    type: fc.constantFrom("m.a", "m.b", "m.room.message", "x"),
    content: fc.record({ body: fc.constantFrom("tea", "time for TEA", ""), n: fc.constantFrom(1, 2) }),
  });
  fc.assert(
    fc.property(fc.tuple(rules, rules, rules), fc.boolean(), events, ([override, content, underride], master, made) => {
      const own = (kind: string, list: typeof override) =>
        list.map((each, at) => ({ ...each, rule_id: `${kind}${at}`, default: false, actions: [] }));
      const changes: RuleChanges = {
        own: { override: own("o", override), content: own("c", content), underride: own("u", underride) },
        predefined: { ".m.rule.master": { enabled: master } },
      };
      const raw = event(made.type, made.content);
      assert.equal(outcome(raw, changes).ruleId, firstOf(mergeRules(changes, alice), raw));
    }),
  );
});

function firstOf(ruleset: Record<RuleKind, PushRule[]>, raw: RawEvent): string | undefined {
  for (const kind of ["override", "content", "underride"] as const) {
    for (const rule of ruleset[kind]) {
      if (!rule.enabled) continue;
      const alone = kind === "content" ? [match("content.body", rule.pattern ?? "")] : rule.conditions;
      const single = { rule_id: "own", default: false, enabled: true, actions: [], conditions: [] };
      const holds = (each: Condition) =>
        outcome(raw, { own: { override: [{ ...single, conditions: [each] }] }, predefined: {} }).ruleId === "own";
      if ((alone ?? []).every(holds)) return rule.rule_id;
    }
  }
  return undefined;
}
