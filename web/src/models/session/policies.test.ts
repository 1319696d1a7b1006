import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { areAccepted, policiesOf, textOf } from "./policies.ts";

const EN = { name: "Terms", url: "https://example.org/en" };
const FR = { name: "Conditions", url: "https://example.org/fr" };

describe("the policies of a server", () => {
  it("are read with what can be linked to", () => {
    const [policy] = policiesOf({
      policies: { terms: { version: "1", en: EN, xx: { name: "X", url: "javascript:x" } } },
    });
    assert.deepEqual(policy, { id: "terms", version: "1", texts: { en: EN } });
    assert.deepEqual(policiesOf({ policies: {} }), []);
  });

  it("that can not be shown stop the registration", () => {
    const broken = [undefined, {}, { policies: { terms: { en: EN } } }, { policies: { terms: { version: "1" } } }];
    for (const params of broken) assert.throws(() => policiesOf(params), /can not be shown/, JSON.stringify(params));
  });

  it("are in the person's language where there is one", () => {
    const [policy] = policiesOf({ policies: { terms: { version: "1", fr: FR, en: EN } } });
    assert.ok(policy);
    assert.equal(textOf(policy, ["de", "fr-CA"]).name, "Conditions");
    assert.equal(textOf(policy, ["de"]).language, "en");
    const [french] = policiesOf({ policies: { terms: { version: "1", fr: FR } } });
    assert.ok(french);
    assert.equal(textOf(french, ["de"]).language, "fr");
  });

  it("are accepted by their version", () => {
    const policies = policiesOf({ policies: { terms: { version: "2", en: EN } } });
    assert.equal(areAccepted(policies, { terms: "2" }), true);
    assert.equal(areAccepted(policies, { terms: "1" }), false);
    assert.equal(areAccepted(policies, {}), false);
  });
});
