/** Backup, drill and restore as an operator runs them in a cluster (docs/operations/helm.md), executed: what the backup has comes back. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
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
import { missingTools } from "./tools.ts";

const folder = mkdtempSync(join(tmpdir(), "parley-backup-jobs-"));
after(() => rmSync(folder, { recursive: true }));

const image = imageOf(folder);

describe("backup, drill and restore by the jobs of a release", { skip: missingTools }, () => {
  test("with the chart and a claim", async () => {
    const objects = await renderChart("backup", ["autoscaling.enabled=false", "api.replicas=1"]);
    const options = {
      images: new Map([[`${images.server}:0.1.0`, image]]),
      replicas: () => 1,
      settings: { PARLEY_DRAIN_MS: "1000" },
    };
    await using release = await openRelease("parley", options);
    await release.apply(objects, "at once");
    const url = release.urlOf("parley-api");
    const story = await begin(url, release, ["parley-api"]);
    const { alice, room } = story;
    const upload = { token: alice.token, body: Buffer.from("a file") };
    const media = (await request(url, "POST", "/_matrix/media/v3/upload", upload)).body.content_uri as string;
    const kept = await room.say(alice, "kept");

    assert.match(await release.runNow("parley-backup"), /The backup is in \/.+Z\./);
    assert.match(await release.runNow("parley-restore-drill"), /ok {2}log .*\n.*ok {2}epoch/);
    const lost = await room.say(alice, "lost");
    const ahead = await alice.call("GET", "/_matrix/client/v3/sync");

    await scaleToNothing(release, ["parley-api", "parley-web"]);
    await empty(release);
    await assert.doesNotReject(release.runNow("parley-restore"));
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
async function scaleToNothing(release: Release, deployments: readonly string[]): Promise<void> {
  await Promise.all(deployments.flatMap((name) => release.pods(name).map((pod) => release.remove(pod))));
}

/** As the administrator, in the pod of PostgreSQL: what docs/operations/kubernetes.md says to type into psql. */
async function empty(release: Release): Promise<void> {
  const { port } = new URL(release.urlOf("parley-postgresql"));
  const { "postgres-password": password } = release.secret("parley-postgresql");
  const client = await connectOwner(`postgres://postgres:${password}@127.0.0.1:${port}/postgres`);
  for (const statement of [
    "drop database parley with (force)",
    "create database parley owner parley_owner",
    "revoke all on database parley from public",
    "grant connect on database parley to parley",
  ])
    await client.query(statement);
  await client.end();
}
