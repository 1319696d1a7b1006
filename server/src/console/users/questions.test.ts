/** What operators see of people, through the operator API. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { makeAdministrator } from "../../../../testkit/src/operators.ts";
import { registerPerson, request } from "../../../../testkit/src/http.ts";
import { startTestServer } from "../../../../testkit/src/server.ts";
import { bindAddress } from "../../auth/email/addresses.ts";
import { cursorOf } from "../cursor.ts";

const USERS = "/_parley/admin/v1/users";

test("the list of people has every account once, page by page, in each order", async () => {
  await using server = await startTestServer();
  const admin = await makeAdministrator(server, "root");
  for (const name of ["ana", "ben", "cleo", "dora"]) await registerPerson(server.url, name);
  const all = ["ana", "ben", "cleo", "dora", "root"].map((name) => `@${name}:localhost`);
  for (const sort of ["user_id", "created_ts", "-created_ts", "last_seen_ts", "-last_seen_ts"]) {
    const seen: string[] = [];
    let from: string | undefined;
    do {
      const page = await admin.call("GET", `${USERS}?limit=2&sort=${sort}${from ? `&from=${from}` : ""}`);
      assert.equal(page.total, 5);
      seen.push(...page.items.map((each: { user_id: string }) => each.user_id));
      from = page.next;
    } while (from !== undefined);
    assert.deepEqual(seen.toSorted(), all, sort);
    if (sort === "user_id") assert.deepEqual(seen, all);
  }
});

test("people are found by their id, by their name, by their role and by their status", async () => {
  await using server = await startTestServer();
  const admin = await makeAdministrator(server, "root");
  const ana = await registerPerson(server.url, "ana");
  await registerPerson(server.url, "ben");
  await ana.call("PUT", `/_matrix/client/v3/profile/${ana.userId}/displayname`, { displayname: "Zoë Quist" });
  const found = async (query: string) =>
    (await admin.call("GET", `${USERS}?${query}`)).items.map((each: { user_id: string }) => each.user_id);
  assert.deepEqual(await found("q=be"), ["@ben:localhost"]);
  assert.deepEqual(await found("q=quis"), [ana.userId]);
  await bindAddress(server.ctx, ana.userId, "z.quist@example.org");
  assert.deepEqual(await found("q=Z.Quist@example"), [ana.userId]);
  assert.deepEqual(await found("q=nobody@example"), []);
  assert.deepEqual(await found("role=owner"), [admin.userId]);
  assert.deepEqual(await found("role=any&q=ana"), []);
  assert.deepEqual(await found("status=suspended"), []);
  const shown = await admin.call("GET", `${USERS}/${ana.userId}`);
  assert.equal(shown.display_name, "Zoë Quist");
  assert.equal(shown.devices, 1);
  assert.deepEqual(shown.emails, ["z.quist@example.org"]);
  assert.equal(shown.role, null);
});

test("a query that is not understood, or a cursor of another list, is refused", async () => {
  await using server = await startTestServer();
  const admin = await makeAdministrator(server, "root");
  const cursors = ["", "x", "9".repeat(17), "1e3"].map(
    (key) => `sort=created_ts&from=${cursorOf([key, "@a:localhost"])}`,
  );
  cursors.push(`from=${cursorOf(["", "\0"])}`, `from=${cursorOf(["1", "@a:localhost"])}`);
  for (const query of ["limit=0", "limit=100000", "sort=password_hash", "from=xx", "nothing=1", "status=x", ...cursors])
    assert.equal((await admin.ask("GET", `${USERS}?${query}`)).body.errcode, "M_INVALID_PARAM", query);
  assert.equal((await admin.ask("GET", `${USERS}/@nobody:localhost`)).status, 404);
});

test("nobody but an operator is told anything, and pages of other origins are told nothing", async () => {
  await using server = await startTestServer();
  const ana = await registerPerson(server.url, "ana");
  const none = await request(server.url, "GET", USERS);
  assert.deepEqual([none.status, none.body.errcode], [401, "M_MISSING_TOKEN"]);
  const refused = await ana.ask("GET", USERS);
  assert.deepEqual([refused.status, refused.body.errcode, refused.body.required_role], [403, "M_FORBIDDEN", "auditor"]);
  assert.equal(refused.headers.get("access-control-allow-origin"), null);
});
