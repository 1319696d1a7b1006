/** The audit log: one chain, whoever writes it, and nothing in it can be changed without being found. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { makeAdministrator, makeOperator } from "../../../../testkit/src/operators.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";
import type { Context } from "../../context.ts";
import { connectOwner } from "../../db/database.ts";
import { limits } from "../../limits.ts";
import { appendAudit } from "./append.ts";
import { verifyAudit } from "./verify.ts";

const AUDIT = "/_parley/admin/v1/audit";

function entry(ctx: Context, n: number, extra: object = {}): Promise<void> {
  const actor = { userId: "@ana:localhost", via: "token" as const, address: "127.0.0.1" };
  const act = { actor, action: "users.suspend", target: `@p${n}:localhost`, outcome: "done" as const, ...extra };
  return appendAudit(ctx, [act]);
}

async function openWith(entries: number) {
  const server = await startTestServer();
  for (let n = 1; n <= entries; n++) await entry(server.ctx, n);
  return server;
}

/** As somebody with all rights over the database. */
async function asOwner({ databaseUrl }: TestServer, ...statements: string[]): Promise<void> {
  const client = await connectOwner(databaseUrl);
  try {
    for (const each of statements) await client.query(each);
  } finally {
    await client.end();
  }
}

test("what was written is right, whatever characters are in it", async () => {
  await using server = await startTestServer();
  const { ctx } = server;
  const hard = `"\\ \b\f\n\r\t\u0001\u001f\u007f\u2028 é 漢 😀 \ud800 \0 </script>`;
  await entry(ctx, 1, { reason: hard, target: hard, change: { before: { [hard]: hard }, after: [null, 1.5, hard] } });
  await entry(ctx, 2, { change: { after: "x".repeat(100_000) } });
  // What is too long is cut, and the cut may go through a character.
  await entry(ctx, 3, { target: `${"x".repeat(limits.operatorReason_characters - 1)}😀` });
  const { right, problem } = await verifyAudit(ctx, {});
  assert.deepEqual([right.position, problem], [3, undefined]);
});

const tamperings: Record<string, { sql: string[]; at: number }> = {
  "a changed actor": { sql: ["update console.audit set actor = '@eve:localhost' where position = 3"], at: 3 },
  "a changed time": { sql: ["update console.audit set time_us = time_us + 1 where position = 1"], at: 1 },
  "a changed reason": { sql: ["update console.audit set reason = 'because' where position = 5"], at: 5 },
  "a changed target and its hash made anew": {
    sql: [
      "update console.audit set target = 'x' where position = 3",
      "update console.audit a set hash = console.audit_hash(a) where position = 3",
    ],
    at: 4,
  },
  "a row that was deleted": { sql: ["delete from console.audit where position = 2"], at: 2 },
  "the first row deleted": { sql: ["delete from console.audit where position = 1"], at: 1 },
  "the last row deleted": { sql: ["delete from console.audit where position = 6"], at: 6 },
  "two rows swapped": {
    sql: [
      "update console.audit set position = -2 where position = 2",
      "update console.audit set position = 2 where position = 3",
      "update console.audit set position = 3 where position = -2",
    ],
    at: 2,
  },
  "the end of the chain moved": { sql: ["update console.audit_head set hash = sha256('x')"], at: 7 },
  "the end of the chain gone": { sql: ["delete from console.audit_head"], at: 0 },
};

for (const [what, { sql, at }] of Object.entries(tamperings))
  test(`the check finds ${what}`, async () => {
    await using server = await openWith(6);
    assert.equal((await verifyAudit(server.ctx, {})).problem, undefined);
    await asOwner(server, ...sql);
    assert.equal((await verifyAudit(server.ctx, {})).problem?.position, at);
  });

test("entries cut off the end are found by an end that was remembered", async () => {
  await using server = await openWith(6);
  const { right: remembered } = await verifyAudit(server.ctx, {});
  await asOwner(
    server,
    "delete from console.audit where position > 4",
    `update console.audit_head h set position = 4, hash = a.hash from console.audit a where a.position = 4`,
  );
  assert.equal((await verifyAudit(server.ctx, {})).problem, undefined, "what is there is right by itself");
  assert.equal((await verifyAudit(server.ctx, { remembered })).problem?.position, 5);
  for (const n of [7, 8]) await entry(server.ctx, n);
  assert.equal((await verifyAudit(server.ctx, { remembered })).problem?.position, 6, "written anew, it is another");
});

test("the server itself may neither change nor delete an entry", async () => {
  await using server = await openWith(1);
  for (const sql of [
    "update console.audit set actor = 'x'",
    "delete from console.audit",
    "truncate console.audit",
    "alter table console.audit disable trigger all",
  ])
    await assert.rejects(server.ctx.db.console.query(sql), /permission denied|must be owner/, sql);
});

test("writers on two replicas make one chain", async () => {
  await using one = await startTestServer();
  await using other = await startTestServer({ databaseUrl: one.databaseUrl });
  const all = Array.from({ length: 60 }, (_, n) => entry([one, other][n % 2]?.ctx as Context, n));
  await Promise.all(all);
  assert.deepEqual(await verifyAudit(one.ctx, {}), { right: (await verifyAudit(other.ctx, {})).right });
  assert.equal((await verifyAudit(one.ctx, {})).right.position, 60);
});

test("operators list, filter, read, verify and export the log, and that it was exported is in it", async () => {
  await using server = await openWith(5);
  const admin = await makeAdministrator(server, "root");
  await entry(server.ctx, 9, { action: "rooms.close", reason: '=1+1, "x"', outcome: "failed", error: "M_NOT_FOUND" });
  const positions = async (query: string) =>
    (await admin.call("GET", `${AUDIT}?${query}`)).items.map((each: { position: number }) => each.position);
  assert.deepEqual(await positions(""), [6, 5, 4, 3, 2, 1]);
  assert.deepEqual(await positions("action=users&limit=500"), [5, 4, 3, 2, 1]);
  assert.deepEqual(await positions("outcome=failed"), [6]);
  assert.deepEqual(await positions("target=@p2:localhost"), [2]);
  const first = await admin.call("GET", `${AUDIT}?limit=4`);
  assert.deepEqual(await positions(`limit=4&from=${first.next}`), [2, 1]);
  assert.equal((await admin.call("GET", `${AUDIT}/6`)).error, "M_NOT_FOUND");
  assert.equal((await admin.ask("GET", `${AUDIT}/99`)).status, 404);
  const verified = await admin.call("GET", `${AUDIT}/verify`);
  assert.deepEqual([verified.ok, verified.verified_to], [true, 6]);
  const csv = String((await admin.ask("GET", `${AUDIT}/export?format=csv`)).body);
  assert.match(csv, /^position,time_ts,actor,/);
  assert.match(csv, /,"'=1\+1, ""x""",/);
  const lines = String((await admin.ask("GET", `${AUDIT}/export`)).body)
    .trim()
    .split("\n");
  assert.equal(lines.length, 8, "with the export before this one");
  assert.equal(JSON.parse(lines[0] as string).action, "audit.export");
});

test("what a newer release has written is told as it is: while it is rolled out, older processes read the same log", async () => {
  await using server = await startTestServer();
  const admin = await makeAdministrator(server, "root");
  const actor = { userId: "@ana:localhost", via: "telepathy" as never, address: "127.0.0.1" };
  await entry(server.ctx, 1, { actor, action: "thoughts.read", outcome: "postponed" });
  const words = ({ via, action, outcome }: Record<string, unknown>) => [via, action, outcome];
  const newer = ["telepathy", "thoughts.read", "postponed"];
  const { items } = await admin.call("GET", AUDIT);
  assert.deepEqual(items.map(words), [newer]);
  assert.deepEqual(words(await admin.call("GET", `${AUDIT}/1`)), newer);
  assert.equal((await admin.call("GET", `${AUDIT}/verify`)).ok, true);
  assert.match(String((await admin.ask("GET", `${AUDIT}/export?format=csv`)).body), /,telepathy,.*,postponed,/);
});

test("whoever may not act is refused, and what they tried is in the log", async () => {
  await using server = await startTestServer();
  const admin = await makeAdministrator(server, "root");
  const auditor = await makeOperator(server, "olga", "auditor");
  const refused = await auditor.ask("POST", "/_parley/admin/v1/users/@root:localhost/suspend", { reason: "x" });
  assert.deepEqual([refused.status, refused.body.required_role], [403, "operator"]);
  const [entry] = (await admin.call("GET", `${AUDIT}?outcome=denied`)).items;
  assert.deepEqual(
    [entry.actor, entry.action, entry.target, entry.error],
    [auditor.userId, "users.suspend", "@root:localhost", "M_FORBIDDEN"],
  );
});
