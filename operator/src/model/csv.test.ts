/** Files that operators take away: readable by every spreadsheet, and run by none. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { csvCell, csvOf } from "./csv.ts";

test("commas, quotes and line breaks stay inside of their cell", () => {
  assert.equal(csvCell('a,"b"\nc'), '"a,""b""\nc"');
  assert.equal(csvCell("plain"), "plain");
  assert.equal(csvCell(undefined) + csvCell(null), "");
});

test("what somebody wrote is never a formula of the spreadsheet that opens it", () => {
  for (const text of ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1"])
    assert.match(csvCell(text), /^"?'/, text);
});

test("numbers and user ids stay as they are", () => {
  for (const value of ["-12.5", "@ana:example.org", "@a.b=c/d+e:[::1]:8448"]) assert.equal(csvCell(value), value);
  assert.equal(csvCell(-3), "-3");
  assert.match(csvCell("@ana:example.org|calc"), /^'/);
});

test("a table has its head, and every line ends as RFC 4180 says", () => {
  assert.equal(
    csvOf(
      ["user_id", "devices"],
      [
        ["@ana:x", 2],
        ["@ben:x", null],
      ],
    ),
    "user_id,devices\r\n@ana:x,2\r\n@ben:x,\r\n",
  );
});
