/** The chart with a Deployment for each role, executed: in sync waves, then to the next release and back while people use it. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readMessages } from "../../testkit/src/writers.ts";
import { images } from "../src/release.ts";
import { serverBeside } from "./executed-beside.ts";
import { imageOf, nextImage } from "./executed-image.ts";
import { startLoad } from "./executed-load.ts";
import { imagesOf, isWorkload, waveOf } from "./executed-manifests.ts";
import { openRelease } from "./executed-release.ts";
import { missingFor } from "./executed-services.ts";
import { begin } from "./executed-story.ts";
import type { KubernetesObject } from "./schema.ts";
import { missingTools, render } from "./tools.ts";

const folder = mkdtempSync(join(tmpdir(), "parley-upgrade-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const CHART = "deploy/helm/parley";
const [THIS, NEXT] = [`${images.server}:0.1.0`, `${images.server}:0.2.0`];

/** What the next release adds: a column with a default, a table and an index, as an expansion may. */
const EXPANSION = `
  alter table log.entries add column note text not null default 'none';
  create table log.notes (position bigint primary key, note text not null);
  create index entries_note on log.entries (note) where note <> 'none';`;

const own = new Map([
  [THIS, imageOf(join(folder, "this"))],
  [NEXT, nextImage(join(folder, "next"), EXPANSION)],
]);

/** Shorter than what is rendered, which executed-overlays.test.ts has; still longer than a client keeps an idle connection. */
const DRAIN_MS = 5_000;

interface Variant {
  title: string;
  /** Values besides those of every variant. */
  values: Record<string, string>;
  beside: readonly KubernetesObject[];
}

const variants: readonly [Variant, Variant] = [
  { title: "PostgreSQL alone", values: {}, beside: [] },
  {
    title: "Redis and RabbitMQ",
    values: {
      "externalSecrets.enabled": "false",
      "api.secrets.REDIS_URL": "redis://redis:6379",
      "api.secrets.RABBITMQ_URL": "amqp://guest:guest@rabbitmq:5672",
      "api.env.PARLEY_QUEUE": "rabbitmq",
    },
    beside: [
      ...serverBeside({ name: "redis", image: "redis:7.4.5-bookworm", port: 6379 }),
      ...serverBeside({ name: "rabbitmq", image: "rabbitmq:4.1.4", port: 5672 }),
    ],
  },
];

function chart(image: string, { values: more }: Variant = variants[0]) {
  const values = {
    ...more,
    "roles.split": true,
    "worker.enabled": true,
    "api.image": image,
    // Made anew at each rendering without a cluster.
    "postgresql.password": "secret",
  };
  const set = Object.entries(values).flatMap(([name, value]) => ["--set", `${name}=${value}`]);
  return render("helm", ["template", "parley", CHART, "-n", "chat", "-f", "deploy/helm/values/minimal.yaml", ...set]);
}

for (const variant of variants)
  test(
    `an upgrade to the next schema and the way back, one pod after the other under load, fail no request: ${variant.title}`,
    {
      skip: missingTools || missingFor(imagesOf(variant.beside)),
    },
    async () => {
      const [current, next] = await Promise.all([chart(THIS, variant), chart(NEXT, variant)]);
      await using release = await openRelease("chat", {
        images: own,
        // Of the gateway two, so that connections move from one to the other.
        replicas: ({ metadata }) => (metadata.name.endsWith("gateway") ? 2 : 1),
        settings: { PARLEY_DRAIN_MS: `${DRAIN_MS}`, PARLEY_RATE_LIMITS: "off" },
      });
      await release.apply(variant.beside, "at once");
      await release.apply(current, "in waves");
      const url = release.urlOf("parley-gateway");
      const story = await begin(url, release, ["parley-auth"]);
      const load = startLoad(story);
      await load.more(20);
      for (const objects of [next, current]) {
        await release.apply(objects, "in waves");
        await load.more(20);
      }
      await load.stop();

      assert.deepEqual(load.failures, []);
      assert.deepEqual(release.problems, []);
      const stored = await readMessages(url, { person: story.alice, roomId: story.room.id });
      assert.deepEqual(
        stored.slice(-load.sent.length).map(({ eventId }) => eventId),
        load.sent,
      );
      assert.equal(load.answered.size, 9);
      const deployments = current.filter(isWorkload).filter(({ kind }) => kind === "Deployment");
      assert.equal(release.terminations.length, 2 * (deployments.length + 1));
      for (const { pod, code, took_ms, grace_ms } of release.terminations) {
        assert.equal(code, 0, `${pod} ended with ${code}`);
        assert.ok(took_ms >= DRAIN_MS && took_ms < grace_ms, `${pod} took ${took_ms} ms of ${grace_ms} ms to end`);
      }
    },
  );

test("what others need stands in an earlier wave", { skip: missingTools }, async () => {
  const waves = new Map((await chart(THIS)).filter(isWorkload).map((each) => [each.kind, waveOf(each)]));
  const order = ["StatefulSet", "Job", "Deployment"].map((kind) => waves.get(kind) ?? Number.NaN);
  assert.deepEqual(
    order,
    [...new Set(order)].toSorted((a, b) => a - b),
  );
});
