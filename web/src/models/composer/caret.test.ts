import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptAt, insideFence, makeLink, queryAt, toggleMark, togglePrefix } from "./caret.ts";

const at = (text: string) => queryAt(text, text.length);

test("a sign asks for suggestions only at the beginning of a word", () => {
  assert.deepEqual(at("hi @an"), { sign: "@", term: "an", start: 3 });
  assert.deepEqual(at("@"), { sign: "@", term: "", start: 0 });
  assert.equal(at("mail me@x"), null);
  assert.deepEqual(at("(#gen"), { sign: "#", term: "gen", start: 1 });
});

test("a name of two words is found, and a sentence ends the search", () => {
  assert.equal(at("@Ana Du")?.term, "Ana Du");
  assert.equal(at("@Ana Du is"), null);
});

test("a smiley is not a search for emoji", () => {
  assert.equal(at("hello :"), null);
  assert.equal(at("hello :)"), null);
  assert.equal(at("hello :smi")?.term, "smi");
});

test("inside a code block nothing is suggested", () => {
  assert.equal(at("```\n@an"), null);
  assert.equal(insideFence("```\na\n```\n", 10), false);
});

test("accepting replaces the term and leaves the caret after one space", () => {
  const text = "hi @an, see";
  const query = queryAt(text, 6);
  assert.ok(query);
  assert.deepEqual(acceptAt(text, 6, { query, insert: "@Ana" }), { text: "hi @Ana , see", start: 8, end: 8 });
});

test("a mark is put around the selection and taken away again", () => {
  const bold = toggleMark({ text: "one two", start: 4, end: 7 }, "**");
  assert.deepEqual(bold, { text: "one **two**", start: 6, end: 9 });
  assert.deepEqual(toggleMark(bold, "**"), { text: "one two", start: 4, end: 7 });
});

test("a prefix goes before every line that is touched, and away again", () => {
  const quoted = togglePrefix({ text: "a\nb\nc", start: 2, end: 5 }, "> ");
  assert.equal(quoted.text, "a\n> b\n> c");
  assert.equal(togglePrefix(quoted, "> ").text, "a\nb\nc");
});

test("an address over a selection becomes a link", () => {
  assert.equal(makeLink({ text: "see docs", start: 4, end: 8 }, "https://a.b").text, "see [docs](https://a.b)");
});
