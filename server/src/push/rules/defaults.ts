// The predefined push rules, word for word and in the order of the specification, and below those of each kind the ones for polls.
// Specification: client-server-api, push module, "Predefined Rules" (v1.19; the rules that looked for mentions in the
// body were removed in v1.17). Polls are MSC3381 and their rules MSC3930, by the names that clients have for both until they are in the
// specification: without them nobody hears of a poll in a room that is not encrypted.

import type { Action, Condition, PushRule, Ruleset } from "./ruleset.ts";

/** Stands in the table for the user whose rules they are, as it does in the specification. */
export const ownUserId = "[the user's Matrix ID]";

/** The rule that stands above even the user's own; all the other predefined ones stand below those. */
export const masterRuleId = ".m.rule.master";

const soundDefault: Action = { set_tweak: "sound", value: "default" };
const highlight: Action = { set_tweak: "highlight" };

const eventMatch = (key: string, pattern: string): Condition => ({ kind: "event_match", key, pattern });
const twoMembers: Condition = { kind: "room_member_count", is: "2" };

const POLL_RULE = ".org.matrix.msc3930.rule.poll";
const ofPoll = (what: string): Condition => eventMatch("type", `org.matrix.msc3381.poll.${what}`);

/** The predefined rules of every user; `ownUserId` stands where the user's id belongs. */
export const defaultRules: Ruleset = {
  override: [
    { ...rule(masterRuleId, [], []), enabled: false },
    rule(".m.rule.suppress_notices", [eventMatch("content.msgtype", "m.notice")], []),
    rule(
      ".m.rule.invite_for_me",
      [
        eventMatch("type", "m.room.member"),
        eventMatch("content.membership", "invite"),
        eventMatch("state_key", ownUserId),
      ],
      ["notify", soundDefault],
    ),
    rule(".m.rule.member_event", [eventMatch("type", "m.room.member")], []),
    rule(
      ".m.rule.is_user_mention",
      [{ kind: "event_property_contains", key: String.raw`content.m\.mentions.user_ids`, value: ownUserId }],
      ["notify", soundDefault, highlight],
    ),
    rule(
      ".m.rule.is_room_mention",
      [
        { kind: "event_property_is", key: String.raw`content.m\.mentions.room`, value: true },
        { kind: "sender_notification_permission", key: "room" },
      ],
      ["notify", highlight],
    ),
    rule(
      ".m.rule.tombstone",
      [eventMatch("type", "m.room.tombstone"), eventMatch("state_key", "")],
      ["notify", highlight],
    ),
    rule(".m.rule.reaction", [eventMatch("type", "m.reaction")], []),
    rule(".m.rule.room.server_acl", [eventMatch("type", "m.room.server_acl"), eventMatch("state_key", "")], []),
    rule(
      ".m.rule.suppress_edits",
      [{ kind: "event_property_is", key: String.raw`content.m\.relates_to.rel_type`, value: "m.replace" }],
      [],
    ),
    rule(`${POLL_RULE}_response`, [ofPoll("response")], []),
  ],
  content: [],
  room: [],
  sender: [],
  underride: [
    rule(".m.rule.call", [eventMatch("type", "m.call.invite")], ["notify", { set_tweak: "sound", value: "ring" }]),
    rule(
      ".m.rule.encrypted_room_one_to_one",
      [twoMembers, eventMatch("type", "m.room.encrypted")],
      ["notify", soundDefault],
    ),
    rule(".m.rule.room_one_to_one", [twoMembers, eventMatch("type", "m.room.message")], ["notify", soundDefault]),
    rule(".m.rule.message", [eventMatch("type", "m.room.message")], ["notify"]),
    rule(".m.rule.encrypted", [eventMatch("type", "m.room.encrypted")], ["notify"]),
    rule(`${POLL_RULE}_start_one_to_one`, [twoMembers, ofPoll("start")], ["notify", soundDefault]),
    rule(`${POLL_RULE}_start`, [ofPoll("start")], ["notify"]),
    rule(`${POLL_RULE}_end_one_to_one`, [twoMembers, ofPoll("end")], ["notify", soundDefault]),
    rule(`${POLL_RULE}_end`, [ofPoll("end")], ["notify"]),
  ],
};

function rule(ruleId: string, conditions: Condition[], actions: Action[]): PushRule {
  return { rule_id: ruleId, default: true, enabled: true, conditions, actions };
}
