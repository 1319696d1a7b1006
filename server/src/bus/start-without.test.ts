/** A process that comes back while the bus is away. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { registerPerson } from "../../../testkit/src/http.ts";
import { createRoom } from "../../../testkit/src/room.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { missingService, startService } from "../../../testkit/src/services.ts";
import { soonFound } from "../../../testkit/src/wait.ts";
import { limits } from "../limits.ts";
import { realSeams, type Seams } from "../seams.ts";

/** Time as it is, but a process shows itself to the others at once. */
const eager: Seams = {
  ...realSeams,
  every: (every_ms, action) => realSeams.every(every_ms === limits.replicaBeat_ms ? 50 : every_ms, action),
};

const skip = missingService("redis");

test(
  "a process starts without its bus where another runs with it, serves, and finds it when it is back",
  { skip },
  async () => {
    await using redis = await startService("redis");
    const config = { bus: "redis", redisUrl: redis.url } as const;
    await using here = await startTestServer({ config, seams: eager });
    const rows = () => here.ctx.db.log.query("select from log.processes where position is not null", []);
    await soonFound("the process says how far it is", async () => (await rows()).length > 0);
    await redis.kill();
    await using there = await startTestServer({ config, databaseUrl: here.databaseUrl });
    const alice = await registerPerson(there.url, "alice");
    const room = await createRoom(alice);
    assert.match(await room.say(alice, "nobody hears hints"), /^\$/);
    const connected = async () => (await there.ctx.metrics.busConnected.get()).values[0]?.value;
    assert.equal(await connected(), 0);
    await redis.start();
    await soonFound("the process finds its bus again", async () => (await connected()) === 1);
  },
);

test("alone it does not: an address that nobody else has may be wrong", { skip }, async () => {
  const config = { bus: "redis", redisUrl: "redis://127.0.0.1:1" } as const;
  await assert.rejects(startTestServer({ config }), /The bus can not be reached: .*REDIS_URL/s);
});
