/** A session that is used through the stream alone is in use. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { registerPerson } from "../../../testkit/src/http.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { openSocket } from "../../../testkit/src/stream.ts";
import { endOldSessions } from "../auth/session-limits.ts";
import { limits } from "../limits.ts";
import { realSeams, type Seams } from "../seams.ts";

const IDLE = { name: "session_idle_days", value: 7 };

/** A server whose clock goes on, and whose looks at streams and writes of what was seen come, when the test says so. */
async function startByHand() {
  let skipped_ms = 0;
  const actions = new Map<number, (() => void)[]>([
    [limits.streamSweep_ms, []],
    [limits.lastSeenWrite_ms, []],
  ]);
  const seams: Seams = {
    ...realSeams,
    monotonic_ms: () => realSeams.monotonic_ms() + skipped_ms,
    every(every_ms, action) {
      const held = actions.get(every_ms);
      if (!held) return realSeams.every(every_ms, action);
      held.push(action);
      return { cancel() {} };
    },
  };
  const server = await startTestServer({ seams });
  const run = (every_ms: number) => actions.get(every_ms)?.forEach((action) => action());
  return { server, jump: (time_ms: number) => void (skipped_ms += time_ms), run };
}

/** Looks until there is something: what is waited for is on its way, and tells nobody when it is there. */
async function eventually<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (const until_ms = realSeams.monotonic_ms() + 10_000; ;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    assert.ok(realSeams.monotonic_ms() < until_ms, "it does not happen");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function makeIdle({ ctx }: TestServer): Promise<void> {
  await ctx.db.auth.change(
    "update auth.sessions set last_seen_at = now() - interval '8 days', last_seen_address = null",
  );
}

/** Whether the session was seen within a minute, and where. */
async function seenLately({ ctx }: TestServer): Promise<string | undefined> {
  const sql = "select last_seen_address as address from auth.sessions where last_seen_at > now() - interval '1 minute'";
  return (await ctx.db.auth.one<{ address: string }>(sql))?.address;
}

test("a session counts as seen when its stream is opened and for as long as that is open, so it does not end as idle", async () => {
  const { server, jump, run } = await startByHand();
  await using _server = server;
  const alice = await registerPerson(server.url, "alice");
  await server.ctx.db.log.change("insert into log.settings (name, value, changed_by) values ($1, $2, 'test')", [
    IDLE.name,
    IDLE.value,
  ]);
  await server.ctx.controls.reload();
  const { ticket } = await alice.call("POST", "/_parley/client/v1/stream/ticket", {});
  run(limits.lastSeenWrite_ms);
  await eventually(() => seenLately(server));

  await makeIdle(server);
  using stream = await openSocket(server.url);
  stream.send({ type: "sign_in", ticket });
  await stream.until((frame) => frame.type === "ready");
  run(limits.lastSeenWrite_ms);
  assert.equal(await eventually(() => seenLately(server)), "127.0.0.1");

  await makeIdle(server);
  jump(limits.streamSeen_ms);
  const before = stream.frames.length;
  stream.send({ type: "ping" });
  await stream.until((frame) => stream.frames.indexOf(frame) >= before);
  const now_ms = server.ctx.seams.monotonic_ms();
  // It looks at the log again, as it would by itself a little later.
  const { hub } = server.ctx.log;
  hub.hint(hub.head() + 1);
  await eventually(async () => hub.heard_ms() >= now_ms);
  run(limits.streamSweep_ms);
  run(limits.lastSeenWrite_ms);
  assert.equal(await eventually(() => seenLately(server)), "127.0.0.1");
  assert.equal(await endOldSessions(server.ctx), 0);
  assert.equal((await alice.ask("GET", "/_matrix/client/v3/account/whoami")).status, 200);
});
