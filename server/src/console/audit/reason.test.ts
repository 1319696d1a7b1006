/** The audit log has why somebody did it, wherever the request says so, and finds it by whom it was done to. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { z } from "zod";
import { registerPerson } from "../../../../testkit/src/http.ts";
import { makeAdministrator } from "../../../../testkit/src/operators.ts";
import { createRoom } from "../../../../testkit/src/room.ts";
import { startTestServer } from "../../../../testkit/src/server.ts";
import { operations } from "../operations.ts";

const API = "/_parley/admin/v1";
const server = await startTestServer();
after(() => server[Symbol.asyncDispose]());
const root = await makeAdministrator(server, "root");
const ana = await registerPerson(server.url, "ana");
const room = await createRoom(ana);

/** What each operation that has its reason in the query is asked for, and the entries that it makes. */
const asked: Record<string, { path: string; outcomes: string[] }> = {
  "users.end_session": { path: `/users/${ana.userId}/sessions/${ana.deviceId}`, outcomes: ["begun", "done"] },
  "users.end_sessions": { path: `/users/${ana.userId}/sessions`, outcomes: ["begun", "done"] },
  "retention.drop_room": { path: `/retention/rooms/${encodeURIComponent(room.id)}`, outcomes: ["done"] },
};

for (const [id, { path, outcomes }] of Object.entries(asked))
  test(`the reason of ${id}, which is in the query, is in the audit log`, async () => {
    const reason = "A laptop was lost";
    await root.call("DELETE", `${API}${path}?reason=${encodeURIComponent(reason)}`);
    const entries = await server.ctx.db.console.query<object>(
      `select reason, outcome from console.audit where action = $1 order by "position"`,
      [id],
    );
    assert.deepEqual(
      entries,
      outcomes.map((outcome) => ({ reason, outcome })),
    );
  });

test("every operation with a reason in the query is tried here", () => {
  const hasReason = (query: z.ZodType) => "reason" in ((query as z.ZodObject).shape ?? {});
  const found = operations.filter(({ query }) => hasReason(query)).map(({ id }) => id);
  assert.deepEqual(found.toSorted(), Object.keys(asked).toSorted());
});

test("what was done to a device of somebody is among what was done to them, and to nobody else", async () => {
  const ben = await registerPerson(server.url, "ben");
  const other = await registerPerson(server.url, "be");
  const at = { user_id: ben.userId, device_id: ben.deviceId };
  await root.call("POST", `${API}/devices/end`, { devices: [at], reason: "A laptop was lost" });
  const to = async (target: string) => {
    const { items } = await root.call("GET", `${API}/audit?target=${encodeURIComponent(target)}`);
    return items.map(({ action, reason }: Record<string, string>) => [action, reason]);
  };
  const done = [["devices.end_many", "A laptop was lost"]];
  assert.deepEqual(await to(ben.userId), done);
  assert.deepEqual(await to(`${ben.userId} ${ben.deviceId}`), done);
  assert.deepEqual(await to(other.userId), []);
  assert.deepEqual(await to("@ben"), []);
});
