import assert from "node:assert/strict";
import { test } from "node:test";
import { MatrixError } from "../../errors.ts";
import { realSeams } from "../../seams.ts";
import { shapeOf } from "./shape.ts";
import { statementFor } from "./statement.ts";

const columns = (text: string) => shapeOf(text).columns;
const position = (text: string): unknown => {
  try {
    shapeOf(text);
  } catch (thrown) {
    assert(thrown instanceof MatrixError);
    return thrown.fields["position"];
  }
  return undefined;
};

test("the columns are what stands behind the last RETURN that is in no bracket", () => {
  assert.deepEqual(columns("MATCH (n) RETURN n"), ["n"]);
  assert.deepEqual(columns("match (n) return n.name, count(*) AS many order by many limit 3;"), ["n.name", "many"]);
  assert.deepEqual(columns("MATCH (n) RETURN DISTINCT n.a, [x IN n.l | x], {a: 1, b: 2} as m"), [
    "n.a",
    "[x IN n.l | x]",
    "m",
  ]);
  assert.deepEqual(columns("MATCH (n) RETURN `a,b` AS `c, d`, n.`RETURN x`"), ["c, d", "n.`RETURN x`"]);
  assert.deepEqual(columns("MATCH (n) /* RETURN a, b */ RETURN n // , m"), ["n"]);
  assert.deepEqual(columns("MATCH (n) WHERE n.x = 'RETURN a, b' RETURN n.order, n.limit"), ["n.order", "n.limit"]);
  assert.deepEqual(columns("MATCH (n) WHERE exists { MATCH (m) RETURN m, n } RETURN n"), ["n"]);
  assert.deepEqual(columns("RETURN 1 UNION ALL RETURN 2 AS b, 3"), ["1"]);
  assert.deepEqual(columns("MATCH (n) RETURN n, n"), ["n", "n (2)"]);
  assert.deepEqual(columns("CREATE (n:Person {name: 'Ana'})"), []);
  assert.deepEqual(columns("RETURN CASE WHEN true THEN 1 ELSE 2 END"), ["CASE WHEN true THEN 1 ELSE 2 END"]);
  assert.deepEqual(columns("UNWIND range(0,3) AS i RETURN i SKIP 1"), ["i"]);
});

test("what writes is found in any disguise, and nothing else is", () => {
  const writes = (text: string) => shapeOf(text).writes;
  assert.deepEqual(writes("MATCH (n) SET n.a = 1 RETURN n"), ["SET"]);
  assert.deepEqual(writes("MATCH (n) dEtAcH/**/DELETE n"), ["DETACH", "DELETE"]);
  assert.deepEqual(writes("MATCH (n)\u000bREMOVE n.a"), ["REMOVE"]);
  assert.deepEqual(writes("MERGE (n)"), ["MERGE"]);
  assert.deepEqual(writes("RETURN 1 /* ' */ CREATE (n) /* ' */"), ["CREATE"]);
  assert.deepEqual(writes("RETURN '\\'' CREATE (n) RETURN '\\''"), ["CREATE"]);
  assert.deepEqual(writes('RETURN "a//" CREATE (n)'), ["CREATE"]);
  assert.deepEqual(writes("RETURN 1 //\rCREATE (n)"), ["CREATE"]);
  assert.deepEqual(writes("RETURN `a``` CREATE (n)"), ["CREATE"]);
  assert.deepEqual(writes("RETURN 'CREATE (n)', \"SET\", `MERGE`, n.set, {delete: 1}, (:CREATE), [:A|REMOVE]"), []);
  assert.deepEqual(writes("RETURN 1 // CREATE\n/* SET */"), []);
});

test("what is no Cypher is told with where it is", () => {
  assert.equal(position("RETURN 'a"), 7);
  assert.equal(position("RETURN /* a"), 7);
  assert.equal(position("RETURN `a"), 7);
  assert.equal(position("MATCH (n RETURN n"), 6);
  assert.equal(position("MATCH (n]) RETURN n"), 8);
  assert.equal(position("RETURN \u0000"), 7);
  assert.equal(position("RETURN 1 # 2"), 9);
  assert.equal(position("MATCH (n) RETURN *"), 17);
  assert.equal(position("RETURN 1; RETURN 2"), 8);
  assert.equal(position("  "), 0);
  assert.equal(position("MATCH (n) RETURN"), 16);
});

test("functions of the database are not called, however the call is written", () => {
  for (const [text, at] of [
    ["pg_catalog.pg_switch_wal()", 18],
    ["ag_catalog.create_graph()", 18],
    ["`pg_catalog` . `x`()", 22],
    ["public/**/.\n f()", 20],
    // AGE takes brackets away before it looks for a schema: each of these calls the function.
    ["(pg_catalog).pg_reload_conf()", 20],
    ["((pg_catalog))./**/pg_sleep(2::pg_float8)", 26],
    ["(`pg_catalog`).`pg_reload_conf`()", 22],
    ["pg_catalog.(pg_reload_conf())", 18],
    ["pg_catalog.((pg_reload_conf()))", 18],
    ["(pg_catalog) . (pg_reload_conf ())", 22],
    ["a.b.c()", 11],
    ["[x][0].f()", 14],
  ] as const)
    assert.equal(position(`RETURN ${text}`), at, text);
  assert.equal(position("CALL (pg_catalog).pg_reload_conf() YIELD x RETURN x"), 18);
  assert.equal(position("MATCH (n) WHERE (pg_catalog).pg_is_in_recovery() RETURN n"), 29);
  assert.equal(position("MATCH (n) RETURN n.name, toUpper(n.name), (n.a), (n).a, n.a[0].b, n.list[1..(2)]"), undefined);
});

test("of Apache AGE's own functions those for people are called alone", () => {
  // The first ends the whole server where it is called with a number.
  for (const name of [
    "materialize_vle_path",
    "`materialize_vle_path`",
    "VLE",
    "create_complete_graph",
    "prepare_cypher",
  ])
    assert.equal(position(`RETURN ${name}(1)`), 7, name);
  assert.equal(position("CALL vle (1)"), 5);
  assert.equal(position("RETURN `match`(1)"), 7);
  for (const text of [
    "MATCH (n) WHERE (n.a IN (n.b)) AND NOT (n.c) OR (n.d STARTS WITH ('a')) RETURN DISTINCT (n.a)",
    "match (n) optional match (n)-->(m) with (n) as k, count(*) as c where exists((k)-->()) return collect(k), Size([1])",
    "RETURN CASE (1) WHEN (1) THEN (2) ELSE (3) END, all(x IN [1] WHERE (x = 1)), percentileCont(1, 0.5)",
    "UNWIND (range(1, 3)) AS i RETURN i ORDER BY (i) SKIP (1) LIMIT (1)",
    "CREATE (a)-[:E]->(b) SET a.x = coalesce(a.y, 1) MERGE (c) DETACH DELETE (c)",
  ])
    assert.equal(position(text), undefined, text);
});

test("a plan is asked for and not run", () => {
  assert.equal(position("EXPLAIN ANALYZE MATCH (n) RETURN n"), 0);
  assert.equal(position("MATCH (explain) RETURN explain"), undefined);
});

test("the form has no value of anybody, and no comment", () => {
  const form = (text: string) => shapeOf(text).form;
  assert.equal(
    form(
      "MATCH (n:Person {name: 'Ana', age: 44}) // for Ben\nWHERE n.mail =~ \"ana@.*\" /* hm */ RETURN n.x[0..5], $who",
    ),
    "MATCH (n:Person {name: ?, age: ?}) WHERE n.mail =~ ? RETURN n.x[?..?], $who",
  );
});

/** Texts that would end the quotes, the call or the statement, if they could. */
const hostile: readonly string[] = [
  "$$) as (a agtype); drop table x; --",
  "$q$) as (a agtype); drop table x; --",
  "$cypher$) as (a agtype), lateral (select 1) --",
  "') as (a agtype); --",
  "RETURN 1 $$",
  "RETURN '$$'",
  "RETURN $1",
  "RETURN \\",
  "RETURN 1 $q0000000000000000$",
  "/* $$ */ RETURN 1",
  "RETURN 1) as (a agtype) union select usename::agtype from pg_user --",
  "RETURN 1 $$::cstring) as (a agtype) --",
  "\u2029$$ RETURN 1",
  'RETURN "\\u0024\\u0024) as (a agtype)"',
  ...Array.from({ length: 64 }, (_, i) => `$${"q".repeat(i)}$) as (a agtype); select 1 --`),
];

test("no text ends the quotes that it stands in", () => {
  for (const cypher of hostile)
    for (const graph of ["graph", "a.b-c_9"]) {
      const { sql, offset } = statementFor({ graph, cypher, columns: 2, parameters: "{}", seams: realSeams });
      const quote = /cypher\('[^']+', (\$q[\w]{16}\$)/.exec(sql)?.[1] as string;
      assert.equal(sql.split(quote).length, 3, cypher);
      assert.equal(sql.slice(offset, offset + cypher.length), cypher);
      assert.equal(
        sql.replace(cypher, ""),
        `select c1, c2 from ag_catalog.cypher('${graph}', ${quote}${quote}, $1) as (c1 ag_catalog.agtype, c2 ag_catalog.agtype)`,
      );
    }
});

test("a tag that the text has by chance is not taken", () => {
  const tags = [Buffer.alloc(12), Buffer.alloc(12, 1)];
  const seams = { ...realSeams, randomBytes: () => tags.shift() ?? Buffer.alloc(12, 2) };
  const { sql } = statementFor({ graph: "graph", cypher: "$qAAAAAAAAAAAAAAAA$) x", columns: 1, seams });
  assert(sql.includes("$qAQEBAQEBAQEBAQEB$"));
});

test("what is no name of a graph never becomes SQL", () => {
  for (const graph of [
    "",
    "a",
    "g'",
    "graph'",
    "a b",
    "graph\\",
    "1graph",
    "g".repeat(64),
    "graph\n",
    "graph;",
    "'graph'",
    "gr\u0000aph",
  ])
    assert.throws(() => statementFor({ graph, cypher: "RETURN 1", columns: 1, seams: realSeams }), MatrixError, graph);
});
