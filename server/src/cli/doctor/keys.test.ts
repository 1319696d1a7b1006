/** Passwords that end, and master keys that are missed, planted for real. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { sql } from "../../../../testkit/src/command.ts";
import { examine as examineWith, type Examined } from "../../../../testkit/src/doctor.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";
import { anyConnection } from "../../explorer/credentials/conformance.ts";
import { inPostgresql } from "../../explorer/credentials/postgresql.ts";
import { sealPassword } from "../../explorer/envelope.ts";
import { realSeams } from "../../seams.ts";
import { masterKeysOf, parseMasterKeys } from "../../secrets/master-keys.ts";

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.stop());

const examine = (changes: Record<string, string> = {}) =>
  examineWith({ DATABASE_URL: server.databaseUrl, PARLEY_DATA_DIR: server.dataDir, ...changes });

const found = ({ findings }: Examined) =>
  findings.filter(({ check }) => check === "keys").map(({ state, says }) => `${state}: ${says}`);

test("a password that PostgreSQL takes only for days is a warning, and one whose time is over a failure", async () => {
  const user = new URL(server.databaseUrl).username;
  const until = (when: string) => sql(server.databaseUrl, `alter role "${user}" valid until '${when}'`);
  const inDays = (days: number) => new Date(realSeams.now_ms() + days * 86_400_000).toISOString();
  try {
    await until(inDays(30));
    assert.match(found(await examine())[0] ?? "", /^ok: /);
    await until(inDays(3.5));
    assert.match(found(await examine())[0] ?? "", /^warning: .* for 3 more days/);
    await until(inDays(-1));
    // Who needs no password comes in for ever: it is a test's way in here.
    assert.match(found(await examine())[0] ?? "", /^failure: .* no longer takes/);
  } finally {
    await until("infinity");
  }
});

test("a rotation of the master key that is not finished is a warning, a master key that is gone a failure", async () => {
  const [older, newer] = [randomBytes(32).toString("base64"), randomBytes(32).toString("base64")];
  const ring = parseMasterKeys(older);
  const masterKeys = masterKeysOf(() => ring, realSeams);
  const connection = anyConnection({ owner: "@ana:example.org" });
  const store = inPostgresql(server.ctx.db.console);
  await store.add({ ...connection, ...sealPassword(connection, "secret", { masterKeys, seams: realSeams }) });
  const withKeys = async (...keys: string[]) => found(await examine({ MASTER_ENCRYPTION_KEY: keys.join("\n") }));
  assert.match((await withKeys(older))[0] ?? "", /^ok: /);
  assert.match((await withKeys(newer, older))[0] ?? "", /^warning: .*older master key/);
  assert.match(
    (await withKeys(newer))[0] ?? "",
    /^failure: .*master key [0-9a-f]{16}, which this server does not have/,
  );
});
