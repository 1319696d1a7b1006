import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { authorise } from "./authorise.ts";
import { stateMap } from "./event.ts";
import type { RoomStateView } from "./event.ts";
import { creationRows } from "./table/creation.ts";
import { invitingRows } from "./table/inviting.ts";
import { joiningRows } from "./table/joining.ts";
import { levelsShapeRows } from "./table/levels-shape.ts";
import { levelsRows } from "./table/levels.ts";
import { redactionRows } from "./table/redaction.ts";
import { TABLED, proposed, stateOf } from "./table/scene.ts";
import type { Row } from "./table/scene.ts";
import { sendingRows } from "./table/sending.ts";
import type { RoomVersionId } from "./versions.ts";

const rows = [
  ...creationRows,
  ...joiningRows,
  ...invitingRows,
  ...sendingRows,
  ...levelsShapeRows,
  ...levelsRows,
  ...redactionRows,
];

function stateFor({ scene }: Row, version: RoomVersionId): RoomStateView {
  return scene === false ? stateMap() : stateOf({ version, ...scene });
}

for (const version of TABLED) {
  describe(`the authorisation rules of room version ${version}`, () => {
    for (const row of rows.filter(({ only }) => only === undefined || only === version)) {
      test(`rule ${row.rule} ${row.verdict}s: ${row.says}`, () => {
        const verdict = authorise(stateFor(row, version), proposed(version, row.event), row.facts);
        if (row.verdict === "allow") return assert.deepEqual(verdict, { allowed: true });
        assert.equal(verdict.allowed, false, "the event was let in");
        assert.equal(verdict.rule, row.rule);
        assert.match(verdict.reason, /^\S.*\.$/, "the reason is not a sentence");
      });
    }
  });
}

/** Rules that only ever refuse: their counterpart has a number of its own. */
const ONE_SIDED = new Set(["5.8"]);

test("every refusal in the code has a row that expects it, and a row beside it that passes", () => {
  const folder = new URL(".", import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
  const source = files.map((name) => readFileSync(new URL(name, folder), "utf8")).join("\n");
  const inCode = new Set([...source.matchAll(/refuse\(\s*"([^"]+)"/g)].map(([, rule]) => rule!));
  const withVerdict = (wanted: Row["verdict"]): Set<string> =>
    new Set(rows.filter(({ verdict }) => verdict === wanted).map(({ rule }) => rule));

  assert.ok(inCode.size > 30, `only ${inCode.size} refusals were found in the code`);
  const [refused, allowed] = [withVerdict("refuse"), withVerdict("allow")];
  assert.deepEqual(
    [...inCode].filter((rule) => !refused.has(rule)),
    [],
  );
  assert.deepEqual(
    [...inCode].filter((rule) => !allowed.has(rule) && !ONE_SIDED.has(rule)),
    [],
  );
});

test("a refusal of malformed content says M_BAD_JSON, and one of power says M_FORBIDDEN", () => {
  const state = stateOf({ levels: {} });
  const malformed = proposed("12", { type: "m.room.power_levels", state_key: "", content: { ban: "50" } });
  const verdict = authorise(state, malformed);
  assert.equal(!verdict.allowed && verdict.errcode, "M_BAD_JSON");
  const nameless = authorise(stateOf({}), proposed("12", { type: "m.room.redaction" }));
  assert.equal(!nameless.allowed && nameless.errcode, "M_BAD_JSON");
  const outside = authorise(state, proposed("12", { sender: "@bob:parley.test" }));
  assert.equal(!outside.allowed && outside.errcode, "M_FORBIDDEN");
});

test("authorising a message takes less than two microseconds on average", () => {
  const others = Array.from({ length: 500 }, (_, n) => `@user${n}:parley.test`);
  const members = Object.fromEntries(others.map((userId) => [userId, "join"]));
  const levels = { users: Object.fromEntries(others.slice(0, 50).map((userId) => [userId, 50])) };
  const state = stateOf({ members, levels, joinRule: "public" });
  const event = proposed("12", { sender: others[400]!, content: { msgtype: "m.text", body: "hello" } });
  const rounds = Array.from({ length: 10 }, () => microsecondsEach(20_000, () => authorise(state, event)));
  // The best of ten rounds: the others tell about the machine, not about the code.
  assert.ok(Math.min(...rounds) < 2, `${Math.min(...rounds)} µs`);
});

function microsecondsEach(times: number, action: () => unknown): number {
  const start = performance.now();
  for (let n = 0; n < times; n++) action();
  return ((performance.now() - start) * 1000) / times;
}
