/** An act that is not one transaction with its entry leaves a trace, wherever its process ends. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { registerPerson } from "../../../../testkit/src/http.ts";
import { makeAdministrator } from "../../../../testkit/src/operators.ts";
import { startTestServer } from "../../../../testkit/src/server.ts";
import { readAccount } from "../../auth/for-operators.ts";
import { operations } from "../operations.ts";
import { listEntries } from "./entries.ts";

const API = "/_parley/admin/v1";
const server = await startTestServer();
after(() => server[Symbol.asyncDispose]());
const root = await makeAdministrator(server, "root");

/** The process can write no end of an act any more, as if it had ended by then. */
function endsBeforeTheEnd(): Disposable {
  const { console: db } = server.ctx.db;
  const { one } = db;
  db.one = (sql, params) =>
    sql.includes("append_audit") && !String(params?.[0]).includes('"outcome":"begun"')
      ? Promise.reject(new Error("the process has ended"))
      : one(sql, params);
  return { [Symbol.dispose]: () => void (db.one = one) };
}

test("an act whose process ends before its entry is in the log as begun", async () => {
  const ana = await registerPerson(server.url, "ana");
  {
    using _ = endsBeforeTheEnd();
    const answer = await root.ask("POST", `${API}/users/${ana.userId}/suspend`, { reason: "a lost laptop" });
    assert.equal(answer.status, 500, "nobody is told of success");
  }
  assert.equal((await readAccount(server.ctx, ana.userId))?.status, "suspended", "it was done");
  const { items } = await root.call("GET", `${API}/audit?outcome=begun`);
  assert.deepEqual(
    items.map(({ action, target, reason, actor }: Record<string, string>) => [action, target, reason, actor]),
    [["users.suspend", ana.userId, "a lost laptop", root.userId]],
  );
  assert.equal((await root.call("GET", `${API}/audit/verify`)).ok, true);
});

test("an act that ended is one line of the list and two of the export, the second naming the first", async () => {
  const ben = await registerPerson(server.url, "ben");
  await root.call("POST", `${API}/users/${ben.userId}/suspend`, { reason: "left" });
  const { items } = await root.call("GET", `${API}/audit?target=${encodeURIComponent(ben.userId)}`);
  assert.deepEqual(
    items.map(({ outcome }: { outcome: string }) => outcome),
    ["done"],
  );
  const whole = await listEntries(server.ctx, { target: ben.userId }, { below: null, limit: 10, isWhole: true });
  assert.deepEqual(
    whole.map(({ outcome, begun }) => [outcome, begun]),
    [
      ["done", whole[1]?.position],
      ["begun", null],
    ],
  );
});

test("which entry said that it has begun is under the hash", async () => {
  const carl = await registerPerson(server.url, "carl");
  await root.call("POST", `${API}/users/${carl.userId}/suspend`, { reason: "left" });
  const { one } = server.ctx.db.console;
  const last = await one<{ position: number; begun: number }>(
    `select "position", begun from console.audit order by "position" desc limit 1`,
  );
  assert.equal(last?.begun, (last?.position ?? 0) - 1);
  const hashes = await one<{ same: boolean; other: boolean }>(
    `select console.audit_hash(a) = a.hash as same,
       console.audit_hash(jsonb_populate_record(a, '{"begun": 1}')) = a.hash as other
     from console.audit a where "position" = $1`,
    [last?.position],
  );
  assert.deepEqual(hashes, { same: true, other: false });
});

test("every act that changes something is one transaction or says that it has begun", () => {
  const transactions = operations.filter(({ isOneTransaction }) => isOneTransaction).map(({ id }) => id);
  assert.deepEqual(
    transactions.toSorted(),
    [
      "imports.channels",
      "imports.people",
      "legal.end",
      "legal.export",
      "legal.grant",
      "retention.disable",
      "retention.drop_room",
      "retention.set",
      "retention.set_room",
      "users.erase",
      "users.export",
      "users.transfer",
    ],
    "what is added here changes nothing outside of `transact`",
  );
});

test("what PostgreSQL can not keep is refused with a sentence, in bodies, addresses and queries", async () => {
  const dora = await registerPerson(server.url, "dora");
  const path = `${API}/users/${dora.userId}`;
  for (const text of ["a\u0000b", "a\ud800b"]) {
    const named = await root.ask("PUT", `${path}/display-name`, { display_name: text, reason: "x" });
    assert.deepEqual([named.status, named.body.errcode], [400, "M_BAD_JSON"]);
    assert.match(named.body.error, /"display_name" has a character that can not be kept/);
    const reason = await root.ask("POST", `${path}/suspend`, { reason: text });
    assert.deepEqual([reason.status, reason.body.errcode], [400, "M_BAD_JSON"]);
    const many = await root.ask("POST", `${API}/users/suspend`, { user_ids: [dora.userId, text], reason: "x" });
    assert.deepEqual([many.status, many.body.errcode], [400, "M_BAD_JSON"]);
  }
  for (const address of [`${API}/users?q=%00`, `${API}/users/%00`, `${API}/audit?actor=a%00b`]) {
    const answer = await root.ask("GET", address);
    assert.deepEqual([address, answer.status, answer.body.errcode], [address, 400, "M_INVALID_PARAM"]);
  }
});
