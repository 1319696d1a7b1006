/** Why somebody did it is in the audit log, wherever the request has it. */
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
