/** Files that come from anywhere. What they become is tried in explorer.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { csvCell, readCsv } from "./csv.ts";

async function cpuOf(text: string, cells: number): Promise<number> {
  const before = process.cpuUsage();
  let read = 0;
  for await (const line of readCsv([Buffer.from(text)] as unknown as AsyncIterable<Uint8Array>, ","))
    read += line.cells.length;
  assert.equal(read, cells);
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

test("a line of very many cells costs what as many cells on many lines do", async () => {
  const many = 100_000;
  const lines = `${Array.from({ length: many / 1_000 }, () => "a,".repeat(999)).join("a\n")}a\n`;
  await cpuOf(lines, many);
  const [spread, together] = [await cpuOf(lines, many), await cpuOf(`${"a,".repeat(many - 1)}a\n`, many)];
  assert(together < 10 * spread, `${together} µs in one line, ${spread} µs in many`);
});

test("no cell is a formula for a spreadsheet, and numbers stay numbers", () => {
  for (const text of ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1", "－1", "＠SUM(A1)"])
    assert.match(csvCell(text), /^"?'/, JSON.stringify(text));
  assert.deepEqual(["-1", "-1.50", "1.5", "a=1", "x"].map(csvCell), ["-1", "-1.50", "1.5", "a=1", "x"]);
  assert.equal(csvCell('=HYPERLINK("x","y")'), '"\'=HYPERLINK(""x"",""y"")"');
});
