/** The compose file, executed: each profile comes up with the secrets that its script makes, a message arrives and a file is kept. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { request } from "../../testkit/src/http.ts";
import { objectsOfProfile } from "./executed-compose.ts";
import { imageOf } from "./executed-image.ts";
import { imagesOf } from "./executed-manifests.ts";
import { openRelease } from "./executed-release.ts";
import { imagesFor, missingFor } from "./executed-services.ts";
import { begin } from "./executed-story.ts";
import { repoRoot } from "./tools.ts";

const folder = mkdtempSync(join(tmpdir(), "parley-compose-run-"));
after(() => rmSync(folder, { recursive: true }));
chmodSync(folder, 0o755);
for (const path of ["compose.yaml", "compose-secrets.sh", "kustomize/base/postgres/10-roles.sh"]) {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  cpSync(join(repoRoot, "deploy", path), join(folder, path));
}
execFileSync("sh", [join(folder, "compose-secrets.sh")]);

const own = { parley: imageOf(join(folder, "image")) };

describe("a profile of the compose file comes up, and a message arrives", () => {
  for (const [profile, door, printing] of [
    ["small", "parley", "parley"],
    ["full", "gateway", "auth"],
  ] as const)
    test(profile, async (t) => {
      const objects = objectsOfProfile(folder, profile);
      const all = imagesOf(objects);
      const missing = missingFor(all);
      if (missing) return t.skip(missing);
      await using release = await openRelease("compose", { images: imagesFor(all, own) });
      await release.apply(objects, "at once");
      const url = release.urlOf(door);
      const {
        alice: { token },
      } = await begin(url, release, [printing]);
      const { body } = await request(url, "POST", "/_matrix/media/v3/upload", { token, body: Buffer.from("a file") });
      const path = (body.content_uri as string).replace("mxc://", "/_matrix/client/v1/media/download/");
      assert.equal(String((await request(url, "GET", path, { token })).body), "a file");
      assert.deepEqual(release.problems, []);
    });
});
