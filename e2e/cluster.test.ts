/**
 * Many processes, two browsers at different gateways: what is killed between them is not noticed. Every role runs on its own, the
 * busy ones more than once, as they would on a cluster of machines.
 */
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { type Cluster, type Member, startCluster } from "../testkit/src/cluster.ts";
import { missingService, type ServiceName, startService } from "../testkit/src/services.ts";
import { ANA, BEN, meet, openWorld, ROOM, settle, skip, story, type World } from "./fixture.ts";
import { composer, message, type Profile, send, write } from "./person.ts";

const PROCESSES = { gateway: 2, messages: 3, presence: 2, auth: 1, keys: 1, media: 1, worker: 1, web: 1 };

/** What carries hints, sends and what is true for a moment between the processes, and the servers that it needs. */
interface Between {
  name: string;
  env: Record<string, string>;
  services: readonly ServiceName[];
}

const choices: readonly Between[] = [
  { name: "PostgreSQL alone", env: {}, services: [] },
  {
    name: "Redis, and RabbitMQ's queues",
    env: { PARLEY_BUS: "redis", PARLEY_EPHEMERAL: "redis", PARLEY_QUEUE: "rabbitmq" },
    services: ["redis", "rabbitmq"],
  },
  {
    name: "NATS, and PostgreSQL's queues",
    env: { PARLEY_BUS: "nats", PARLEY_QUEUE: "postgresql" },
    services: ["nats"],
  },
  { name: "RabbitMQ alone", env: { PARLEY_BUS: "rabbitmq", PARLEY_QUEUE: "rabbitmq" }, services: ["rabbitmq"] },
];

for (const { name, env, services } of choices) {
  const missing = skip || services.map(missingService).find((each) => each !== false) || false;
  describe(`two people at different gateways, while processes are killed: ${name}`, { skip: missing }, () => {
    tell(services, env);
  });
}

function tell(services: readonly ServiceName[], settings: Record<string, string>): void {
  let world: World;
  let cluster: Cluster;
  let ana: Profile;
  let ben: Profile;
  const said: string[] = [];
  const part = story(() => world);

  before(async () => {
    await using started = new AsyncDisposableStack();
    const env: Record<string, string> = { PARLEY_RATE_LIMITS: "off", ...settings };
    for (const service of services) env[`${service.toUpperCase()}_URL`] = started.use(await startService(service)).url;
    cluster = started.use(await startCluster({ processes: PROCESSES, env }));
    const [first, second] = cluster.gateways as [Member, Member];
    const everything = started.move();
    const end = () => everything.disposeAsync();
    world = await openWorld({ url: first.url, administratorLink: "", [Symbol.asyncDispose]: end });
    ana = await world.fresh();
    ben = await world.fresh(second.url);
  });

  after(() => world?.[Symbol.asyncDispose]());

  part("they register and meet in an encrypted channel", async () => {
    await settle(ana, ANA);
    await settle(ben, BEN);
    await meet(ana, ben);
    await send(ana.page, ROOM, "Is anybody there?");
    await message(ben.page, "Is anybody there?").waitFor();
    said.push("Is anybody there?");
  });

  /** One writes when the process is gone, the other when it is back; each reads both. */
  async function lose(member: Member): Promise<void> {
    const [without, again] = [`without ${member.name}`, `${member.name} is back`];
    await member.kill();
    await write(composer(ana.page, ROOM), without);
    // The only process of its role may be the one that takes the message: it is shown, waits, and goes out by itself.
    await message(ana.page, without).waitFor();
    await member.start();
    for (const { page } of [ana, ben]) await message(page, without).waitFor();
    await write(composer(ben.page, ROOM), again);
    for (const { page } of [ana, ben]) await message(page, again).waitFor();
    said.push(without, again);
  }

  for (const role of ["messages", "presence", "keys", "auth", "gateway"] as const)
    part(`a process of the role ${role} is killed`, () => lose(cluster.of(role)[0] as Member));

  part("the other gateway is killed too", () => lose(cluster.gateways[1] as Member));

  part("both have read everything once, in the order in which it was said", async () => {
    for (const { page } of [ana, ben]) {
      // Only rows near the view are in the page.
      await page.setViewportSize({ width: 1280, height: 2_000 });
      await message(page, "Is anybody there?").waitFor();
      const shown = await page
        .getByRole("log", { name: /^Messages in/ })
        .locator("[dir=auto]")
        .allInnerTexts();
      assert.deepEqual(
        shown.filter((text) => said.includes(text)),
        said,
      );
      assert.equal(await page.getByText("Not sent").count(), 0);
    }
  });
}
