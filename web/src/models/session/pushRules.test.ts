import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { IPushRules, MatrixClient } from "matrix-js-sdk";
import { keywordsOf, setSwitch, switchesOf } from "./pushRules.ts";

const rule = (rule_id: string, enabled = true, extra: object = {}) => ({
  rule_id,
  enabled,
  default: true,
  actions: [],
  ...extra,
});

function rulesWith(disabled: string[] = []): IPushRules {
  const on = (rule_id: string) => rule(rule_id, !disabled.includes(rule_id));
  return {
    global: {
      override: [
        rule(".m.rule.master", disabled.includes("silence")),
        on(".m.rule.is_user_mention"),
        on(".m.rule.invite_for_me"),
      ],
      content: [
        rule("release", true, { default: false, pattern: "release" }),
        rule(".m.rule.contains_user_name", true, { pattern: "ana" }),
      ],
      underride: [on(".m.rule.message"), on(".m.rule.encrypted"), on(".m.rule.room_one_to_one")],
    },
  };
}

const isOn = (rules: IPushRules, id: string) => switchesOf(rules).find((each) => each.id === id)?.on;

describe("push rules as switches", () => {
  it("turn the master rule round: it silences when it is enabled", () => {
    assert.equal(isOn(rulesWith(), "everything"), true);
    assert.equal(isOn(rulesWith(["silence"]), "everything"), false);
  });

  it("are on only when each of their rules is", () => {
    assert.equal(isOn(rulesWith(), "channels"), true);
    assert.equal(isOn(rulesWith([".m.rule.encrypted"]), "channels"), false);
  });

  it("leave out what the server does not know", () => {
    assert.equal(isOn(rulesWith(), "everyone"), undefined);
  });

  it("show the words that the person chose, and not the server's own", () => {
    assert.deepEqual(keywordsOf(rulesWith()), ["release"]);
  });

  it("write to the rules that are there, and to no other", async () => {
    const written: [string, boolean][] = [];
    const client = {
      getPushRules: async () => rulesWith(),
      setPushRuleEnabled: async (...[, , ruleId, enabled]: [string, string, string, boolean]) => {
        written.push([ruleId, enabled]);
        return {};
      },
    } as unknown as MatrixClient;
    await setSwitch(client, "direct", false);
    await setSwitch(client, "everything", true);
    assert.deepEqual(written, [
      [".m.rule.room_one_to_one", false],
      [".m.rule.master", false],
    ]);
  });
});
