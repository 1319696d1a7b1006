/** The Dockerfiles, as text: what can be known of the images without building them. `npm run test:image` builds and runs them. */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { serverEnvironment, serverFlags } from "../../scripts/lib/server-process.mjs";
import { readConfig } from "../../server/src/config.ts";
import { commands, images, mounts, staticWeb, user } from "../src/release.ts";
import { readDockerfile, readRun, type Stage } from "./dockerfile.ts";
import { repoRoot } from "./tools.ts";

const paths = { server: "deploy/Dockerfile", web: "deploy/web/Dockerfile" };
const files = Object.entries(paths).map(([name, path]) => ({ name, path, file: readDockerfile(join(repoRoot, path)) }));
const server = readRun(readDockerfile(join(repoRoot, paths.server)));
const command = readFileSync(join(repoRoot, "deploy", "image", "parley"), "utf8");

test("the server is run in the image with the flags and the environment of npm start", () => {
  const { NODE_COMPILE_CACHE, ...memory } = serverEnvironment;
  assert.notEqual(server.env["NODE_COMPILE_CACHE"], NODE_COMPILE_CACHE);
  for (const [name, value] of Object.entries(memory)) assert.equal(server.env[name], value, name);
  const run = command
    .replaceAll(/\\\n\s*/g, "")
    .match(/^exec (.*)$/m)?.[1]
    ?.split(" ");
  assert.deepEqual(run, ["/usr/local/bin/node", ...serverFlags, '"$program"', '"$@"']);
  assert.deepEqual(commands.server, ["node", ...serverFlags, "server/src/main.ts"]);
});

test("it runs as the user of the manifests, in the folder that their commands are relative to, and its settings are accepted", () => {
  for (const { file } of files) assert.equal(readRun(file).user, `${user.uid}:${user.gid}`);
  assert.equal(server.workdir, "/app");
  assert.equal(server.env["PARLEY_DATA_DIR"], mounts.data);
  readConfig(server.env);
  assert.deepEqual([server.entrypoint, server.cmd], [["parley"], ["serve"]]);
  assert.equal(statSync(join(repoRoot, "deploy", "image", "parley")).mode & 0o111, 0o111);
});

test("every workspace is known to the build, or npm would refuse the lock file", () => {
  const { workspaces } = JSON.parse(readFileSync(join(repoRoot, "package.json"), "utf8")) as { workspaces: string[] };
  for (const { path, file } of files) {
    const copied = texts(file.stages[0] as Stage, "COPY");
    for (const workspace of workspaces)
      assert.ok(copied.includes(`${workspace}/package.json ${workspace}/`), `${path}: ${workspace}`);
  }
});

test("nothing is fetched but by npm from the lock file, and no script of a package runs", () => {
  assert.match(readFileSync(join(repoRoot, ".npmrc"), "utf8"), /^ignore-scripts=true$/m);
  for (const { path, file } of files) {
    const all = file.stages.flatMap((stage) => [
      ...texts(stage, "RUN"),
      ...texts(stage, "ADD").map((text) => `ADD ${text}`),
    ]);
    for (const text of all) assert.doesNotMatch(text, /^ADD|curl|wget|apt-get|npm install|npm i\b/, path);
    assert.ok(
      all.some((text) => /\bnpm ci\b/.test(text)),
      path,
    );
  }
});

test("the last stage takes what was built, and no npm: it has a list of its contents, labels, and no health check", () => {
  for (const { name, path, file } of files) {
    const last = file.stages.at(-1) as Stage;
    for (const text of texts(last, "RUN")) assert.doesNotMatch(text, /npm/, path);
    const copied = texts(last, "COPY");
    assert.ok(
      copied.some((text) => text.includes("/usr/share/sbom/")),
      path,
    );
    assert.ok(!copied.some((text) => text.includes("lib/node_modules")), path);
    assert.deepEqual(texts(last, "HEALTHCHECK"), ["NONE"]);
    const labels = texts(last, "LABEL").join(" ");
    for (const label of ["title", "description", "licenses", "source", "version", "revision"])
      assert.match(labels, new RegExp(`org\\.opencontainers\\.image\\.${label}=`), path);
    const source = images[name as keyof typeof images].replace("ghcr.io", "https://github.com").replace(/-web$/, "");
    assert.ok(texts(last, "ARG").includes(`SOURCE=${source}`), path);
  }
});

test("the static image listens where the manifests expect it", () => {
  const last = files.find(({ name }) => name === "web")?.file.stages.at(-1) as Stage;
  assert.deepEqual(texts(last, "EXPOSE"), [`${staticWeb.port}`]);
  assert.match(
    readFileSync(join(repoRoot, "deploy", "web", "start.sh"), "utf8"),
    new RegExp(`PORT:-${staticWeb.port}`),
  );
});

test("only what the images are made of is sent to the builder", () => {
  const lines = readFileSync(join(repoRoot, ".dockerignore"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  assert.equal(lines[0], "*");
  const allowed = lines.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  const copied = files.flatMap(({ file }) => file.stages.flatMap((stage) => texts(stage, "COPY")));
  const sources = copied
    .filter((text) => !text.includes("--from="))
    .flatMap((text) =>
      text
        .split(" ")
        .filter((each) => !each.startsWith("--"))
        .slice(0, -1),
    );
  for (const source of sources) {
    const isAllowed = allowed.some(
      (each) =>
        source === each ||
        source.startsWith(`${each}/`) ||
        (each === "*/package.json" && /^\w+\/package\.json$/.test(source)),
    );
    assert.ok(isAllowed, source);
  }
  for (const secret of ["data", "deploy/secrets", ".git", ".env"])
    assert.ok(!allowed.some((each) => secret.startsWith(each)), secret);
});

function texts({ instructions }: Stage, name: string): string[] {
  return instructions.filter((each) => each.name === name).map(({ text }) => text);
}
