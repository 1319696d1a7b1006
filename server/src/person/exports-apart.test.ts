/** An archive that is fetched where the files that belong into it are not: it is refused, and never given without them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { registerPerson, request } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { roleNames } from "../roles.ts";
import { runJobs } from "../worker/jobs.ts";

test("an archive is refused by a process that does not reach the person's files, and given where there are none", async () => {
  await using server = await startTestServer({ config: { roles: roleNames.filter((role) => role !== "worker") } });
  const roles = ["web", "auth"] as const;
  await using apart = await startTestServer({ databaseUrl: server.databaseUrl, config: { roles } });
  const [alice, bob] = [await registerPerson(server.url, "alice"), await registerPerson(server.url, "bob")];
  await request(server.url, "POST", "/_matrix/media/v3/upload", { token: alice.token, body: Buffer.from("a file") });
  const fetched = async ({ token, call }: typeof alice, url: string) => {
    const { exports } = await call("GET", "/_parley/client/v1/exports");
    const path = `/_parley/client/v1/exports/${exports[0].export_id}/archive`;
    return request(url, "GET", path, { token });
  };
  for (const person of [alice, bob]) {
    await person.call("POST", "/_parley/client/v1/exports", {});
    await runJobs(server.ctx);
  }
  const { status, body } = await fetched(alice, apart.url);
  assert.deepEqual([status, body.errcode], [501, "M_UNKNOWN"]);
  assert.match(body.error, /does not reach the files that the person has uploaded.*STORAGE_PROVIDER/);
  assert.equal((await fetched(alice, server.url)).status, 200);
  assert.equal((await fetched(bob, apart.url)).status, 200);
});
