/** Files that become a graph through the operator API, with a real PostgreSQL that has Apache AGE. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { linesOf, startExplorer } from "../../../testkit/src/explorer.ts";
import { limits } from "../limits.ts";

const world = await startExplorer();
const { skip, server, owner, ask, graph } = world;
after(() => world.stop());

const mapped = (mapping: object) =>
  `import?${new URLSearchParams({ confirm: "files", mapping: JSON.stringify(mapping) })}`;

test("a file becomes elements and edges, all of it or nothing", { skip }, async () => {
  const id = await graph(owner, "files");
  const base = `/connections/${id}/graphs/files`;
  const columns = [
    { header: "id", property: "id", type: "integer" },
    { header: "full name", property: "name" },
    { header: "active", property: "active", type: "boolean" },
  ];
  const people = `\uFEFFid,full name,active,ignored\r\n${Array.from({ length: 1_200 }, (_, i) => `${i},"Person ""${i}"", of\nhere",${i % 2 === 0},x`).join("\r\n")}\r\n`;
  const made = linesOf(await ask(owner, "POST", `${base}/${mapped({ label: "Person", columns })}`, people));
  assert.deepEqual(made.at(-1), { done: { lines: 1_200, created: 1_200, is_written: true } });
  assert(made.filter((each) => "progress" in each).length >= 3);
  const one = linesOf(
    await ask(owner, "POST", `${base}/query`, { cypher: "MATCH (n:Person {id: 7}) RETURN n.name, n.active" }),
  );
  assert.deepEqual(one[1].rows, [['Person "7", of\nhere', false]]);
  const bad = "id,full name,active\n1,a,true\n2,b,perhaps\nx,c,true\n4,d\n";
  const failed = linesOf(await ask(owner, "POST", `${base}/${mapped({ label: "Other", columns })}`, bad)).at(-1).failed;
  assert.deepEqual(
    failed.errors.map((each: { line: number }) => each.line),
    [3, 4, 5],
  );
  const end = { label: "Person", property: "id", type: "integer" };
  const edge = { from: { header: "a", ...end }, to: { header: "b", ...end } };
  const knows = { label: "KNOWS", columns: [{ header: "since", property: "since", type: "integer" }], edge };
  const edges = linesOf(await ask(owner, "POST", `${base}/${mapped(knows)}`, "a,b,since\n1,2,2001\n2,3,2002\n"));
  assert.equal(edges.at(-1).done.created, 2);
  const lost = linesOf(await ask(owner, "POST", `${base}/${mapped(knows)}`, "a,b,since\n3,4,1\n3,999999,2\n")).at(
    -1,
  ).failed;
  assert.deepEqual(
    lost.errors.map((each: { line: number }) => each.line),
    [3],
  );
  const counts = linesOf(
    await ask(owner, "POST", `${base}/query`, { cypher: "MATCH ()-[r:KNOWS]->() RETURN count(r)" }),
  );
  assert.deepEqual(counts[1].rows, [[2]]);
});

test("of long lines no more are in memory at once than a batch holds", { skip }, async () => {
  const id = await graph(owner, "long");
  const mapping = { label: "L", columns: [{ header: "n", property: "n", type: "integer" }] };
  const path = `/connections/${id}/graphs/long/import?${new URLSearchParams({ confirm: "long", mapping: JSON.stringify(mapping) })}`;
  const long = "x".repeat(limits.importLine_characters - 10);
  const parts = linesOf(await ask(owner, "POST", path, `n,left out\n${`1,${long}\n`.repeat(6)}`));
  assert.deepEqual(
    parts.map((part) => part.progress?.lines ?? part.done.created),
    [5, 6, 6],
  );
});

test("hostile files and mappings break nothing", { skip }, async () => {
  const id = await graph(owner, "hostile");
  const base = `/connections/${id}/graphs/hostile`;
  const path = (mapping: object) =>
    `${base}/import?${new URLSearchParams({ confirm: "hostile", mapping: JSON.stringify(mapping) })}`;
  const columns = [{ header: "a", property: "a" }];
  for (const label of ["A`) RETURN 1 //", "A $$) as (a agtype); drop table x; --", "A' OR '1", "", "A\u0000"]) {
    const answer = await ask(owner, "POST", path({ label, columns }), "a\n1\n");
    const last = answer.status === 200 ? linesOf(answer).at(-1) : answer.body;
    assert(!("done" in last), `${label}: ${answer.text}`);
  }
  const evil = linesOf(
    await ask(
      owner,
      "POST",
      path({ label: "A", columns: [{ header: "a", property: "x`: 1}) DETACH DELETE (n {`y" }] }),
      "a\n1\n",
    ),
  );
  assert(evil.at(-1), "it is a name of a property, or refused");
  const cell = "'} ) $$ ; drop table x; --";
  assert.equal(
    linesOf(await ask(owner, "POST", path({ label: "A", columns }), `a\n"${cell}"\n`)).at(-1).done.created,
    1,
  );
  const read = linesOf(
    await ask(owner, "POST", `${base}/query`, { cypher: "MATCH (n:A) WHERE n.a IS NOT NULL RETURN n.a" }),
  );
  assert.deepEqual(read[1].rows, [[cell]]);
  for (const file of ['a\n"open\n', 'a\n"x"y\n', "", "b\n1\n"]) {
    const answer = await ask(owner, "POST", path({ label: "B", columns }), file);
    assert(
      answer.status === 400 || "failed" in linesOf(answer).at(-1) || "error" in linesOf(answer).at(-1),
      JSON.stringify(file),
    );
  }
});

test("of a file that is no CSV in UTF-8 nothing is taken, and why is told", { skip }, async () => {
  const id = await graph(owner, "odd");
  const mapping = { label: "A", columns: [{ header: "a", property: "a" }] };
  const path = `/_parley/admin/v1/explorer/connections/${id}/graphs/odd/import?${new URLSearchParams({ confirm: "odd", mapping: JSON.stringify(mapping) })}`;
  const told = async (body: Buffer) => {
    const headers = { authorization: `Bearer ${owner.token}` };
    const text = await (await fetch(server.url + path, { method: "POST", headers, body: new Uint8Array(body) })).text();
    const last = JSON.parse(text.trim().split("\n").at(-1) ?? "");
    return last.failed?.errors[0].error ?? last.error?.error ?? last.error;
  };
  const utf16 = (text: string) => Buffer.from(`\uFEFF${text}`, "utf16le");
  assert.match(await told(utf16("a\n1\n")), /not UTF-8/);
  assert.match(await told(utf16("a\n1\n").swap16()), /not UTF-8/);
  assert.match(await told(Buffer.from("a\n1\n", "utf16le")), /no column "a"/);
  assert.match(await told(Buffer.from([0x61, 0x0a, 0xff, 0xfe, 0x0a])), /not UTF-8/);
  assert.match(await told(Buffer.from("a\nx\0y\n")), /from here on/);
  assert.match(await told(Buffer.from("a,a\n1,2\n")), /more than once/);
  assert.match(await told(Buffer.from("a,b\n1\n1,2,3\n")), /1 cells in place of 2/);
  assert.match(await told(Buffer.from(`a\n${"x".repeat(limits.importLine_characters + 1)}\n`)), /too long/);
  assert.match(await told(Buffer.from(`a\n"${"x".repeat(limits.importLine_characters + 1)}`)), /too long/);
  const left = linesOf(
    await ask(owner, "POST", `/connections/${id}/graphs/odd/query`, { cypher: "MATCH (n) RETURN count(n)" }),
  );
  assert.deepEqual(left[1].rows, [[0]]);
});
