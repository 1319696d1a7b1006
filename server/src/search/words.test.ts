import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../limits.ts";
import { vectorOf } from "./words.ts";

const ROOM = "!room:example.org";
/** It is no part of a word, and makes the text one that goes by the rules for every language. */
const NOT_ASCII = " ·";

test("what is nothing but ASCII has the words that it has by the rules for every language", () => {
  const texts = [
    "Don't e-mail O'Brien: x_y, 3.14, C++ & a\\b's \t\n\x7f\x01 100%",
    "",
    "...",
    "same SAME Same same same same",
    "a".repeat(limits.searchWord_characters + 5) + " b",
    "w ".repeat(limits.searchText_words + 5),
    `${" ".repeat(limits.searchText_characters - 2)}last word`,
    ...Array.from({ length: 128 }, (_, code) => `left${String.fromCharCode(code)}Right`),
  ];
  for (const text of texts) assert.equal(vectorOf(text, ROOM), vectorOf(text + NOT_ASCII, ROOM), JSON.stringify(text));
  assert.equal(vectorOf("Tea, tea!", ROOM), `'${ROOM}' 'tea':1A,2A`);
});
