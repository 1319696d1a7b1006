/** What operators read of the ways in: it follows from what is set, and from who has what. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { factorsConfig, setUpCodes } from "../../../testkit/src/factors.ts";
import { registerPerson } from "../../../testkit/src/http.ts";
import { makeOperator } from "../../../testkit/src/operators.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { beginTotp } from "./factors/totp.ts";

const WAYS = "/_parley/admin/v1/settings/sign-in/ways";

test("an auditor reads where passkeys work, who has codes, what operators need and how long the console lets them in", async () => {
  await using server = await startTestServer({ config: factorsConfig() });
  const auditor = await makeOperator(server, "adam", "auditor");
  const fresh = await auditor.call("GET", WAYS);
  assert.deepEqual(fresh, {
    passkeys_at: "localhost",
    people_with_passkeys: 0,
    codes: true,
    people_with_codes: 0,
    operators_second_factor: "off",
    console_idle_s: 1_800,
    console_session_s: 43_200,
    console_confirm_s: 900,
    console_sessions_in: "postgresql",
  });
  const ana = await registerPerson(server.url, "ana");
  await setUpCodes(server.url, "ana");
  // Who has begun and never shown a code has none.
  const bo = await registerPerson(server.url, "bo");
  await beginTotp(server.ctx, bo.userId);
  await server.ctx.db.auth.change(
    `insert into auth.passkeys (credential_id, user_id, public_key, counter, transports, name)
     values ('\\x01', $1, '\\x01', 0, '{}', 'a'), ('\\x02', $1, '\\x02', 0, '{}', 'b')`,
    [ana.userId],
  );
  const later = await auditor.call("GET", WAYS);
  assert.deepEqual([later.people_with_passkeys, later.people_with_codes], [1, 1], "people, not keys");
  await server.ctx.db.auth.change("update auth.accounts set deactivated_at = now() where user_id = $1", [ana.userId]);
  const after = await auditor.call("GET", WAYS);
  assert.deepEqual([after.people_with_passkeys, after.people_with_codes], [0, 0]);
});

test("a host in numbers has no passkeys, and what is set for operators is said", async () => {
  await using server = await startTestServer({
    config: { publicUrl: "https://192.0.2.7", operatorsNeedSecondFactor: true },
  });
  const root = await registerPerson(server.url, "root");
  assert.equal((await root.ask("GET", WAYS)).status, 403);
  await server.ctx.db.auth.change("update auth.accounts set is_admin = true, password_hash = null");
  const { passkeys_at, codes, operators_second_factor } = await root.call("GET", WAYS);
  assert.deepEqual([passkeys_at, codes, operators_second_factor], [null, false, "required"]);
});
