import assert from "node:assert/strict";
import { test } from "node:test";
import { request } from "../../../testkit/src/http.ts";
import { startNeighbours } from "../../../testkit/src/neighbours.ts";
import { limits } from "../limits.ts";

const PATH = "/_parley/client/v1/decryptions";
const { server, alice } = await startNeighbours(["alice"], { config: { roles: ["auth", "messages", "presence"] } });

async function counted(outcome: string): Promise<number> {
  const { values } = await server.ctx.metrics.decryptions.get();
  return values.find(({ labels }) => labels.outcome === outcome)?.value ?? 0;
}

test("what clients could read and could not is counted by outcome, and by nothing else", async () => {
  await alice.call("POST", PATH, { decrypted: 40, no_key: 2 });
  await alice.call("POST", PATH, { decrypted: 1, late: 1 });
  assert.deepEqual(await Promise.all(["decrypted", "late", "no_key", "withheld"].map(counted)), [41, 1, 2, 0]);
  const { values } = await server.ctx.metrics.decryptions.get();
  assert.ok(values.every(({ labels }) => Object.keys(labels).join() === "outcome"));
});

test("a report that is no report, or says more than numbers, is refused and counts nothing", async () => {
  const before = await counted("decrypted");
  for (const body of [
    { decrypted: -1 },
    { decrypted: 0.5 },
    { decrypted: limits.decryptionReport_events + 1 },
    { decrypted: 1, room_id: "!a" },
  ])
    assert.equal((await alice.ask("POST", PATH, body)).status, 400, JSON.stringify(body));
  assert.equal((await request(server.url, "POST", PATH, { body: { decrypted: 1 } })).status, 401);
  assert.equal(await counted("decrypted"), before);
});

test("who has switched the reports off is not counted, whatever their apps send", async () => {
  const before = await counted("decrypted");
  const decide = (decryption_reports: unknown) =>
    alice.call("PUT", `/_matrix/client/v3/user/${alice.userId}/account_data/io.parley.privacy`, { decryption_reports });
  await decide(false);
  await alice.call("POST", PATH, { decrypted: 5 });
  assert.equal(await counted("decrypted"), before);
  for (const [n, on] of [true, "no", null].entries()) {
    await decide(on);
    await alice.call("POST", PATH, { decrypted: 1 });
    assert.equal(await counted("decrypted"), before + n + 1, String(on));
  }
});
