/** Each check of the harness finds what it is for: one history that is right, and one for each way to be wrong. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Found } from "../src/clients.ts";
import { isClean, judge, type Seen, type Verdict } from "../src/judge.ts";

/** One writer, three messages, the second answered twice, and a reader who has seen all of them. */
function history(): Seen & { sent: { answers: string[] }[]; found: Found[] } {
  const ids = ["$0", "$1", "$2"];
  return {
    sent: ids.map((id, number) => ({
      writer: "w",
      key: `w-${number}`,
      number,
      answers: number === 1 ? [id, id] : [id],
    })),
    found: ids.map((eventId, number) => ({ eventId, key: `w-${number}`, ts: 0 })),
    received: [ids],
  };
}

test("a history without fault is clean", () => {
  const verdict = judge(history());
  assert.equal(verdict.acknowledged, 3);
  assert.ok(isClean(verdict), JSON.stringify(verdict));
});

type Check = Exclude<keyof Verdict, "acknowledged">;

const wrong: [what: string, check: Check, change: (seen: ReturnType<typeof history>) => Seen][] = [
  ["an acknowledged message that is not there", "lost", (seen) => ({ ...seen, found: seen.found.slice(0, 2) })],
  [
    "a message that is there twice",
    "doubled",
    (seen) => ({ ...seen, found: [...seen.found, { eventId: "$9", key: "w-1", ts: 0 }] }),
  ],
  [
    "a retry that got another answer",
    "doubled",
    (seen) => {
      seen.sent[1]?.answers.push("$9");
      return seen;
    },
  ],
  [
    "a message before one that was acknowledged earlier",
    "reordered",
    (seen) => ({ ...seen, found: seen.found.toReversed() }),
  ],
  ["a reader who did not get a message", "misread", (seen) => ({ ...seen, received: [["$0", "$2"]] })],
  ["a reader who got a message twice", "misread", (seen) => ({ ...seen, received: [["$0", "$1", "$1", "$2"]] })],
  ["a reader who got messages in another order", "misread", (seen) => ({ ...seen, received: [["$0", "$2", "$1"]] })],
  [
    "a reader who got what is not in the room",
    "misread",
    (seen) => ({ ...seen, received: [["$0", "$1", "$2", "$9"]] }),
  ],
];

for (const [what, check, change] of wrong)
  test(`${what} is found as ${check}`, () => {
    const verdict = judge(change(history()));
    assert.notDeepEqual(verdict[check], []);
    assert.ok(!isClean(verdict));
  });
