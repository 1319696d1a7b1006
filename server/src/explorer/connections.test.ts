/** Connections through the operator API: who may, where they lead, and that a password comes out nowhere. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startExplorer } from "../../../testkit/src/explorer.ts";
import { explorerOf } from "./open.ts";

const world = await startExplorer();
const { skip, server, owner, operator, auditor, ana, logged, fields, ask, save, graph } = world;
after(() => world.stop());

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

test("whose right to the explorer ends has no saved connections any more, and the others keep theirs", async () => {
  const [kept, id] = [await save(owner), await save(operator)];
  const count = async (who: { userId: string }) => (await explorerOf(server.ctx).store.list(who.userId)).length;
  const role = (to: string | null) =>
    owner.call("PUT", `/_parley/admin/v1/users/${operator.userId}/role`, { role: to, reason: "moved on" });
  await role("owner");
  assert((await count(operator)) > 0, "more rights take nothing away");
  await role(null);
  assert.equal(await count(operator), 0);
  await role("operator");
  assert.equal((await ask(operator, "GET", `/connections/${id}/graphs`)).status, 404);
  await save(operator);
  await role("auditor");
  assert.equal(await count(operator), 0);
  await role("operator");
  await save(operator);
  await owner.call("POST", `/_parley/admin/v1/users/${operator.userId}/deactivate`, { reason: "left" });
  assert.equal(await count(operator), 0);
  assert((await explorerOf(server.ctx).store.get(owner.userId, kept)) !== undefined);
});
