/** The explorer through the operator API, with a real PostgreSQL that has Apache AGE. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { inspect } from "node:util";
import { startAge } from "../../../testkit/src/age.ts";
import { registerPerson } from "../../../testkit/src/http.ts";
import { makeOperator } from "../../../testkit/src/operators.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { readAllowed } from "../outward/guard.ts";
import { limits } from "../limits.ts";
import { explorerOf } from "./open.ts";

const age = await startAge({ preload: false });
const skip = "missing" in age && age.missing;
const at = new URL("missing" in age ? "postgres://nobody:nothing@127.0.0.1:1/x" : age.url);
const explorer = {
  hosts: readAllowed("127.0.0.1"),
  credentials: { type: "postgresql" as const },
  masterKey: randomBytes(32).toString("base64"),
};
const logged: string[] = [];
const server = await startTestServer({ config: { explorer } });
const { logger } = server.ctx;
for (const level of ["warn", "error", "info"] as const) {
  const before = logger[level];
  logger[level] = (...args: unknown[]) => {
    logged.push(inspect(args, { depth: 6 }));
    Reflect.apply(before, logger, args);
  };
}
const [owner, operator, auditor, ana] = await Promise.all([
  makeOperator(server, "olga", "owner"),
  makeOperator(server, "omar", "operator"),
  makeOperator(server, "audrey", "auditor"),
  registerPerson(server.url, "ana"),
]);
after(async () => {
  await server.stop();
  if (!("missing" in age)) await age.stop();
});

interface Answered {
  status: number;
  // oxlint-disable-next-line typescript/no-explicit-any
  body: any;
  text: string;
}

async function ask(who: { token: string }, ...[method, path, body]: [string, string, unknown?]): Promise<Answered> {
  const isText = typeof body === "string";
  const response = await fetch(`${server.url}/_parley/admin/v1/explorer${path}`, {
    method,
    headers: { authorization: `Bearer ${who.token}` },
    ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /^application\/json\b/.test(response.headers.get("content-type") ?? "");
  return { status: response.status, body: isJson ? JSON.parse(text) : undefined, text };
}

const fields = {
  name: "graphs",
  host: at.hostname,
  port: Number(at.port),
  database: "postgres",
  user: at.username,
  password: at.password,
  tls: "disable",
};

async function save(who: { token: string }, over: object = {}): Promise<string> {
  const { status, body, text } = await ask(who, "POST", "/connections", { ...fields, ...over });
  assert.equal(status, 200, text);
  return body.id;
}

const lines = ({ text }: Answered) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

async function graph(who: { token: string }, name: string): Promise<string> {
  const id = await save(who);
  const taken = await explorerOf(server.ctx).pools.take({ owner: "test", id: name, version: 1 }, async () => ({
    ...fields,
    tls: "disable" as const,
    addresses: [fields.host],
    password: () => fields.password,
  }));
  await taken.connection.query("select '1'::ag_catalog.agtype");
  await taken.connection.query(`select ag_catalog.create_graph('${name}')`);
  taken.release();
  return id;
}

test("who is no operator, and an auditor, reach none of it; only an owner writes", { skip }, async () => {
  const id = await graph(owner, "roles");
  const paths: [string, string, unknown?][] = [
    ["GET", "/connections"],
    ["POST", "/connections", fields],
    ["PUT", `/connections/${id}`, fields],
    ["DELETE", `/connections/${id}`],
    ["POST", `/connections/${id}/test`],
    ["POST", "/try", fields],
    ["GET", `/connections/${id}/graphs`],
    ["GET", `/connections/${id}/graphs/roles`],
    ["POST", `/connections/${id}/graphs/roles/query`, { cypher: "RETURN 1" }],
    ["POST", `/connections/${id}/graphs/roles/write`, { cypher: "CREATE (:A)", confirm: "roles" }],
    ["POST", `/connections/${id}/graphs/roles/plan`, { cypher: "RETURN 1" }],
    ["POST", `/connections/${id}/graphs/roles/import?confirm=roles&mapping={}`, "a\n1\n"],
    ["GET", "/templates"],
  ];
  for (const who of [ana, auditor])
    for (const [method, path, body] of paths)
      assert.equal((await ask(who, method, path, body)).status, 403, `${who.userId} ${method} ${path}`);
  const own = await save(operator);
  for (const path of ["write", "import?confirm=roles&mapping={}"]) {
    const { status, body } = await ask(operator, "POST", `/connections/${own}/graphs/roles/${path}`, {
      cypher: "CREATE (:A)",
      confirm: "roles",
    });
    assert.deepEqual([status, body.required_role], [403, "owner"], path);
  }
});

test("a connection is its owner's alone, also for another owner", { skip }, async () => {
  const id = await save(operator);
  for (const [method, path, body] of [
    ["POST", `/connections/${id}/test`],
    ["GET", `/connections/${id}/graphs`],
    ["PUT", `/connections/${id}`, fields],
    ["DELETE", `/connections/${id}`],
    ["POST", `/connections/${id}/graphs/any/query`, { cypher: "RETURN 1" }],
  ] as const)
    assert.equal((await ask(owner, method, path, body)).status, 404, path);
  const { body } = await ask(owner, "GET", "/connections");
  assert(!body.items.some((each: { id: string }) => each.id === id));
});

test("a password goes in and comes out nowhere: no answer, log, audit entry or row has it", { skip }, async () => {
  const password = "Tr0ub4dor-canary-9f3c";
  const id = await save(operator, { password, name: "canary" });
  const answers = [
    await ask(operator, "GET", "/connections"),
    await ask(operator, "POST", `/connections/${id}/test`),
    await ask(operator, "GET", `/connections/${id}/graphs`),
    await ask(operator, "POST", `/connections/${id}/graphs/any/query`, { cypher: "RETURN 1" }),
    await ask(operator, "POST", "/try", { ...fields, password }),
    await ask(operator, "POST", "/connections", { ...fields, password, host: "evil/.." }),
    await ask(operator, "PUT", `/connections/${id}`, { ...fields, password, nonsense: true }),
  ];
  assert.equal(answers[1]?.body.reason, "28P01");
  const rows = await server.ctx.db.console.query("select c::text from console.explorer_connections c");
  const audit = await server.ctx.db.console.query(`select a::text from console.audit a`);
  assert(
    audit.some((row) => JSON.stringify(row).includes("canary")),
    "the audit log has the act",
  );
  assert.equal(
    rows.length > 0 && logged.some((line) => line.includes("explorer.connections.add")),
    true,
    "so do the others",
  );
  const told = JSON.stringify([answers, rows, audit, logged]);
  assert(!told.includes(password) && !told.includes(Buffer.from(password).toString("hex")));
});

test("what does not belong into a field is refused: options, services, lists, sockets, files", { skip }, async () => {
  const hostile: readonly object[] = [
    { host: "postgres://evil/db" },
    { host: "127.0.0.1,169.254.169.254" },
    { host: "/var/run/postgresql" },
    { host: "127.0.0.1 options=-csearch_path=x" },
    { host: "service=prod" },
    { host: "169.254.169.254" },
    { host: "[::ffff:127.0.0.1]" },
    { host: "0x7f.1" },
    { database: "x\u0000y" },
    { database: "x\ny" },
    { user: "" },
    { port: 0 },
    { port: 70_000 },
    { ca: "/etc/ssl/cert.pem" },
    { tls: "prefer" },
    { sslcert: "/etc/passwd" },
    { options: "-c search_path=x" },
    { connectionString: "postgres://evil/db" },
    { service: "prod" },
    { hostaddr: "169.254.169.254" },
  ];
  for (const each of hostile)
    for (const path of ["/connections", "/try"]) {
      const { status, body } = await ask(operator, "POST", path, { ...fields, ...each });
      const isRefused = status === 400 || status === 403 || /^M_(FORBIDDEN|INVALID_PARAM)$/.test(body.reason);
      assert(isRefused, `${path} ${JSON.stringify(each)}: ${status}`);
    }
  // A database is a name, whatever is in it: no driver takes it for a connection string.
  const { body } = await ask(operator, "POST", "/try", { ...fields, database: "postgres://evil/db?sslmode=disable" });
  assert.equal(body.reason, "3D000");
});

test("a saved password goes nowhere else: who changes the place gives it again", { skip }, async () => {
  const id = await save(operator);
  const { password: _, ...without } = fields;
  assert.equal((await ask(operator, "PUT", `/connections/${id}`, { ...without, name: "renamed" })).status, 200);
  assert.equal((await ask(operator, "POST", `/connections/${id}/test`)).body.ok, true);
  for (const over of [{ port: fields.port + 1 }, { user: "other" }, { database: "x" }, { tls: "require" }])
    assert.equal(
      (await ask(operator, "PUT", `/connections/${id}`, { ...without, ...over })).body.errcode,
      "M_MISSING_PARAM",
    );
  assert.equal((await ask(operator, "PUT", `/connections/${id}`, { ...fields, database: "nobody" })).status, 200);
  assert.equal((await ask(operator, "POST", `/connections/${id}/test`)).body.reason, "3D000");
});

test("a row that somebody else wrote opens nothing", { skip }, async () => {
  const [mine, others] = [await save(operator), await save(operator)];
  const { db } = server.ctx;
  await db.console.change(
    `update console.explorer_connections a set sealed = b.sealed, wrapped_key = b.wrapped_key
     from console.explorer_connections b where a.id = $1 and b.id = $2`,
    [mine, others],
  );
  const swapped = await ask(operator, "POST", `/connections/${mine}/test`);
  assert.match(swapped.body.error, /Save the password again/);
  await db.console.change("update console.explorer_connections set host = 'evil.example.org' where id = $1", [others]);
  assert.equal((await ask(operator, "POST", `/connections/${others}/test`)).body.ok, false);
});

test("rows are streamed, exported and audited without their values", { skip }, async () => {
  const id = await graph(owner, "streams");
  const base = `/connections/${id}/graphs/streams`;
  const cypher = "CREATE (:Person {name: 'Ana Canary', note: '=1+1'})";
  const refused = await ask(owner, "POST", `${base}/query`, { cypher });
  assert.deepEqual([refused.status, refused.body.reason], [403, "writes"]);
  assert.equal((await ask(owner, "POST", `${base}/write`, { cypher, confirm: "another" })).status, 400);
  const written = lines(await ask(owner, "POST", `${base}/write`, { cypher, confirm: "streams" }));
  assert.equal(written.at(-1).done.is_written, true);
  const asked = {
    cypher: "MATCH (n:Person) WHERE n.name = $name RETURN n.name, n.note, n",
    parameters: { name: "Ana Canary" },
  };
  const [columns, rows, done] = lines(await ask(owner, "POST", `${base}/query`, asked));
  assert.deepEqual(columns, { columns: ["n.name", "n.note", "n"] });
  assert.deepEqual(rows.rows[0].slice(0, 2), ["Ana Canary", "=1+1"]);
  assert.equal(done.done.rows, 1);
  const csv = await ask(owner, "POST", `${base}/query`, {
    ...asked,
    cypher: "MATCH (n:Person) RETURN n.name, n.note, 1.5",
    format: "csv",
  });
  assert.match(csv.text, /^n\.name,n\.note,1\.5\r\nAna Canary,'=1\+1,1\.5\r\n$/);
  const json = await ask(owner, "POST", `${base}/query`, { ...asked, format: "json" });
  assert.equal(JSON.parse(json.text)[0]["n.name"], "Ana Canary");
  const audit = await server.ctx.db.console.query<{ outcome: string; error: string; target: string; after: string }>(
    `select action, outcome, error, target, "after" from console.audit where action like 'explorer.%' and actor = $1 order by "position"`,
    [owner.userId],
  );
  const told = JSON.stringify(audit);
  const ofGraph = audit.filter(({ target }) => target === `${id}/streams`);
  assert.deepEqual(
    ofGraph.slice(0, 2).map(({ outcome, error }) => [outcome, error]),
    [
      ["failed", "M_FORBIDDEN"],
      ["done", null],
    ],
    "what was refused is no act that was done",
  );
  assert(!told.includes("Canary"));
  assert(told.includes("CREATE (:Person {name: ?, note: ?})"));
  const plan = await ask(owner, "POST", `${base}/plan`, { cypher: "MATCH (n:Person) RETURN n" });
  assert(plan.body.plan[0].Plan);
  const wrong = await ask(owner, "POST", `${base}/query`, { cypher: "MATCH (n) RETRUN n" });
  assert.deepEqual([wrong.status, wrong.body.position], [400, 10]);
});

test("a request that is broken off stops its query in the database", { skip }, async () => {
  const id = await graph(owner, "stops");
  const base = `/connections/${id}/graphs/stops`;
  await ask(owner, "POST", `${base}/write`, {
    cypher: "UNWIND range(1, 2000) AS i CREATE (:N {i: i})",
    confirm: "stops",
  });
  const taken = await explorerOf(server.ctx).pools.take({ owner: "test", id: "stops", version: 1 }, async () =>
    assert.fail(),
  );
  const running = async () => {
    const [row] = await taken.connection.query(
      "select count(*) from pg_stat_activity where state = 'active' and query like '%q.i%'  and pid <> pg_backend_pid()",
    );
    return Number(row?.[0]);
  };
  const browser = new AbortController();
  const asking = fetch(`${server.url}/_parley/admin/v1/explorer${base}/query`, {
    method: "POST",
    headers: { authorization: `Bearer ${owner.token}` },
    body: JSON.stringify({ cypher: "MATCH (o:N), (p:N), (q:N) WHERE o.i + p.i + q.i = -1 RETURN o", timeout_s: 60 }),
    signal: browser.signal,
  });
  while ((await running()) === 0);
  browser.abort();
  await assert.rejects(asking);
  while ((await running()) > 0);
  taken.release();
});

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
  const made = lines(await ask(owner, "POST", `${base}/${mapped({ label: "Person", columns })}`, people));
  assert.deepEqual(made.at(-1), { done: { lines: 1_200, created: 1_200, is_written: true } });
  assert(made.filter((each) => "progress" in each).length >= 3);
  const one = lines(
    await ask(owner, "POST", `${base}/query`, { cypher: "MATCH (n:Person {id: 7}) RETURN n.name, n.active" }),
  );
  assert.deepEqual(one[1].rows, [['Person "7", of\nhere', false]]);
  const bad = "id,full name,active\n1,a,true\n2,b,perhaps\nx,c,true\n4,d\n";
  const failed = lines(await ask(owner, "POST", `${base}/${mapped({ label: "Other", columns })}`, bad)).at(-1).failed;
  assert.deepEqual(
    failed.errors.map((each: { line: number }) => each.line),
    [3, 4, 5],
  );
  const end = { label: "Person", property: "id", type: "integer" };
  const edge = { from: { header: "a", ...end }, to: { header: "b", ...end } };
  const knows = { label: "KNOWS", columns: [{ header: "since", property: "since", type: "integer" }], edge };
  const edges = lines(await ask(owner, "POST", `${base}/${mapped(knows)}`, "a,b,since\n1,2,2001\n2,3,2002\n"));
  assert.equal(edges.at(-1).done.created, 2);
  const lost = lines(await ask(owner, "POST", `${base}/${mapped(knows)}`, "a,b,since\n3,4,1\n3,999999,2\n")).at(
    -1,
  ).failed;
  assert.deepEqual(
    lost.errors.map((each: { line: number }) => each.line),
    [3],
  );
  const counts = lines(await ask(owner, "POST", `${base}/query`, { cypher: "MATCH ()-[r:KNOWS]->() RETURN count(r)" }));
  assert.deepEqual(counts[1].rows, [[2]]);
});

test("of long lines no more are in memory at once than a batch holds", { skip }, async () => {
  const id = await graph(owner, "long");
  const mapping = { label: "L", columns: [{ header: "n", property: "n", type: "integer" }] };
  const path = `/connections/${id}/graphs/long/import?${new URLSearchParams({ confirm: "long", mapping: JSON.stringify(mapping) })}`;
  const long = "x".repeat(limits.importLine_characters - 10);
  const parts = lines(await ask(owner, "POST", path, `n,left out\n${`1,${long}\n`.repeat(6)}`));
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
    const last = answer.status === 200 ? lines(answer).at(-1) : answer.body;
    assert(!("done" in last), `${label}: ${answer.text}`);
  }
  const evil = lines(
    await ask(
      owner,
      "POST",
      path({ label: "A", columns: [{ header: "a", property: "x`: 1}) DETACH DELETE (n {`y" }] }),
      "a\n1\n",
    ),
  );
  assert(evil.at(-1), "it is a name of a property, or refused");
  const cell = "'} ) $$ ; drop table x; --";
  assert.equal(lines(await ask(owner, "POST", path({ label: "A", columns }), `a\n"${cell}"\n`)).at(-1).done.created, 1);
  const read = lines(
    await ask(owner, "POST", `${base}/query`, { cypher: "MATCH (n:A) WHERE n.a IS NOT NULL RETURN n.a" }),
  );
  assert.deepEqual(read[1].rows, [[cell]]);
  for (const file of ['a\n"open\n', 'a\n"x"y\n', "", "b\n1\n"]) {
    const answer = await ask(owner, "POST", path({ label: "B", columns }), file);
    assert(
      answer.status === 400 || "failed" in lines(answer).at(-1) || "error" in lines(answer).at(-1),
      JSON.stringify(file),
    );
  }
});

test("the access graph's own connection is there for all, and is never written", { skip }, async () => {
  const { body } = await ask(operator, "GET", "/connections");
  assert.equal(body.items[0].id, "access-graph");
  const trial = await ask(operator, "POST", "/connections/access-graph/test");
  assert.equal(trial.body.reason, "no_age");
  const written = await ask(owner, "POST", "/connections/access-graph/graphs/any/write", {
    cypher: "CREATE (:A)",
    confirm: "any",
  });
  assert.equal(written.status, 403);
});
