/** G9: secrets that a provider keeps change while a server runs, and no request fails. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startVault } from "../../../testkit/src/clouds/secret-managers.ts";
import { registerPerson } from "../../../testkit/src/http.ts";
import { createTestDatabase, startTestServer } from "../../../testkit/src/server.ts";
import { missingService, startService } from "../../../testkit/src/services.ts";
import { soonFound } from "../../../testkit/src/wait.ts";
import { readConfig } from "../config.ts";
import { connectOwner } from "../db/database.ts";
import { StartError } from "../errors.ts";
import { realSeams, type Seams } from "../seams.ts";
import { startServer } from "../server.ts";
import { valueOf } from "./address.ts";
import { learnSecrets, referencesIn } from "./values.ts";

const logger = { warn: () => {} };
/** Looks for other values every few milliseconds. */
const seams: Seams = { ...realSeams, every: (ms, action) => realSeams.every(ms === 60_000 ? 20 : ms, action) };

function envOf(vault: { url: string; token: string }): Record<string, string> {
  return { SECRETS_PROVIDER: "vault", VAULT_ADDR: vault.url, VAULT_TOKEN: vault.token };
}

/** Resolves when a process that looks every few milliseconds has it. */
function untilKnown(reference: string, value: string): Promise<unknown> {
  return soonFound(`the process has the new value of ${reference}`, () => valueOf(reference) === value);
}

test("the database's address changes in the provider under load, new connections follow it, and no request fails", async () => {
  await using vault = await startVault();
  await using database = await createTestDatabase();
  await using owner = await openOwner(database.url);
  await owner.query("create role rotation_second superuser login");
  const reference = "secret://rotation/database-url";
  const [first, second] = [database.url, database.url.replace(/\/\/[^@]*@/, "//rotation_second@")];
  vault.secrets.set("rotation/database-url", first);
  const config = readConfig({
    ...envOf(vault),
    DATABASE_URL: reference,
    PARLEY_PORT: "0",
    PARLEY_METRICS_PORT: "off",
    PARLEY_PASSWORD_COST: "low",
    PARLEY_RATE_LIMITS: "off",
    PARLEY_LOG_LEVEL: "silent",
  });
  const server = await startServer(config, { seams });
  await using _stop = { [Symbol.asyncDispose]: () => server.stop() };
  const alice = await registerPerson(server.url, "alice");
  const ask = async () => (await alice.ask("GET", "/_matrix/client/v3/devices")).status;
  const statuses = new Set<number>();
  const stopping = new AbortController();
  const load = (async () => {
    while (!stopping.signal.aborted) statuses.add(await ask());
  })();
  // Published, then retired: as in a file, both addresses are good for a while.
  for (const value of [`${first}\n${second}`, second]) {
    vault.secrets.set("rotation/database-url", value);
    await untilKnown(reference, value);
  }
  stopping.abort();
  await load;
  assert.deepEqual([...statuses], [200]);
  await owner.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'parley auth' and datname = current_database()",
  );
  assert.equal(await ask(), 200);
  const { rows } = await owner.query<{ usename: string }>(
    "select distinct usename from pg_stat_activity where application_name = 'parley auth' and datname = current_database()",
  );
  assert.deepEqual(
    rows.map(({ usename }) => usename),
    ["rotation_second"],
  );
});

async function openOwner(url: string) {
  const client = await connectOwner(url);
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

const missing = missingService("redis");
if (missing) console.error(`The rotation of Redis' password is not tested: ${missing}.`);

test("Redis takes another password, and what is made anew knows it", { skip: missing }, async () => {
  await using vault = await startVault();
  await using redis = await startService("redis");
  const { Redis } = await import("ioredis");
  const admin = new Redis(redis.url);
  const addressOf = (password: string) => redis.url.replace("redis://", `redis://rotator:${password}@`);
  await admin.call("ACL", "SETUSER", "rotator", "on", ">first", "~*", "&*", "+@all");
  const reference = "secret://rotation/redis-url";
  vault.secrets.set("rotation/redis-url", addressOf("first"));
  const { secrets } = readConfig({ ...envOf(vault), REDIS_URL: reference });
  const config = { secrets, bus: "redis", ephemeral: "redis", redisUrl: reference } as const;
  await using server = await startTestServer({ config, seams });
  const alice = await registerPerson(server.url, "alice");
  const connected = async () => (await server.ctx.metrics.busConnected.get()).values[0]?.value === 1;
  const clients = async () =>
    String(await admin.client("LIST"))
      .split("\n")
      .filter((each) => each.includes("user=rotator"));
  const before = (await clients()).length;
  assert.ok((await connected()) && before >= 3, "two of the bus, one of what is true for a moment");
  // Retire the first password at once, and end what came in with it: everything has to come back with the second.
  vault.secrets.set("rotation/redis-url", addressOf("second"));
  await untilKnown(reference, addressOf("second"));
  await admin.call("ACL", "SETUSER", "rotator", "resetpass", ">second");
  for (const line of await clients()) await admin.call("CLIENT", "KILL", "ID", /id=(\d+)/.exec(line)?.[1] ?? "");
  const isBack = async () => (await connected()) && (await clients()).length >= before;
  await soonFound("all connections to Redis are back with the second password", isBack);
  assert.equal((await alice.ask("GET", "/_matrix/client/v3/devices")).status, 200);
  admin.disconnect();
});

test("a secret that can not be had stops the start with its name, the provider and the setting", async () => {
  await using vault = await startVault();
  const config = readConfig({ ...envOf(vault), REDIS_URL: "secret://nowhere/redis" });
  await assert.rejects(learnSecrets(config, { seams, logger }), (error) => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, /There is no secret nowhere\/redis in Vault\. Check SECRETS_PROVIDER/);
    return true;
  });
});

test("every place of a setting that is a reference is found", () => {
  const settings = {
    a: "secret://one",
    b: { c: ["file:///x", "secret://two"], d: undefined },
    e: "secret://one",
    f: 5,
  };
  assert.deepEqual(referencesIn(settings), ["secret://one", "secret://two"]);
});
