/** Backup, drill and restore as an operator runs them in a cluster (docs/operations/helm.md), executed: what the backup has comes back. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { connectOwner } from "../../server/src/db/database.ts";
import { type Json, request } from "../../testkit/src/http.ts";
import { readMessages } from "../../testkit/src/writers.ts";
import { images } from "../src/release.ts";
import { renderChart } from "./chart.ts";
import { imageOf } from "./executed-image.ts";
import { openRelease, type Release } from "./executed-release.ts";
import { begin } from "./executed-story.ts";
import { objectsOf } from "./kustomizations.ts";
import type { KubernetesObject } from "./schema.ts";
import { missingTools, repoRoot } from "./tools.ts";

const folder = mkdtempSync(join(tmpdir(), "parley-backup-jobs-"));
after(() => rmSync(folder, { recursive: true }));

/** What the page tells to type into psql between a backup and its restore. */
const page = readFileSync(join(repoRoot, "docs/operations/kubernetes.md"), "utf8");
const statements = [...page.matchAll(/-c '((?:drop|create|revoke|grant) [^']*)'/g)].map(([, each]) => each as string);

const image = imageOf(folder);

interface Names {
  door: string;
  printing: string;
  /** The Service of PostgreSQL, the Secret with the key of its administrator. */
  postgres: string;
  administrator: readonly [secret: string, key: string];
  jobs: { backup: string; drill: string; restore: string };
}

interface Installation {
  objects(): Promise<KubernetesObject[]>;
  namespace: string;
  names: Names;
}

const installations: Readonly<Record<string, Installation>> = {
  "with the chart and a claim": {
    objects: () => renderChart("backup"),
    namespace: "parley",
    names: {
      door: "parley-api",
      printing: "parley-api",
      postgres: "parley-postgresql",
      administrator: ["parley-postgresql", "postgres-password"],
      jobs: { backup: "parley-backup", drill: "parley-restore-drill", restore: "parley-restore" },
    },
  },
  "with kubectl apply -k and a claim": {
    objects: () => objectsOf("minikube-with-backup"),
    namespace: "parley",
    names: {
      door: "gateway",
      printing: "auth",
      postgres: "postgres",
      administrator: ["postgres-credentials", "superuser-password"],
      jobs: { backup: "backup", drill: "restore-drill", restore: "restore" },
    },
  },
};

describe("backup, drill and restore by the jobs of a release", { skip: missingTools }, () => {
  for (const [title, { objects: rendered, namespace, names }] of Object.entries(installations))
    test(title, async () => {
      const objects = await rendered();
      const options = {
        images: new Map([[`${images.server}:0.1.0`, image]]),
        replicas: () => 1,
        settings: { PARLEY_DRAIN_MS: "1000" },
      };
      await using release = await openRelease(namespace, options);
      await release.apply(objects, "at once");
      const url = release.urlOf(names.door);
      const { alice, room } = await begin(url, release, [names.printing]);
      const upload = { token: alice.token, body: Buffer.from("a file") };
      const media = (await request(url, "POST", "/_matrix/media/v3/upload", upload)).body.content_uri as string;
      const kept = await room.say(alice, "kept");

      assert.match(await release.runNow(names.jobs.backup), /The backup is in \/.+Z\./);
      assert.match(await release.runNow(names.jobs.drill), /ok {2}log .*\n.*ok {2}epoch/);
      const lost = await room.say(alice, "lost");
      const ahead = await alice.call("GET", "/_matrix/client/v3/sync");

      await scaleToNothing(release, objects);
      await empty(release, names);
      await release.runNow(names.jobs.restore);
      await release.apply(objects, "at once");

      const since = ahead["next_batch"] as string;
      const again = await alice.call("GET", `/_matrix/client/v3/sync?since=${since}`);
      const shown = again["rooms"]?.join?.[room.id]?.timeline.events.map(({ event_id }: Json) => event_id);
      assert.ok(shown?.includes(kept), "who was ahead of the backup starts over");
      assert.notEqual((again["next_batch"] as string).split("_")[0], since.split("_")[0]);
      const messages = (await readMessages(url, { person: alice, roomId: room.id })).map(({ eventId }) => eventId);
      assert.deepEqual([messages.includes(kept), messages.includes(lost)], [true, false]);
      const file = media.replace("mxc://", "/_matrix/client/v1/media/download/");
      assert.equal(String((await request(url, "GET", file, alice)).body), "a file");
      await room.say(alice, "after");
      assert.deepEqual(release.problems, []);
    });
});

test("a release that does not come up leaves nothing behind, and says why", { skip: missingTools }, async () => {
  const objects = await renderChart("backup", ["api.image=registry.example.org/nobody:1"]);
  const release = await openRelease("parley", { images: new Map([[`${images.server}:0.1.0`, image]]) });
  await assert.rejects(release.apply(objects, "at once"), /there is no image registry.example.org.nobody:1/);
  await release[Symbol.asyncDispose]();
});

/** `kubectl scale deployment --replicas=0`, and until the pods are gone. */
async function scaleToNothing(release: Release, objects: readonly KubernetesObject[]): Promise<void> {
  const deployments = objects.filter(({ kind }) => kind === "Deployment");
  const pods = deployments.flatMap(({ metadata }) => release.pods(metadata.name));
  await Promise.all(pods.map((pod) => release.remove(pod)));
}

/** As the administrator, in the pod of PostgreSQL: what docs/operations/kubernetes.md says to type into psql. */
async function empty(release: Release, { postgres, administrator: [secret, key] }: Names): Promise<void> {
  const { port } = new URL(release.urlOf(postgres));
  const password = release.secret(secret)[key] as string;
  const client = await connectOwner(`postgres://postgres:${password}@127.0.0.1:${port}/postgres`);
  for (const statement of statements) await client.query(statement);
  await client.end();
}
