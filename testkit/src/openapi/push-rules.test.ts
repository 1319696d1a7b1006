// The predefined push rules stand in the specification's text as JSON; the server's table must be the same.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { defaultRules } from "../../../server/src/push/rules/defaults.ts";
import type { PushRule } from "../../../server/src/push/rules/ruleset.ts";
import { specOrSkip } from "./spec-dir.ts";

test("the predefined push rules are those of the specification, in its order", (t) => {
  const dir = specOrSkip(t);
  if (dir === undefined) return;
  const text = readFileSync(join(dir, "content/client-server-api/modules/push.md"), "utf8");
  const [, override = "", underride = ""] = text.split(/^##### Default \w+ Rules$/m);
  assert.deepEqual(specified(defaultRules.override), rulesIn(override));
  assert.deepEqual(specified(defaultRules.underride), rulesIn(underride));
  assert.deepEqual([defaultRules.content, defaultRules.room, defaultRules.sender], [[], [], []]);
  assert.equal(specified(defaultRules.override).length, 10);
});

/** Without those of proposals, whose names begin with another prefix and which stand below. */
function specified(rules: readonly PushRule[]): readonly PushRule[] {
  const first = rules.findIndex(({ rule_id }) => !rule_id.startsWith(".m.rule."));
  return first < 0 ? rules : rules.slice(0, first);
}

function rulesIn(section: string): unknown[] {
  const blocks = Array.from(section.matchAll(/```json\n([^]*?)```/g), ([, json = ""]) => JSON.parse(json) as object);
  return blocks.filter((block) => "rule_id" in block);
}
