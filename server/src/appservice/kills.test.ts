import assert from "node:assert/strict";
import { test } from "node:test";
import { startService, type TestService } from "../../../testkit/src/appservice.ts";
import type { Json, Person } from "../../../testkit/src/http.ts";
import { diesIn } from "../../../testkit/src/mortal.ts";
import { startTestServer, type TestServer } from "../../../testkit/src/server.ts";
import { createRoom, people, say } from "../../../testkit/src/syncing.ts";
import type { Context } from "../context.ts";
import { roleNames } from "../roles.ts";
import { takeTurn } from "./deliver.ts";
import { beginServices } from "./places.ts";
import { openStretches } from "./stretches.ts";

/** What a worker does until there is nothing left to send. */
async function work(ctx: Context, holder: string): Promise<void> {
  const [service] = ctx.services.all();
  assert.ok(service);
  const read = openStretches(ctx);
  const turn = { service, holder, read, moments: undefined, signal: ctx.stopping };
  for (let next = await takeTurn(ctx, turn); !("after" in next); next = await takeTurn(ctx, turn))
    assert.equal(next.wait_ms, 0, "nothing is to be waited for");
}

/** The lease of a worker that died runs out. */
async function passTime({ ctx }: TestServer): Promise<void> {
  await ctx.db.appservice.query("update appservice.services set held_until = now() - interval '1 second'");
}

const idsIn = ({ body }: { body: Json }): string[] => body.events.map(({ event_id }: Json) => event_id);

/** Each transaction is what it was whenever it came; gives how often one came again. */
function repeats(service: TestService): number {
  const bodies = new Map<string, Json>();
  for (const { path, body } of service.asked) {
    assert.deepEqual(body, bodies.get(path) ?? body, `${path} came again as it was`);
    bodies.set(path, body);
  }
  return service.asked.length - bodies.size;
}

test("a worker that dies at any step loses nothing for an application service, and sends at the most one transaction again, as it was", async () => {
  await using bridge = await startService("bridge", { namespaces: { rooms: [{ exclusive: false, regex: "!.*" }] } });
  const roles = roleNames.filter((role) => role !== "worker");
  await using server = await startTestServer({ config: { roles, appservices: [bridge.file] } });
  const { ctx } = server;
  const [alice] = (await people(server, "alice")) as [Person];
  const roomId = await createRoom(alice);
  await beginServices(ctx, ["bridge"]);
  const sent: string[] = [];
  let deaths = 0;
  for (const when of ["before", "after"] as const)
    for (let at = 1, died = true; died; at++) {
      const before = repeats(bridge);
      sent.push(await say(alice, roomId, "one"), await say(alice, roomId, "two"));
      died = await diesIn(ctx, { at, when, of: ["appservice"] }, (mortal) => work(mortal, `dies ${when} ${at}`));
      if (died) deaths += 1;
      sent.push(await say(alice, roomId, "three"));
      await passTime(server);
      await work(ctx, "lives");
      await passTime(server);
      assert.deepEqual(bridge.transactions().flatMap(idsIn), sent, `${when} ${at}: each once, in order`);
      assert.ok(repeats(bridge) - before <= 1, `${when} ${at}`);
    }
  assert.ok(deaths >= 8, `it died ${deaths} times`);
  assert.ok(repeats(bridge) > 0, "some died between the service's answer and the note of it");
});
