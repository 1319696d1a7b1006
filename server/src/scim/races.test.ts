/** Directories that say several things at one moment, and people who come back. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Json } from "../../../testkit/src/http.ts";
import { makeAdministrator } from "../../../testkit/src/operators.ts";
import { openDirectory } from "../../../testkit/src/scim.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { UPSTREAM_CLIENT } from "../../../testkit/src/upstream.ts";
import { readSso } from "../auth/sso/config.ts";
import type { Db } from "../db/database.ts";

const ADMIN = "/_parley/admin/v1";
const reason = "a test";

const provider = { id: "test", name: "Test ID", issuer: "https://sso.example", ...UPSTREAM_CLIENT };
const sso = readSso({ PARLEY_SSO_PROVIDERS: JSON.stringify([provider]) });
const server = await startTestServer({ config: { sso, databaseConnections: 8 } });
after(() => server.stop());
const root = await makeAdministrator(server, "root");
const directory = await openDirectory(server, { owner: root, name: "Okta", provider: "test" });
const { auth } = server.ctx.db;

const patch = (...Operations: object[]) => ({ Operations });
const replace = (path: string, value: unknown) => patch({ op: "replace", path, value });

async function make(name: string, more: object = {}): Promise<string> {
  const made = await directory.ask("POST", "/Users", { userName: name, ...more });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return `/Users/${made.body.id}`;
}

async function untilWaiting(holder: Pick<Db, "one">, wanted: number): Promise<void> {
  const sql = "select count(*) as count from pg_locks where not granted";
  while (((await holder.one<{ count: number }>(sql))?.count ?? 0) < wanted);
}

test("of two changes at one moment neither undoes the other", async () => {
  const at = await make("two", { displayName: "Before", emails: [{ value: "before@corp.example" }] });
  let answers: Promise<Json>[] = [];
  await auth.transaction(async (holder) => {
    await holder.query("select 1 from auth.scim_people where user_id = '@two:localhost' for update");
    answers = [
      directory.ask("PATCH", at, replace("emails", [{ value: "after@corp.example" }])),
      directory.ask("PATCH", at, replace("displayName", "After")),
      directory.ask("PATCH", at, replace("active", false)),
    ];
    await untilWaiting(holder, answers.length);
  });
  for (const { status } of await Promise.all(answers)) assert.equal(status, 200);
  const { body } = await directory.ask("GET", at);
  assert.deepEqual([body.displayName, body.emails[0].value, body.active], ["After", "after@corp.example", false]);
  const addresses = await auth.query("select address from auth.third_party_ids where user_id = '@two:localhost'");
  assert.deepEqual(addresses, [{ address: "after@corp.example" }]);
});

test("an address that somebody else adds at the same moment is told to be theirs", async () => {
  const at = await make("slower");
  let answer: Promise<Json> | undefined;
  await auth.transaction(async (holder) => {
    await holder.query(
      "insert into auth.third_party_ids (medium, address, user_id, validated_at) values ('email', 'same@corp.example', $1, now())",
      [root.userId],
    );
    answer = directory.ask("PATCH", at, replace("emails", [{ value: "same@corp.example" }]));
    await untilWaiting(holder, 1);
  });
  const { status, body } = await answer;
  assert.deepEqual([status, body.scimType], [409, "uniqueness"]);
});

test("who ends while their address changes has none", async () => {
  const at = await make("ending");
  let answer: Promise<Json> | undefined;
  await auth.transaction(async (holder) => {
    await holder.query("select 1 from auth.accounts where user_id = '@ending:localhost' for update");
    answer = directory.ask("PATCH", at, replace("emails", [{ value: "ending@corp.example" }]));
    await untilWaiting(holder, 1);
    await holder.query("update auth.accounts set deactivated_at = now() where user_id = '@ending:localhost'");
  });
  assert.equal((await answer)?.status, 404);
  await make("another", { emails: [{ value: "ending@corp.example" }] });
});

test("who comes back under another userName has the externalId and the sign-in of before", async () => {
  const at = await make("leaver", { externalId: "00u1" });
  assert.equal((await directory.ask("DELETE", at)).status, 204);
  await make("returner", { externalId: "00u1" });
  await root.call("POST", `${ADMIN}/users/@returner:localhost/deactivate`, { reason });
  const third = await make("returner.again", { externalId: "00u1" });
  const known = () => auth.query(`select user_id from auth.external_ids where subject = '00u1'`);
  assert.deepEqual(await known(), [{ user_id: "@returner.again:localhost" }]);
  const fourth = await make("another.one");
  const refused = await directory.ask("PATCH", fourth, replace("externalId", "00u1"));
  assert.deepEqual([refused.status, refused.body.scimType], [409, "uniqueness"]);
  assert.equal((await directory.ask("GET", third)).body.externalId, "00u1");
});
