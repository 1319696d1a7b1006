/** Policies as the settings say them, and the language in which somebody is shown them. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { StartError } from "../../errors.ts";
import { readTerms } from "./config.ts";
import { inLanguage, readLanguages } from "./policies.ts";

const there = (url: string) => ({ name: "Terms", url });
const read = (terms: unknown) => readTerms({ PARLEY_TERMS: JSON.stringify(terms) });

test("by default there are none, and what is set may stand in a file", () => {
  assert.deepEqual(readTerms({}), []);
  const folder = mkdtempSync(join(tmpdir(), "parley-terms-"));
  try {
    const file = join(folder, "terms.json");
    writeFileSync(file, JSON.stringify({ terms: { version: "1", en: there("https://example.org/") } }));
    const [policy] = readTerms({ PARLEY_TERMS: pathToFileURL(file).href });
    assert.deepEqual(policy, { id: "terms", version: "1", translations: { en: there("https://example.org/") } });
  } finally {
    rmSync(folder, { recursive: true });
  }
  assert.throws(() => readTerms({ PARLEY_TERMS: "file:///nowhere/terms.json" }), StartError);
});

test("what is wrong stops the start, and says where", () => {
  const right = there("https://example.org/");
  const wrong: [terms: unknown, why: RegExp][] = [
    [[], /PARLEY_TERMS .* it is not right/],
    [{ terms: { en: right } }, /terms, version/],
    [{ terms: { version: 2, en: right } }, /terms, version/],
    [{ "the terms": { version: "1", en: right } }, /the terms/],
    [{ terms: { version: "1" } }, /terms has no language/],
    [{ terms: { version: "1", "for all": right } }, /"for all", which is no language/],
    [{ terms: { version: "1", en: { name: "Terms" } } }, /terms, en, url/],
    [{ terms: { version: "1", en: there("javascript:alert(1)") } }, /is an https:\/\/ address/],
    [{ terms: { version: "1", en: there("example.org/terms") } }, /is an https:\/\/ address/],
    [{ terms: { version: "1", en: { ...right, text: "…" } } }, /terms, en/],
  ];
  for (const [terms, why] of wrong) assert.throws(() => read(terms), why, JSON.stringify(terms));
  assert.throws(() => readTerms({ PARLEY_TERMS: "{" }), StartError);
});

test("a policy is shown in the dearest language that it is there in, else in English, else in any", () => {
  const urls = { "pt-BR": there("https://e.org/pt"), en: there("https://e.org/en"), de_CH: there("https://e.org/de") };
  const [all] = read({ terms: { version: "1", ...urls } });
  const [german] = read({ terms: { version: "1", de: there("https://e.org/de") } });
  const shown = (header: string | undefined, policy = all) =>
    policy && inLanguage(policy, readLanguages(header)).language;
  assert.equal(shown("pt"), "pt-BR");
  assert.equal(shown("PT-br"), "pt-BR");
  assert.equal(shown("fr, de-AT;q=0.5, pt;q=0.7"), "pt-BR");
  assert.equal(shown("pt;q=0, de-ch"), "de_CH");
  assert.equal(shown("*"), "en");
  assert.equal(shown(undefined), "en");
  assert.equal(shown("fr", german), "de");
});
