/**
 * A person's push rules as they are kept: what they changed, as account data of the type m.push_rules. Clients get the whole
 * ruleset instead, so that new predefined rules reach everybody. Specification: push module, "Push Rules: API".
 */
import { mergeRules, noChanges, type RuleChanges, ruleChangesSchema } from "./rules/ruleset.ts";

/** What the person changed, from the stored text; undefined where there is none. */
export function storedChanges(stored: string | undefined): RuleChanges {
  return stored === undefined ? noChanges : ruleChangesSchema.parse(JSON.parse(stored));
}

/** The JSON of the content of m.push_rules as clients get it. */
export function pushRulesContent(stored: string | undefined, userId: string): string {
  return JSON.stringify({ global: mergeRules(storedChanges(stored), userId) });
}
