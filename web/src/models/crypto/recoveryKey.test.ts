import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeRecoveryKey } from "matrix-js-sdk/lib/crypto-api/recovery-key.js";
import { groupsOf, type KeyBytes, matchesGroups, mistypedGroup, readRecoveryKey } from "./recoveryKey.ts";

const BYTES: KeyBytes = Uint8Array.from({ length: 32 }, (_, index) => (index * 7 + 11) % 256);
const KEY = encodeRecoveryKey(BYTES) ?? "";
const isRight = async (key: KeyBytes) => key.every((byte, index) => byte === BYTES[index]);

/** The key with the character at `place` (spaces not counted) replaced by another of the alphabet. */
function withMistake(place: number, character?: string): string {
  const bare = KEY.replaceAll(" ", "");
  const wrong = character ?? (bare[place] === "7" ? "8" : "7");
  return bare.slice(0, place) + wrong + bare.slice(place + 1);
}

describe("reading a recovery key", () => {
  it("takes the key as it is shown", () => {
    const reading = readRecoveryKey(KEY);
    assert.equal(reading.kind, "complete");
    assert.deepEqual(reading.kind === "complete" && reading.key, BYTES);
  });

  it("ignores spaces, dashes of every kind and line ends", () => {
    const typed = `  ${KEY.replaceAll(" ", "-").replace("-", "–").replace("-", "\n")} `;
    assert.equal(readRecoveryKey(typed).kind, "complete");
  });

  it("says how many groups are complete while the key is being typed", () => {
    assert.deepEqual(readRecoveryKey(""), { kind: "empty" });
    assert.deepEqual(readRecoveryKey("E"), { kind: "incomplete", groups: 0 });
    assert.deepEqual(readRecoveryKey(groupsOf(KEY).slice(0, 5).join(" ")), { kind: "incomplete", groups: 5 });
  });

  it("names the group of a character that no key has", () => {
    assert.deepEqual(readRecoveryKey(withMistake(9, "ö")), { kind: "badCharacter", group: 3, character: "ö" });
    assert.deepEqual(readRecoveryKey("Es!"), { kind: "badCharacter", group: 1, character: "!" });
  });

  it("reads the four look-alikes that base58 leaves out as the characters that were meant", () => {
    const place = KEY.replaceAll(" ", "").indexOf("L");
    assert.notEqual(place, -1, "the test's key has an L");
    assert.equal(readRecoveryKey(withMistake(place, "l")).kind, "complete");
  });

  it("knows that a key of another kind is none from its first characters", () => {
    assert.deepEqual(readRecoveryKey("5Kb8kLf9"), { kind: "badBeginning" });
  });

  it("says so when the case of the letters was lost", () => {
    assert.deepEqual(readRecoveryKey(KEY.toLowerCase()), { kind: "oneCase" });
    assert.deepEqual(readRecoveryKey(KEY.toUpperCase()), { kind: "oneCase" });
  });

  it("says how much too long a key is", () => {
    assert.deepEqual(readRecoveryKey(`${KEY}ab`), { kind: "tooLong", extra: 2 });
  });

  it("sees every mistake in one character but for one in 256", () => {
    const unnoticed = Array.from({ length: 46 }, (_, index) => readRecoveryKey(withMistake(index + 2)).kind).filter(
      (kind) => kind !== "mistyped",
    );
    assert.ok(unnoticed.length <= 2, `${unnoticed.length} of 46 mistakes went unnoticed`);
  });
});

describe("finding the mistyped group", () => {
  it("names the group of one wrong character, wherever it is", async () => {
    for (const place of [2, 8, 21, 33, 47]) {
      assert.equal(await mistypedGroup(withMistake(place), isRight), Math.floor(place / 4) + 1);
    }
  });

  it("names the group of two neighbours that changed places", async () => {
    const bare = KEY.replaceAll(" ", "");
    const place = Array.from(bare).findIndex((character, index) => index >= 12 && character !== bare[index + 1]);
    const swapped = bare.slice(0, place) + bare[place + 1] + bare[place] + bare.slice(place + 2);
    assert.equal(await mistypedGroup(swapped, isRight), Math.floor(place / 4) + 1);
  });

  it("names none when two groups are wrong", async () => {
    const twice = withMistake(9);
    const wrong = twice.slice(0, 30) + (twice[30] === "9" ? "A" : "9") + twice.slice(31);
    assert.equal(await mistypedGroup(wrong, isRight), null);
  });

  it("asks about a few candidates only", async () => {
    let asked = 0;
    const count = async (_key: KeyBytes) => {
      asked++;
      return false;
    };
    await mistypedGroup(withMistake(20), count);
    assert.ok(asked < 60, `asked ${asked} times`);
  });
});

describe("checking that a key was saved", () => {
  it("takes the groups asked for, or the whole key, and nothing else", () => {
    const groups = groupsOf(KEY);
    assert.equal(groups.length, 12);
    assert.ok(matchesGroups(KEY, [3, 9], `${groups[2]} ${groups[8]}`));
    assert.ok(matchesGroups(KEY, [3, 9], `${groups[2]}-${groups[8]}\n`));
    assert.ok(matchesGroups(KEY, [3, 9], KEY));
    assert.ok(!matchesGroups(KEY, [3, 9], `${groups[8]} ${groups[2]}`));
    assert.ok(!matchesGroups(KEY, [3, 9], ""));
  });
});
