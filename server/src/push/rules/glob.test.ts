import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { containsWords, globForWhole, globForWords } from "./glob.ts";
import { maxPattern_characters } from "./ruleset.ts";

const whole: [pattern: string, text: string, matches: boolean][] = [
  ["", "", true],
  ["", "a", false],
  ["*", "", true],
  ["**", "abc", true],
  ["?", "", false],
  ["?", "a", true],
  ["?", "🎂", true],
  ["?", "ab", false],
  ["a*c", "abbc", true],
  ["a*c", "abcd", false],
  ["*.org", "example.org", true],
  ["a*a", "a", false],
  ["ABC", "abc", true],
  ["[a-z].(b)", "[a-z].(b)", true],
  ["a.c", "abc", false],
  ["ÄÖ*", "äöü", true],
  ["a?b*?c", "axbyc", true],
  ["a?b*?c", "axbc", false],
  // Longer than one word of states.
  [`${"ab".repeat(50)}?*c`, `${"ab".repeat(50)}xyzc`, true],
  [`${"ab".repeat(50)}?*c`, `${"ab".repeat(49)}axyzc`, false],
];

for (const [pattern, text, matches] of whole) {
  test(`the whole of ${JSON.stringify(text)} ${matches ? "matches" : "does not match"} ${JSON.stringify(pattern)}`, () => {
    assert.equal(globForWhole(pattern)(text.toLowerCase()), matches);
  });
}

const inWords: [pattern: string, text: string, matches: boolean][] = [
  ["ex*ple", "An example event.", true],
  ["ex*ple", "exple", true],
  ["ex*ple", "An exciting triple-whammy", true],
  ["ex*ple", "An examples event", false],
  ["cake", "cakes", false],
  ["cake", "a_cake", false],
  ["cake", "(CAKE)", true],
  ["cake", "cheesecake cake", true],
  ["cake*lie", "cake is a lie", true],
  ["foo bar", "a foo bar b", true],
  ["foo bar", "a foo barb", false],
  ["é", "café", true],
  [":)", "hello :) there", true],
  ["@room", "hey @room!", true],
  ["t?a", "tea", true],
  ["*", "", true],
  ["x", "", false],
];

for (const [pattern, text, matches] of inWords) {
  test(`words of ${JSON.stringify(text)} ${matches ? "match" : "do not match"} ${JSON.stringify(pattern)}`, () => {
    assert.equal(globForWords(pattern)(text.toLowerCase()), matches);
  });
}

test("in a display name * and ? are themselves", () => {
  assert.equal(containsWords("hi a*c", "A*C"), true);
  assert.equal(containsWords("hi abc", "a*c"), false);
  assert.equal(containsWords("anna ann", "ann"), true);
  assert.equal(containsWords("anna", "ann"), false);
});

// Few letters, so that patterns overlap themselves; long enough for more than one word of states.
const letters = fc.constantFrom("a", "b", " ", "-", "_", "🎂");
const texts = fc.array(letters, { maxLength: 50 }).map((all) => all.join(""));
const patterns = fc
  .array(fc.oneof({ weight: 4, arbitrary: letters }, fc.constantFrom("*", "?")), { maxLength: 100, size: "max" })
  .map((all) => all.join(""));
// A text that the pattern matches, sometimes with something before and behind it.
const filled = fc.tuple(patterns, texts, texts).map(([pattern, run, around]) => ({
  pattern,
  text: around.slice(0, 2) + pattern.replaceAll("*", run.slice(0, 5)).replaceAll("?", "b") + around.slice(2, 4),
}));

test("a glob matches as the regular expression of the same meaning does", () => {
  const any = fc.record({ pattern: patterns, text: texts });
  fc.assert(
    fc.property(fc.oneof(any, filled), ({ pattern, text }) => {
      assert.equal(globForWhole(pattern)(text), new RegExp(`^${source(pattern)}$`, "su").test(text));
      const boundary = "(?:^|$|(?<![A-Za-z0-9_])|(?![A-Za-z0-9_]))";
      const searched = new RegExp(boundary + source(pattern) + boundary, "su");
      assert.equal(globForWords(pattern)(text), searched.test(text));
    }),
    { numRuns: 2_000 },
  );
});

test("no pattern is slow: the longest ones over the longest bodies take one pass", () => {
  const length = 65_536;
  const half = maxPattern_characters >> 1;
  const cases = [
    ["*a".repeat(half), `${"a".repeat(length)}b`],
    [`${"a*".repeat(half)}c`, `${"a".repeat(length)}c b`],
    [`${"?".repeat(maxPattern_characters - 1)}b`, `${"a".repeat(length)}b`],
    [`${"a ".repeat(half)}b`, `${"a ".repeat(length / 2)}bb`],
  ] as const;
  const started = performance.now();
  for (const [pattern, text] of cases) globForWords(pattern)(text);
  // A matcher that goes back takes minutes for the first of them; one pass takes a few milliseconds.
  assert.ok(performance.now() - started < 2_000, `took ${performance.now() - started} ms`);
});

function source(pattern: string): string {
  const escaped = pattern.replaceAll(/[\\^$.+()[\]{}|-]/g, String.raw`\$&`).replaceAll(String.raw`\-`, "[-]");
  return escaped.replaceAll("*", ".*").replaceAll("?", ".");
}
