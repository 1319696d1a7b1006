/** The access graph in Apache AGE, as it gets there and as it is missed. What it answers is checked by ../questions.test.ts. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Age, graphGrants, missingAge, startAge } from "../../../../testkit/src/age.ts";
import { makeOperator } from "../../../../testkit/src/operators.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";
import { type Connection, connectOwner } from "../../db/database.ts";
import { migrate } from "../../db/migrate.ts";
import { limits } from "../../limits.ts";
import { graphsOf } from "../../explorer/look.ts";
import { OWN, wayTo } from "../../explorer/open.ts";
import { run } from "../../explorer/run.ts";
import { answer, openGraph } from "../open.ts";
import { readProgress } from "../project.ts";
import { orphans } from "../questions/orphans.ts";
import { reach } from "../questions/reach.ts";
import { turn } from "../worker.ts";

const PERSON = "@p1:localhost";
/** More than one statement takes. */
const ROOMS = limits.graphMirrorPage * 2 + 1;

describe("the access graph in Apache AGE", { skip: missingAge() }, () => {
  let age: Age;
  let server: TestServer;
  let owner: Connection;
  before(async () => {
    const started = await startAge({ preload: false });
    assert.ok("url" in started);
    age = started;
    await migrate(age.url);
    owner = await connectOwner(age.url);
    await owner.query(graphGrants);
    // The worker is the test's own, so that it is known when everything is in.
    server = await startTestServer({ config: { roles: ["auth", "messages", "web"] }, databaseUrl: age.url });
    await owner.query(
      "insert into graph.people (user_id) select '@p' || i || ':localhost' from generate_series(1, 3) i",
    );
    await owner.query(
      "insert into graph.rooms (room_id) select '!r' || i || ':localhost' from generate_series(1, $1) i",
      [ROOMS],
    );
    await owner.query(
      `insert into graph.memberships (user_id, room_id, membership, since_ms, since_position, by_user)
       select $1, room_id, case id % 2 when 0 then 'join' else 'ban' end, id, id, $1 from graph.rooms`,
      [PERSON],
    );
    await keepUp();
  });
  after(async () => {
    await owner?.end();
    await server?.stop();
    const crashes = age?.crashes() ?? [];
    await age?.stop();
    assert.deepEqual(crashes, [], "a session ended by a fault, and all others with it");
  });

  const keepUp = async () => {
    while (await turn(server.ctx, "test", new AbortController().signal));
  };
  const isMirrored = async () => (await readProgress(server.ctx)).mirrored;
  const inBoth = async () => [await openGraph(server.ctx, true), await openGraph(server.ctx, false)] as const;

  test("tables of many pages are there whole, each row once", async () => {
    assert.equal(await isMirrored(), true);
    const [graph, tables] = await inBoth();
    const known = async (from: typeof graph) =>
      (await from.membershipsOf(PERSON)).map(({ roomId, membership }) => `${roomId} ${membership}`).toSorted();
    const found = await known(graph);
    assert.equal(found.length, ROOMS);
    assert.deepEqual(found, await known(tables));
  });

  test("a graph that is brought anew has nothing of the one before", async () => {
    await owner.query("update graph.progress set mirrored = false");
    await owner.query("delete from graph.memberships where membership = 'ban'");
    await keepUp();
    const [graph, tables] = await inBoth();
    assert.equal((await graph.membershipsOf(PERSON)).length, (await tables.membershipsOf(PERSON)).length);
  });

  test("a graph that a version without exports has made gets what is new, and keeps what there was", async () => {
    for (const label of ["FETCHED", "HAS_DATA_OF", "OPENS", "HOLDS", "Export", "LegalAccess"])
      await owner.query("select ag_catalog.drop_label('parley_access', $1)", [label]);
    await owner.query(
      `insert into graph.exports (export_id, user_id, made_by, made_ms, until_ms) values (7, $1, $1, 1, 2)`,
      [PERSON],
    );
    await keepUp();
    assert.equal(await isMirrored(), true);
    const [graph] = await inBoth();
    assert.deepEqual(
      (await graph.exports({ of: "person", userId: PERSON })).map(({ exportId }) => exportId),
      [7],
    );
    assert.equal((await graph.rooms(["!r1:localhost"])).length, 1);
  });

  test("while somebody has dropped the graph, or taken a right away, the tables answer, and then it is there again", async () => {
    const asked = () => answer(server.ctx, (graph) => reach(graph, { userId: PERSON }));
    const { back_end, sentence } = await asked();
    assert.equal(back_end, "age");
    const away = [
      ["select ag_catalog.drop_graph('parley_access', true)", "select 1"],
      ["revoke usage on schema ag_catalog from parley_graph", graphGrants],
    ] as const;
    for (const [takeAway, giveBack] of away) {
      await owner.query(takeAway);
      const without = await asked();
      assert.deepEqual([without.back_end, without.sentence], ["tables", sentence], takeAway);
      assert.equal(await isMirrored(), false);
      await owner.query(giveBack);
      await keepUp();
      assert.equal((await asked()).back_end, "age", takeAway);
    }
  });

  test("the explorer's own connection reads the graph and nothing else, for owners", async () => {
    const way = await wayTo(server.ctx, "@olga:localhost", OWN);
    assert.deepEqual(
      (await graphsOf(way)).map(({ name }) => name),
      ["parley_access"],
    );
    const asked = {
      graph: "parley_access",
      cypher: "MATCH (p:Person) RETURN p.user_id ORDER BY p.user_id LIMIT 1",
      timeout_ms: 10_000,
      rows: 10,
      mayWrite: false,
      signal: new AbortController().signal,
    };
    const parts: unknown[] = [];
    for await (const part of run(way, asked)) parts.push(part);
    assert.deepEqual(parts.slice(0, 2), [{ columns: ["p.user_id"] }, { rows: [[PERSON]] }]);
    const taken = await way.take();
    await assert.rejects(taken.connection.query("select 1 from auth.users"), { code: "42501" });
    taken.release();
    const [operator, holder] = [
      await makeOperator(server, "omar", "operator"),
      await makeOperator(server, "olga", "owner"),
    ];
    const path = "/_parley/admin/v1/explorer/connections/access-graph/graphs/parley_access";
    for (const [what, more] of [
      ["query", { format: "json" }],
      ["plan", {}],
    ] as const) {
      const body = { cypher: asked.cypher, ...more };
      const refused = await operator.ask("POST", `${path}/${what}`, body);
      assert.deepEqual([refused.status, refused.body.required_role], [403, "owner"], what);
      await holder.call("POST", `${path}/${what}`, body);
    }
    await operator.call("GET", path);
  });

  test("what a question itself says of its ids is no reason to leave Apache AGE", async () => {
    await assert.rejects(
      answer(server.ctx, (graph) => reach(graph, { userId: "@nobody:localhost" })),
      {
        errcode: "M_NOT_FOUND",
      },
    );
    assert.equal(await isMirrored(), true);
    assert.equal((await answer(server.ctx, orphans)).back_end, "age");
  });
});
