/** The image for Complement, as text: what the suite asks of it, and that Parley takes its settings. */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readConfig } from "../../server/src/config.ts";
import { readDockerfile } from "./dockerfile.ts";
import { repoRoot } from "./tools.ts";

const folder = join(repoRoot, "deploy", "complement");
const file = readDockerfile(join(folder, "Dockerfile"));
const script = readFileSync(join(folder, "start.sh"), "utf8");
const last = file.stages.at(-1)!;
const texts = (name: string) => last.instructions.filter((each) => each.name === name).map(({ text }) => text);

test("the image has the ports that Complement asks for, a health check, and no volume in which data would stay behind", () => {
  assert.deepEqual(texts("EXPOSE"), ["8008 8448"]);
  assert.match(texts("HEALTHCHECK").join(), /\/health\/ready/);
  assert.deepEqual(texts("VOLUME"), []);
  // The base declares one at the usual place.
  assert.match(texts("ENV").join(), /\bPGDATA=\/var\/lib\/complement\//);
  assert.deepEqual(texts("USER"), ["postgres"]);
  assert.equal(statSync(join(folder, "start.sh")).mode & 0o111, 0o111);
});

test("what the image starts with are settings of Parley, with Complement's name and secret", () => {
  const exported = [...script.matchAll(/^\s*export (.+)$/gm)].flatMap(([, line = ""]) => line.split(" "));
  const env = Object.fromEntries(exported.map((each) => each.split(/=(.*)/s, 2) as [string, string]));
  assert.equal(env["PARLEY_SERVER_NAME"], '"$SERVER_NAME"');
  const config = readConfig({ ...env, PARLEY_SERVER_NAME: "hs1" });
  assert.deepEqual(
    [config.port, config.serverName, config.registration, config.registrationSecret, config.rateLimits],
    [8008, "hs1", "open", "complement", false],
  );
});
