/** Queries through the operator API, with a real PostgreSQL that has Apache AGE. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { linesOf, startExplorer } from "../../../testkit/src/explorer.ts";
import { explorerOf } from "./open.ts";

const world = await startExplorer();
const { skip, server, owner, ask, graph } = world;
after(() => world.stop());

test("rows are streamed, exported and audited without their values", { skip }, async () => {
  const id = await graph(owner, "streams");
  const base = `/connections/${id}/graphs/streams`;
  const cypher = "CREATE (:Person {name: 'Ana Canary', note: '=1+1'})";
  const refused = await ask(owner, "POST", `${base}/query`, { cypher });
  assert.deepEqual([refused.status, refused.body.reason], [403, "writes"]);
  assert.equal((await ask(owner, "POST", `${base}/write`, { cypher, confirm: "another" })).status, 400);
  const written = linesOf(await ask(owner, "POST", `${base}/write`, { cypher, confirm: "streams" }));
  assert.equal(written.at(-1).done.is_written, true);
  const asked = {
    cypher: "MATCH (n:Person) WHERE n.name = $name RETURN n.name, n.note, n",
    parameters: { name: "Ana Canary" },
  };
  const [columns, rows, done] = linesOf(await ask(owner, "POST", `${base}/query`, asked));
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
    `select action, outcome, error, target, "after" from console.audit where action like 'explorer.%' and outcome <> 'begun' and actor = $1 order by "position"`,
    [owner.userId],
  );
  const told = JSON.stringify(audit);
  const ofGraph = audit.filter(({ target }) => target === `${id}/streams`);
  assert.deepEqual(
    ofGraph.slice(0, 3).map(({ outcome, error }) => [outcome, error]),
    [
      ["failed", "M_FORBIDDEN"],
      ["failed", "M_INVALID_PARAM"],
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

test("a write whose end can not be written down is in the audit log as begun, with what it was", { skip }, async () => {
  const id = await graph(owner, "cut");
  const { console: db } = server.ctx.db;
  const { one } = db;
  db.one = (sql, params) =>
    sql.includes("append_audit") && !String(params?.[0]).includes('"outcome":"begun"')
      ? Promise.reject(new Error("the process has ended"))
      : one(sql, params);
  const body = { cypher: "CREATE (:Person {name: 'Ana Canary'})", confirm: "cut" };
  const answer = await ask(owner, "POST", `/connections/${id}/graphs/cut/write`, body);
  db.one = one;
  assert(!answer.text.includes("is_written"), "nobody is told of success");
  const entries = await db.query<{ outcome: string; after: string }>(
    `select outcome, "after" from console.audit where target = $1`,
    [`${id}/cut`],
  );
  assert.deepEqual(
    entries.map((each) => [each.outcome, JSON.parse(each.after)]),
    [["begun", { query: "CREATE (:Person {name: ?})" }]],
  );
});

test(
  "a write that fails after its first rows, and one that nobody reads on, are in the audit log as failed",
  { skip },
  async () => {
    const id = await graph(owner, "fails");
    const base = `/connections/${id}/graphs/fails`;
    const outcomes = () =>
      server.ctx.db.console.query<{ outcome: string; error: string }>(
        `select outcome, error from console.audit where target = $1 and outcome <> 'begun' order by "position"`,
        [`${id}/fails`],
      );
    const cypher = "UNWIND range(1, 5000) AS i CREATE (n:N {i: 1 / (4900 - i)}) RETURN n.i";
    const broken = linesOf(await ask(owner, "POST", `${base}/write`, { cypher, confirm: "fails" }));
    assert(broken.at(-1).error, "it has failed");
    assert.equal((await outcomes()).at(-1)?.outcome, "failed");
    const stopping = new AbortController();
    const endless = "UNWIND range(1, 1000000) AS i CREATE (n:N {i: i}) RETURN n.i";
    const answer = await fetch(`${server.url}/_parley/admin/v1/explorer${base}/write`, {
      method: "POST",
      headers: { authorization: `Bearer ${owner.token}`, "content-type": "application/json" },
      body: JSON.stringify({ cypher: endless, confirm: "fails", timeout_s: 60 }),
      signal: stopping.signal,
    });
    await answer.body?.getReader().read();
    stopping.abort();
    while ((await outcomes()).length < 2);
    assert.equal((await outcomes()).at(-1)?.outcome, "failed");
  },
);
