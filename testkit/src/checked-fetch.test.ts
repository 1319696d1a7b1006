import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { specOrSkip } from "./openapi/spec-dir.ts";
import { startTestServer } from "./server.ts";

test("once a test has a server, no fetch of its process goes unchecked", async (t) => {
  if (specOrSkip(t) === undefined) return;
  await using _server = await startTestServer({ config: { roles: ["auth"] } });
  const wrong = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(`{"versions":"none"}`);
  }).listen(0, "127.0.0.1");
  await once(wrong, "listening");
  t.after(() => wrong.close().closeAllConnections());
  const origin = `http://127.0.0.1:${(wrong.address() as AddressInfo).port}`;
  const path = "/_matrix/client/versions";
  await assert.rejects(fetch(origin + path), /getVersions .*\/versions must be array/);
  await assert.rejects(fetch(new URL(path, origin)), /getVersions/);
  await assert.rejects(fetch(new Request(origin + path)), /getVersions/);
  assert.equal((await fetch(`${origin}/elsewhere`)).status, 200);
});

test("nothing passes by the check but what has no homeserver behind it, or checks by itself", () => {
  const root = join(import.meta.dirname, "../..");
  const found = ["server/src", "testkit/src", "e2e", "faults", "bench"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts") && !name.includes("node_modules"))
      .map((name) => `${folder}/${name}`),
  );
  const passing = found.filter((path) =>
    readFileSync(join(root, path), "utf8").includes(["unchecked", "Fetch"].join("")),
  );
  assert.deepEqual(passing.toSorted(), [
    "server/src/proxy/front.test.ts",
    "testkit/src/checked-fetch.ts",
    "testkit/src/people.ts",
  ]);
});
