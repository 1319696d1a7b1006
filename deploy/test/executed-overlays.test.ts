/** Each overlay, executed: it comes up by itself, all objects at once as kubectl applies them, and a message arrives. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { type Person, request } from "../../testkit/src/http.ts";
import { archivesFiles } from "./executed-archive.ts";
import { withoutOperator } from "./executed-cnpg.ts";
import { imageOf, webImageOf } from "./executed-image.ts";
import { imagesOf, isWorkload } from "./executed-manifests.ts";
import { openRelease, type Release } from "./executed-release.ts";
import { imagesFor, missingFor } from "./executed-services.ts";
import { begin } from "./executed-story.ts";
import type { KubernetesObject } from "./schema.ts";
import { paths } from "./kustomizations.ts";
import { missingTools, render } from "./tools.ts";

const folder = mkdtempSync(join(tmpdir(), "parley-overlays-"));
after(() => rmSync(folder, { recursive: true }));
// nginx has workers of another account where root runs the test.
chmodSync(folder, 0o755);
const own = { parley: imageOf(folder), "parley-web": webImageOf(folder) };

/** The door that people come in by, and the Deployments that print the administrator's link. */
const overlays = [
  { overlay: "kustomize/overlays/minikube", door: "gateway", printing: ["auth"] },
  { overlay: "kustomize/overlays/telegram", door: "gateway", printing: ["gateway"] },
  { overlay: "kustomize/overlays/irc", door: "backend", printing: ["backend"] },
  { overlay: "cnpg/parley", door: "frontend", printing: ["backend"] },
];

describe("an overlay comes up all at once, and a message arrives", { skip: missingTools }, () => {
  for (const { overlay, door, printing } of overlays)
    test(overlay, async (t) => {
      const objects = withoutOperator(await render("kubectl", ["kustomize", `deploy/${overlay}`]));
      const all = imagesOf(objects);
      const missing = missingFor(all);
      if (missing) return t.skip(missing);
      const images = imagesFor(all, own);
      const namespace = objects.find(({ kind }) => kind === "Namespace")?.metadata.name as string;
      await using release = await openRelease(namespace, { images });
      await release.apply(objects, "at once");
      const { alice } = await begin(release.urlOf(door), release, printing);
      await archivesFiles(release.urlOf(door), alice, [await uploaded(release.urlOf(door), alice)]);
      if (overlay.endsWith("minikube")) {
        await takesItsParts(release);
        await drains(release, objects);
      }
      assert.deepEqual(release.problems, []);
    });
});

/** Gives what is in the file. */
async function uploaded(url: string, { token }: Person): Promise<string> {
  const { status } = await request(url, "POST", "/_matrix/media/v3/upload", { token, body: Buffer.from("a file") });
  assert.equal(status, 200);
  return "a file";
}

/** Each part can be applied by itself where the rest is there, and what has not changed goes on. */
async function takesItsParts(release: Release): Promise<void> {
  const parts = Object.entries(paths).filter(
    ([name]) => name.startsWith("minikube-") && name !== "minikube-with-backup",
  );
  assert.ok(parts.length > 1);
  for (const [part, path] of parts) {
    const before = release.terminations.length;
    await release.apply(await render("kubectl", ["kustomize", path]), "at once");
    assert.equal(release.terminations.length, before, `${part} replaced a pod`);
  }
}

/** Told to stop, each serves on for as long as it is rendered to, and ends by itself within its grace period. */
async function drains(release: Release, objects: readonly KubernetesObject[]): Promise<void> {
  const deployments = objects.filter(isWorkload).filter(({ kind }) => kind === "Deployment");
  const removed = deployments.flatMap(({ metadata, spec }) =>
    release.pods(metadata.name).map(async (pod) => {
      const { code, took_ms, grace_ms } = await release.remove(pod);
      const drain_ms = spec.template.spec.containers[0]?.env?.find(({ name }) => name === "PARLEY_DRAIN_MS")?.value;
      assert.equal(code, 0, `${pod.name} ended with ${code}`);
      assert.ok(took_ms >= Number(drain_ms) && took_ms < grace_ms, `${pod.name}: ${took_ms} ms of ${grace_ms} ms`);
    }),
  );
  assert.equal((await Promise.all(removed)).length, deployments.length);
}
