/** Against a real PostgreSQL with Apache AGE, whose library no connection has loaded beforehand. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { startAge } from "../../../testkit/src/age.ts";
import { soon } from "../../../testkit/src/wait.ts";
import { connectForeign, type ForeignServer } from "../db/foreign.ts";
import { MatrixError } from "../errors.ts";
import { realSeams } from "../seams.ts";
import type { Json } from "./agtype.ts";
import { graphsOf, schemaOf, tryOut } from "./look.ts";
import { openPools } from "./pools.ts";
import { type Part, plan, type Run, run, type Way } from "./run.ts";
import { fill, templates } from "./templates.ts";

const age = await startAge({ preload: false });
const skip = "missing" in age && age.missing;
const server = "missing" in age ? undefined : serverAt(age.url);
const pools = openPools(realSeams);
after(async () => {
  await pools.close();
  if (!("missing" in age)) await age.stop();
});

function serverAt(address: string): ForeignServer {
  const { hostname: host, port, username: user, password } = new URL(address);
  return {
    host,
    addresses: [host],
    port: Number(port),
    database: "postgres",
    user,
    password: () => password,
    tls: "disable",
  };
}

const describe = async () => server as ForeignServer;
const way: Way = {
  take: () => pools.take({ owner: "ana", id: "a", version: 1 }, describe),
  describe,
  seams: realSeams,
};

const asked = (cypher: string, over: Partial<Run> = {}): Run => ({
  graph: "people",
  cypher,
  timeout_ms: 10_000,
  rows: 5_000,
  mayWrite: false,
  signal: new AbortController().signal,
  ...over,
});

async function all(cypher: string, over: Partial<Run> = {}) {
  const parts: Part[] = [];
  for await (const part of run(way, asked(cypher, over))) parts.push(part);
  const rows = parts.flatMap((part): readonly (readonly Json[])[] => ("rows" in part ? part.rows : []));
  const done = parts.flatMap((part) => ("done" in part ? [part.done] : []))[0];
  return { rows, done, columns: parts.flatMap((part) => ("columns" in part ? part.columns : [])) };
}

async function failure(cypher: string, over: Partial<Run> = {}): Promise<MatrixError> {
  try {
    await all(cypher, over);
  } catch (thrown) {
    assert(thrown instanceof MatrixError, String(thrown));
    return thrown;
  }
  throw new Error(`${cypher} did not fail`);
}

async function sql(text: string): Promise<readonly (readonly (string | null)[])[]> {
  const connection = await connectForeign(await describe(), realSeams);
  try {
    return await connection.query(text);
  } finally {
    await connection.end();
  }
}

const write = (cypher: string) => all(cypher, { mayWrite: true });

test("a graph is there", { skip }, async () => {
  await sql("select '1'::ag_catalog.agtype");
  await sql("select ag_catalog.create_graph('people')");
  await write("UNWIND range(1, 1000) AS i CREATE (:Person {name: 'p' + toString(i), i: i})");
  await write(
    "MATCH (a:Person), (b:Person) WHERE b.i = a.i + 1 AND a.i < 50 CREATE (a)-[:KNOWS {since: 2000 + a.i}]->(b)",
  );
  assert.deepEqual(await graphsOf(way), [{ name: "people", labels: 1, edges: 1 }]);
});

test("rows come with the names of their columns, as JSON", { skip }, async () => {
  const { columns, rows, done } = await all(
    "MATCH (n:Person)-[r]->() WHERE n.i = 7 RETURN n, r.since AS since, n.i / 2.0",
  );
  assert.deepEqual(columns, ["n", "since", "n.i / 2.0"]);
  const [[vertex, since, half] = []] = rows;
  assert.deepEqual((vertex as { $vertex: { properties: object } }).$vertex.properties, { i: 7, name: "p7" });
  assert.deepEqual([since, half], [2007, 3.5]);
  assert.equal(done?.is_written, false);
});

test("parameters are values: nothing in them is Cypher or SQL", { skip }, async () => {
  const value = "p1' OR true $$) as (a agtype); drop table x; --";
  const one = await all("MATCH (n:Person) WHERE n.name = $name RETURN n", {
    parameters: JSON.stringify({ name: value }),
  });
  assert.deepEqual(one.rows, []);
  const two = await all("MATCH (n:Person) WHERE n.i IN $list RETURN n.i ORDER BY n.i", {
    parameters: '{"list": [3, 2]}',
  });
  assert.deepEqual(two.rows, [[2], [3]]);
  assert.equal((await failure("RETURN $missing")).fields["position"], 7);
});

test("what reads changes nothing, whatever stands in it", { skip }, async () => {
  // The control: PostgreSQL's own check lets this through in AGE.
  await sql(
    `begin read only; set local search_path = ag_catalog; select '1'::agtype;
     select * from cypher('people', $$ MATCH (n:Person {i: 1000}) SET n.hole = 1 $$) as (a agtype); commit`,
  );
  assert.deepEqual((await all("MATCH (n:Person {i: 1000}) RETURN n.hole")).rows, [[1]]);
  for (const cypher of [
    "MATCH (n:Person {i: 1}) SET n.name = 'evil'",
    "MATCH (n:Person {i: 1}) DETACH DELETE n",
    "MATCH (n:Person {i: 1}) /**/ ReMoVe n.name",
    "CREATE (:Person {name: 'evil'})",
    "MERGE (:Evil)",
  ])
    assert.equal((await failure(cypher)).fields["reason"], "writes", cypher);
  assert.deepEqual((await all("MATCH (n:Person {i: 1}) RETURN n.name")).rows, [["p1"]]);
});

test("no function of the database is reached: what it does would stay", { skip }, async () => {
  const locks = async () =>
    Number((await sql("select count(*) from pg_locks where locktype = 'advisory' and objid = 77"))[0]?.[0]);
  const call = "(pg_catalog).pg_try_advisory_lock(77::pg_bigint)";
  // The control: brackets hide a schema from who looks for `name.name(`, and not from AGE.
  const raw = await connectForeign(await describe(), realSeams);
  await raw.query("select '1'::ag_catalog.agtype");
  const asSql = `select * from ag_catalog.cypher('people', $$ RETURN ${call} $$) as (a ag_catalog.agtype)`;
  await raw.query(asSql);
  assert.equal(await locks(), 1);
  await raw.end();
  for (const text of [call, call.replace(/[()]/g, ""), "pg_catalog.(pg_try_advisory_lock(77::pg_bigint))"])
    assert.equal((await failure(`RETURN ${text}`)).errcode, "M_INVALID_PARAM", text);
  assert.equal(await locks(), 0);
});

test("an answer that can not be shown is told as one", { skip }, async () => {
  const error = await failure(`RETURN ${"[".repeat(200)}1${"]".repeat(200)}`);
  assert.equal(error.errcode, "M_BAD_STATE");
  assert.match(error.message, /nested deeper/);
  assert.deepEqual((await all("RETURN 1")).rows, [[1]]);
});

test("a read that would write all the same is rolled back", { skip }, async () => {
  // As if a clause that writes had not been recognised: `run` is told of none, and the text writes.
  const disguised = asked("MATCH (n:Person {i: 2}) RETURN n.name");
  const hidden: Way = {
    ...way,
    take: async () => {
      const taken = await way.take();
      const stream = (text: string, values: readonly unknown[], rows: number) =>
        taken.connection.stream(text.replace("RETURN n.name", "SET n.name = 'evil' RETURN n.name"), values, rows);
      return { ...taken, connection: { ...taken.connection, stream } };
    },
  };
  const rows: unknown[] = [];
  for await (const part of run(hidden, disguised)) if ("rows" in part) rows.push(...part.rows);
  assert.deepEqual(rows, [["evil"]], "it was written, for as long as the transaction lived");
  assert.deepEqual((await all("MATCH (n:Person {i: 2}) RETURN n.name")).rows, [["p2"]]);
});

test("rows beyond the most are left, and what writes writes all the same", { skip }, async () => {
  const some = await all("MATCH (n:Person) RETURN n.i", { rows: 250 });
  assert.equal(some.rows.length, 250);
  assert.deepEqual([some.done?.rows, some.done?.has_more], [250, true]);
  const exact = await all("MATCH (n:Person) RETURN n.i", { rows: 1_000 });
  assert.deepEqual([exact.done?.rows, exact.done?.has_more], [1_000, false]);
  const written = await all("MATCH (n:Person) SET n.mark = 1 RETURN n.i", { rows: 10, mayWrite: true });
  assert.deepEqual([written.rows.length, written.done?.has_more, written.done?.is_written], [10, true, true]);
  assert.deepEqual((await all("MATCH (n:Person) WHERE n.mark = 1 RETURN count(*)")).rows, [[1_000]]);
});

const endless = "MATCH (a:Person), (b:Person), (c:Person) WHERE a.i + b.i + c.i = -1 RETURN count(*)";

async function running(): Promise<number> {
  const [row] = await sql(
    "select count(*) from pg_stat_activity where state = 'active' and query like '%ag_catalog.cypher%' and pid <> pg_backend_pid()",
  );
  return Number(row?.[0]);
}

test("a query whose time is over is stopped in the database", { skip }, async () => {
  const begun_ms = performance.now();
  const error = await failure(endless, { timeout_ms: 300 });
  assert.equal(error.fields["reason"], "timeout");
  assert(performance.now() - begun_ms < 3_000);
  assert.equal(await running(), 0);
});

test("a query whose asker goes away is stopped in the database", { skip }, async () => {
  const asker = new AbortController();
  const failing = failure(endless, { signal: asker.signal, timeout_ms: 60_000 });
  while ((await running()) === 0);
  asker.abort(new Error("gone"));
  assert.equal((await failing).fields["reason"], "stopped");
  assert.equal(await running(), 0);
});

/** A server that lets everybody in and then says nothing any more. */
async function silentServer() {
  const letIn = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]);
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => socket.write(letIn));
  }).listen(0, "127.0.0.1");
  await once(silent, "listening");
  return {
    port: (silent.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      silent.close();
      await once(silent, "close");
    },
  };
}

test(
  "where the database does not answer who would stop a query, nobody waits for it, and its place is free",
  { skip },
  async () => {
    await using silent = await silentServer();
    const own = openPools(realSeams);
    const deaf: Way = {
      ...way,
      take: () => own.take({ owner: "ana", id: "deaf", version: 1 }, describe),
      describe: async () => ({ ...(server as ForeignServer), port: silent.port }),
    };
    const running = run(deaf, asked(endless, { timeout_ms: 300 })).next();
    await soon("the query ends", assert.rejects(running, { fields: { reason: "timeout" } }));
    assert.deepEqual(own.size(), { pools: 0, connections: 0 });
    await own.close();
  },
);

test("an error is told with its place in the text, also behind characters of two units", { skip }, async () => {
  assert.equal((await failure("MATCH (n:Person) RETRUN n")).fields["position"], 17);
  assert.equal((await failure("MATCH (n {a: '😀😀'}) RETRUN n")).fields["position"], 22);
  assert.equal((await failure("MATCH (n) RETURN n", { graph: "nobody" })).errcode, "M_NOT_FOUND");
});

test("an answer that is too large breaks off, and the next query has a connection", { skip }, async () => {
  const error = await failure(
    "UNWIND range(1, 2000000) AS i RETURN i + 1, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'",
    { rows: 10_000_000, timeout_ms: 60_000 },
  );
  assert.equal(error.fields["reason"], "too_large");
  assert.deepEqual((await all("RETURN 1")).rows, [[1]]);
});

test("the plan is told without running", { skip }, async () => {
  const told = JSON.stringify(
    await plan(way, asked("MATCH (n:Person) WHERE n.i = $i RETURN n", { parameters: '{"i": 1}' })),
  );
  assert.match(told, /Seq Scan/);
  await assert.rejects(plan(way, asked("MATCH (n RETURN n")), MatrixError);
});

test("the schema has labels, edge types and properties, with counts", { skip }, async () => {
  const schema = await schemaOf(way, "people");
  assert.deepEqual(
    schema.labels.map(({ name, count, is_estimate }) => ({ name, count, is_estimate })),
    [{ name: "Person", count: 1_000, is_estimate: false }],
  );
  assert.deepEqual(
    schema.labels[0]?.properties.map(({ name }) => name),
    ["i", "mark", "name"],
  );
  const [edge] = schema.edges;
  assert.deepEqual([edge?.name, edge?.count, edge?.between], ["KNOWS", 49, [{ from: "Person", to: "Person" }]]);
  await assert.rejects(schemaOf(way, "nobody"), MatrixError);
});

test("every template runs on a graph with names that need quotes", { skip }, async () => {
  await write(
    "CREATE (a:`Odd_label` {`odd name`: 'x'})-[:`ODD_EDGE`]->(b:`Odd_label` {`odd name`: 'y'})-[:`ODD_EDGE`]->(a), (:`Odd_label` {`odd name`: 'z'})",
  );
  const found: Record<string, number> = {};
  for (const { id, cypher, parameters } of templates) {
    const text = fill(cypher, { label: "Odd_label", edge: "ODD_EDGE", property: "odd name" });
    const given = JSON.stringify({ ...parameters, from: "x", to: "y", value: "x" });
    found[id] = (await all(text, { parameters: given })).rows.length;
  }
  assert.deepEqual(found, { "shortest-path": 1, neighbours: 2, influencers: 2, cycles: 2, isolated: 1 });
});

test("a trial says what is there, or what is wrong", { skip }, async () => {
  const good = await tryOut(way);
  assert.equal(good.ok, true);
  assert.equal(good.graphs, 1);
  const trial = async (over: Partial<ForeignServer>) => {
    const other = async () => ({ ...(server as ForeignServer), ...over });
    const id = JSON.stringify(over);
    return (await tryOut({ ...way, take: () => pools.take({ owner: "ana", id, version: 1 }, other), describe: other }))
      .reason;
  };
  assert.equal(await trial({ password: () => "wrong" }), "28P01");
  const locked = async () => ({ ...(server as ForeignServer), password: () => "wrong" });
  const closed = { ...way, take: () => pools.take({ owner: "ana", id: "locked", version: 1 }, locked) };
  const told = { errcode: "M_BAD_STATE", fields: { reason: "28P01" } };
  await assert.rejects(graphsOf(closed), told);
  await assert.rejects(run(closed, asked("return 1")).next(), told);
  assert.equal(await trial({ database: "nobody" }), "3D000");
  assert.equal(await trial({ port: 1 }), "ECONNREFUSED");
  assert.equal(await trial({ database: "template1" }), "no_age");
  assert.match(
    (
      await tryOut({
        ...way,
        take: () =>
          pools.take({ owner: "b", id: "t", version: 1 }, async () => ({
            ...(server as ForeignServer),
            tls: "verify-full",
          })),
      })
    ).error ?? "",
    /speaks no TLS/,
  );
});

test("a pool is one person's, of one version of one connection", { skip }, async () => {
  const own = openPools(realSeams);
  const key = { owner: "ana", id: "a", version: 1 };
  const first = await own.take(key, describe);
  first.release();
  const again = await own.take(key, describe);
  assert.equal(again.connection.pid, first.connection.pid);
  again.release();
  for (const other of [
    { ...key, owner: "ben" },
    { ...key, version: 2 },
    { ...key, id: "b" },
  ]) {
    const taken = await own.take(other, describe);
    assert.notEqual(taken.connection.pid, first.connection.pid);
    taken.release();
  }
  own.drop(key);
  assert.deepEqual(own.size(), { pools: 2, connections: 2 });
  await own.close();
});

test("a pool is bounded", { skip }, async () => {
  const own = openPools(realSeams);
  const key = { owner: "ana", id: "a", version: 1 };
  const taken = await Promise.all([1, 2, 3].map(() => own.take(key, describe)));
  await assert.rejects(own.take(key, describe), (thrown) => thrown instanceof MatrixError && thrown.status === 429);
  taken[0]?.release();
  (await own.take(key, describe)).release();
  for (const each of taken) each.release();
  await own.close();
});

test("who stops reading in the middle leaves a connection that goes on", { skip }, async () => {
  const own = openPools(realSeams);
  const alone: Way = { ...way, take: () => own.take({ owner: "ana", id: "stop", version: 1 }, describe) };
  for await (const part of run(alone, asked("MATCH (n:Person) RETURN n.i"))) if ("rows" in part) break;
  assert.deepEqual(own.size(), { pools: 1, connections: 1 });
  for await (const part of run(alone, asked("RETURN 1"))) assert(part);
  assert.deepEqual(own.size(), { pools: 1, connections: 1 });
  await own.close();
});
