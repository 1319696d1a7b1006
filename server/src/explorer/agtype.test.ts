import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAgtype } from "./agtype.ts";

test("what JSON can say is said so", () => {
  for (const text of [
    "1",
    "-1.5",
    "0",
    '"a\\"b\\u00e9"',
    "true",
    "null",
    "[]",
    "{}",
    '[1, [2, {"a": null}]]',
    '{"a": {"b": 1e3}}',
  ])
    assert.deepEqual(parseAgtype(text), JSON.parse(text), text);
});

test("numbers that JavaScript would round keep their digits", () => {
  assert.deepEqual(parseAgtype("9223372036854775807"), { $integer: "9223372036854775807" });
  assert.deepEqual(parseAgtype('{"a": -9007199254740993}'), { a: { $integer: "-9007199254740993" } });
  assert.equal(parseAgtype("9007199254740991"), 9007199254740991);
  assert.deepEqual(parseAgtype("1.10::numeric"), { $numeric: "1.10" });
  assert.deepEqual(parseAgtype("[NaN, Infinity, -Infinity]"), [
    { $number: "NaN" },
    { $number: "Infinity" },
    { $number: "-Infinity" },
  ]);
});

const ana = '{"id": 844424930131969, "label": "Person", "properties": {"name": "Ana"}}::vertex';
const knows =
  '{"id": 1407374883553281, "label": "KNOWS", "end_id": 9223372036854775807, "start_id": 844424930131969, "properties": {}}::edge';

test("vertices, edges and paths have ids that are texts", () => {
  const vertex = { $vertex: { id: "844424930131969", label: "Person", properties: { name: "Ana" } } };
  const edge = {
    $edge: {
      id: "1407374883553281",
      label: "KNOWS",
      properties: {},
      start: "844424930131969",
      end: "9223372036854775807",
    },
  };
  assert.deepEqual(parseAgtype(ana), vertex);
  assert.deepEqual(parseAgtype(`[${ana}, ${knows}, ${ana}]::path`), { $path: [vertex, edge, vertex] });
  assert.deepEqual(parseAgtype(`{"a": ${ana}, "b": [${knows}]}`), { a: vertex, b: [edge] });
});

test("a map that looks like one of ours is told apart", () => {
  assert.deepEqual(parseAgtype('{"$vertex": {"id": 1}}'), { $map: { $vertex: { id: 1 } } });
  const made = parseAgtype('{"__proto__": {"polluted": true}}');
  assert.equal(JSON.stringify(made), '{"__proto__":{"polluted":true}}');
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
});

test("what is none is refused, and no depth ends the process", () => {
  for (const text of [
    "",
    "{",
    "[1",
    "1 2",
    "tru",
    '"a',
    "{a: 1}",
    '{"a" 1}',
    "1::vertex",
    "{}::vertex",
    "1::evil",
    "01",
    "[1,]",
    '{"a":1,}',
  ])
    assert.throws(() => parseAgtype(text), Error, text);
  assert.throws(() => parseAgtype("[".repeat(100_000)), /nested deeper/);
});

test("a text is as long as an answer may be, whatever is in it", () => {
  for (const text of ["x".repeat(20_000_000), "\n".repeat(10_000_000), '\\"'.repeat(1_000_000)])
    assert.ok(parseAgtype(JSON.stringify(text)) === text);
  assert.throws(() => parseAgtype(`"${'\\"'.repeat(10)}`), Error, "not closed");
});
