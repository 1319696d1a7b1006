/**
 * Two servers on one database, over each bus: who syncs on one receives at once what is sent on the other. "At once" is no
 * time: the receiving server never looks at the log by itself here, so that what arrives was brought by the bus. Then the bus
 * is cut, and what arrives was found by looking.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Person, registerPerson, request, type Json } from "../../../testkit/src/http.ts";
import { createRoom, type TestRoom } from "../../../testkit/src/room.ts";
import { startTestServer, type TestServer, untilSyncsWait } from "../../../testkit/src/server.ts";
import { missingService, type Service, type ServiceName, startService } from "../../../testkit/src/services.ts";
import type { BusName, Config } from "../config.ts";
import { limits } from "../limits.ts";
import { realSeams, type Seams } from "../seams.ts";

const buses: readonly { bus: BusName; service?: ServiceName }[] = [
  { bus: "postgresql" },
  { bus: "redis", service: "redis" },
  { bus: "nats", service: "nats" },
  { bus: "rabbitmq", service: "rabbitmq" },
];

/** Time and chance as they are, but nothing looks at the head of the log by itself. */
const blind: Seams = {
  ...realSeams,
  every: (every_ms, action) =>
    every_ms === limits.headPoll_ms ? { cancel: () => {} } : realSeams.every(every_ms, action),
};

interface World extends AsyncDisposable {
  alice: Person;
  bob: Person;
  room: TestRoom;
  /** Where bob syncs. */
  there: TestServer;
}

async function start(config: Partial<Config>, seams: Seams): Promise<World> {
  const here = await startTestServer({ config });
  const there = await startTestServer({ config, seams, databaseUrl: here.databaseUrl });
  const [alice, bob] = [await registerPerson(here.url, "alice"), await registerPerson(here.url, "bob")];
  const room = await createRoom(alice);
  await room.change(bob, "join");
  const stop = async () => {
    await there.stop();
    await here.stop();
  };
  return { alice, bob, room, there, [Symbol.asyncDispose]: stop };
}

/** One sync of bob on the other server. */
async function sync({ there, bob }: World, since?: string, timeout = 20_000): Promise<Json> {
  const query = since === undefined ? "" : `?since=${since}&timeout=${timeout}`;
  const { status, body } = await request(there.url, "GET", `/_matrix/client/v3/sync${query}`, { token: bob.token });
  assert.equal(status, 200);
  return body;
}

/** What alice says while bob waits on the other server, as it reaches him, and how often that server asked the database. */
async function exchange(world: World, texts: readonly string[]) {
  const { alice, room, there } = world;
  const received: string[] = [];
  await caughtUp(there);
  let { next_batch: since } = await sync(world);
  const queriesBefore = await fetches(there);
  for (const text of texts) {
    const waiting = sync(world, since as string);
    await untilSyncsWait(there, 1);
    await room.say(alice, text);
    const answer = await waiting;
    received.push(...textsOf(answer, room));
    since = answer.next_batch;
  }
  return { received, queries: (await fetches(there)) - queriesBefore };
}

function textsOf(answer: Json, room: TestRoom): string[] {
  const events: Json[] = answer.rooms?.join?.[room.id]?.timeline.events ?? [];
  return events.map((event) => event.content.body as string);
}

async function fetches({ ctx }: TestServer): Promise<number> {
  return (await ctx.metrics.tailFetches.get()).values[0]?.value ?? 0;
}

const texts = Array.from({ length: 20 }, (_, i) => `text ${i}`);

for (const { bus, service: name } of buses) {
  const skip = name !== undefined && missingService(name);
  if (skip) console.error(`Two servers over ${bus} are not tested: ${skip}.`);
  let service: Service | undefined;
  after(() => service?.stop());
  const settings = async (): Promise<Partial<Config>> => {
    if (name) service ??= await startService(name);
    const { url } = service ?? {};
    return { bus, redisUrl: url, natsUrl: url, rabbitmqUrl: url };
  };

  test(
    `${bus}: what is sent on one server reaches who waits on the other by the bus alone, and hardly ever takes a query`,
    { skip },
    async () => {
      await using world = await start(await settings(), blind);
      const { received, queries } = await exchange(world, texts);
      assert.deepEqual(received, texts);
      // The server that receives writes too: that somebody has received. Where both write at once, one may have to look.
      assert.ok(queries < texts.length / 2, `${queries} queries for ${texts.length} messages`);
    },
  );

  test(`${bus}: a long message is brought by the bus too, whole`, { skip }, async () => {
    await using world = await start(await settings(), blind);
    const long = "long ".repeat(10_000);
    assert.deepEqual((await exchange(world, [long])).received, [long]);
  });

  if (name === undefined) continue;

  test(`${bus}: while the broker is away it is found by looking, and nothing is lost`, { skip }, async () => {
    await using world = await start(await settings(), realSeams);
    await service?.kill();
    assert.deepEqual((await exchange(world, texts.slice(0, 3))).received, texts.slice(0, 3));
    await service?.start();
  });
}

test("postgresql: where every notification is lost, what is sent is found by looking", async () => {
  await using world = await start({ bus: "postgresql" }, realSeams);
  await deafen(world);
  assert.deepEqual((await exchange(world, texts.slice(0, 3))).received, texts.slice(0, 3));
});

test("control: with the bus cut and nobody looking, nothing arrives", async () => {
  await using world = await start({ bus: "postgresql" }, blind);
  await deafen(world);
  const { next_batch } = await sync(world);
  await world.room.say(world.alice, "unheard");
  assert.deepEqual(textsOf(await sync(world, next_batch as string, 500), world.room), []);
});

/** The server has everything that was written so far, however late its hints are. */
async function caughtUp({ ctx }: TestServer): Promise<void> {
  const head = await ctx.db.log.one<{ position: number }>("select position from log.head");
  await ctx.log.reached(head?.position ?? 0);
}

/** The server on which bob syncs hears no more hints, from now on. */
async function deafen({ there }: World): Promise<void> {
  await caughtUp(there);
  Object.assign(there.ctx.log.hub, { hint: () => {}, offer: () => {} });
}
