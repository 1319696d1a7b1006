/**
 * What notifies a person, as switches over the push rules of the account (section "Push Rules").
 *
 * A switch stands for the predefined rules that together mean one thing to a person; it is on when all of them are.
 */
import type { IPushRules, MatrixClient } from "matrix-js-sdk";
import { type IPushRule, PushRuleActionName, PushRuleKind, TweakName } from "matrix-js-sdk/lib/@types/PushRules.js";

export type SwitchId = "everything" | "direct" | "channels" | "mentions" | "everyone" | "invites";

export interface PushSwitch {
  id: SwitchId;
  label: string;
  hint: string;
  on: boolean;
}

interface Definition {
  id: SwitchId;
  label: string;
  hint: string;
  kind: PushRuleKind;
  rules: string[];
  /** The rule silences when it is enabled. */
  inverted?: boolean;
}

const DEFINITIONS: Definition[] = [
  {
    id: "everything",
    label: "Notifications",
    hint: "Off silences everything, here and on your other devices.",
    kind: PushRuleKind.Override,
    rules: [".m.rule.master"],
    inverted: true,
  },
  {
    id: "direct",
    label: "Direct messages",
    hint: "Every message of a conversation between two.",
    kind: PushRuleKind.Underride,
    rules: [".m.rule.room_one_to_one", ".m.rule.encrypted_room_one_to_one"],
  },
  {
    id: "channels",
    label: "Channels",
    hint: "Every message of a room with more people.",
    kind: PushRuleKind.Underride,
    rules: [".m.rule.message", ".m.rule.encrypted"],
  },
  {
    id: "mentions",
    label: "Mentions of you",
    hint: "Messages that name you.",
    kind: PushRuleKind.Override,
    rules: [".m.rule.is_user_mention"],
  },
  {
    id: "everyone",
    label: "Mentions of the whole room",
    hint: "Messages with @room, by people who may write them.",
    kind: PushRuleKind.Override,
    rules: [".m.rule.is_room_mention"],
  },
  {
    id: "invites",
    label: "Invites",
    hint: "Somebody asks you into a room.",
    kind: PushRuleKind.Override,
    rules: [".m.rule.invite_for_me"],
  },
];

/** The switches for these rules; one whose rules the server does not have is left out. */
export function switchesOf(rules: IPushRules): PushSwitch[] {
  return DEFINITIONS.flatMap(({ id, label, hint, kind, rules: wanted, inverted = false }) => {
    const present = wanted.map((ruleId) => ruleOf(rules, kind, ruleId)).filter((rule) => rule !== undefined);
    if (present.length === 0) return [];
    return [{ id, label, hint, on: present.every((rule) => rule.enabled !== inverted) }];
  });
}

/** The words that a person is notified of wherever they are written. */
export function keywordsOf(rules: IPushRules): string[] {
  const own = (rules.global.content ?? []).filter((rule) => !rule.default && rule.pattern !== undefined);
  return own.map((rule) => rule.pattern ?? "");
}

/** Turns the rules of a switch on or off; those that the server does not have are passed over. */
export async function setSwitch(client: MatrixClient, id: SwitchId, on: boolean): Promise<IPushRules> {
  const definition = DEFINITIONS.find((each) => each.id === id);
  const rules = await client.getPushRules();
  for (const ruleId of definition?.rules ?? []) {
    const kind = definition?.kind ?? PushRuleKind.Override;
    if (!ruleOf(rules, kind, ruleId)) continue;
    await client.setPushRuleEnabled("global", kind, ruleId, on !== (definition?.inverted ?? false));
  }
  return client.getPushRules();
}

/** Notifies of a word from now on; the rule's id is the word. */
export async function addKeyword(client: MatrixClient, word: string): Promise<IPushRules> {
  const highlight = { set_tweak: TweakName.Highlight } as const;
  const actions = [PushRuleActionName.Notify, highlight];
  await client.addPushRule("global", PushRuleKind.ContentSpecific, word, { pattern: word, actions });
  return client.getPushRules();
}

export async function removeKeyword(client: MatrixClient, word: string): Promise<IPushRules> {
  await client.deletePushRule("global", PushRuleKind.ContentSpecific, word);
  return client.getPushRules();
}

function ruleOf(rules: IPushRules, kind: PushRuleKind, ruleId: string): IPushRule | undefined {
  return rules.global[kind]?.find((rule) => rule.rule_id === ruleId);
}
