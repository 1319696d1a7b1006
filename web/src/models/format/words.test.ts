import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, progress } from "./size.ts";
import { ago, dayLabel } from "./time.ts";
import { initials, names } from "./words.ts";

test("names are joined as a sentence and cut at the limit", () => {
  assert.equal(names(["Ana"]), "Ana");
  assert.equal(names(["Ana", "Kenji"]), "Ana and Kenji");
  assert.equal(names(["Ana", "Kenji", "Tom", "Mara", "Eve"]), "Ana, Kenji, Tom and 2 others");
});

test("initials are the first letters of the first and the last word", () => {
  assert.equal(initials("Ana Duarte"), "AD");
  assert.equal(initials("@deploy-bot"), "D");
  assert.equal(initials(""), "?");
});

test("sizes are in thousands, and progress is in the unit of the whole", () => {
  assert.equal(bytes(940), "940 B");
  assert.equal(bytes(1_800_000), "1.8 MB");
  assert.equal(progress(1_100_000, 1_800_000), "1.1 of 1.8 MB");
});

test("a day is named from where the reader stands", () => {
  const now = new Date(2026, 4, 6, 10).getTime();
  assert.equal(dayLabel(new Date(2026, 4, 6, 1).getTime(), now), "Today");
  assert.equal(dayLabel(new Date(2026, 4, 5, 23).getTime(), now), "Yesterday");
  assert.match(dayLabel(new Date(2025, 4, 5).getTime(), now), /2025/);
  assert.equal(ago(now - 125_000, now), "2 min ago");
});
