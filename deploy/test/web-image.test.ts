/** The static web image: its nginx in front of a real server, compared with what the role `web` answers itself. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { registerPerson } from "../../testkit/src/http.ts";
import { createRoom } from "../../testkit/src/room.ts";
import { startTestServer } from "../../testkit/src/server.ts";
import { openStream } from "../../testkit/src/stream.ts";
import { staticWeb } from "../src/release.ts";
import { launch, missingNginx, startNginx } from "./nginx.ts";
import { freePort } from "../../testkit/src/ports.ts";

const skip = missingNginx;
const assetsOf = (app: string) => readdirSync(fileURLToPath(new URL(`../../${app}/dist/assets/`, import.meta.url)));
const [assets, consoleAssets] = [assetsOf("web"), assetsOf("operator")];

/** What must be the same, whoever hands the file out. */
const compared = [
  "content-security-policy",
  "x-content-type-options",
  "referrer-policy",
  "cross-origin-opener-policy",
  "permissions-policy",
  "cache-control",
  "content-type",
];

test(
  "files, the app's own addresses and what is not there are answered as the role web answers them",
  { skip },
  async () => {
    await using server = await startTestServer();
    await using nginx = await startNginx({ API_BASE_URL: server.url });
    const kinds = [".js", ".css", ".wasm", ".woff2"].map((kind) => assets.find((name) => name.endsWith(kind)));
    const paths = ["/", "/room/!a:b", "/settings/security", "/favicon.svg", "/emoji/en/data.json", "/administration"];
    const ofConsole = [
      "/admin",
      "/admin/",
      "/admin/users/@a:b",
      "/admin/theme.js",
      `/admin/assets/${consoleAssets[0]}`,
    ];
    for (const path of [...paths, ...kinds.map((name) => `/assets/${name}`), ...ofConsole]) {
      const [own, other] = await Promise.all([fetch(server.url + path), fetch(nginx.url + path)]);
      assert.deepEqual([path, other.status], [path, own.status]);
      assert.equal(await other.text(), await own.text(), path);
      for (const name of compared) assert.equal(other.headers.get(name), own.headers.get(name), `${name} of ${path}`);
    }
    for (const folder of ["/assets", "/admin/assets"])
      assert.equal((await fetch(`${nginx.url}${folder}/gone-1.js`)).status, 404);
  },
);

test(
  "the API is at its own paths and below /api, with ids as the client wrote them, and sockets pass",
  { skip },
  async () => {
    await using server = await startTestServer();
    await using nginx = await startNginx({ [staticWeb.calls]: server.url });
    const alice = await registerPerson(nginx.url, "alice");
    const room = await createRoom(alice, { room_alias_name: "a/b%20c" });
    await room.say(alice, "through nginx");
    const alias = `/_matrix/client/v3/directory/room/${encodeURIComponent("#a/b%20c:localhost")}`;
    for (const path of [alias, `/api${alias}`])
      assert.equal(((await (await fetch(nginx.url + path)).json()) as { room_id: string }).room_id, room.id);
    const ready = await fetch(`${nginx.url}/api/health/ready`);
    assert.equal(((await ready.json()) as { ready: boolean }).ready, true);
    using stream = await openStream(nginx.url, alice);
    const eventId = await room.say(alice, "over the stream");
    await stream.until((frame) => JSON.stringify(frame).includes(eventId));
  },
);

test(
  "while the API is away nginx is ready, and says in Matrix's words that the server can not be reached",
  { skip },
  async () => {
    await using nginx = await startNginx({ API_BASE_URL: `http://127.0.0.1:${await freePort()}` });
    assert.equal((await fetch(`${nginx.url}/health/ready`)).status, 200);
    const answer = await fetch(`${nginx.url}/_matrix/client/versions`);
    assert.equal(answer.status, 502);
    assert.equal(((await answer.json()) as { errcode: string }).errcode, "M_UNKNOWN");
  },
);

test("the signal of the image lets nginx end by itself", { skip }, async () => {
  await using nginx = await startNginx({ API_BASE_URL: "http://127.0.0.1:9" });
  assert.equal(await nginx.end("SIGQUIT"), 0);
});

test("a wrong setting stops the start, and says which and what to set", async () => {
  const wrong: [Record<string, string>, RegExp][] = [
    [{}, /API_BASE_URL is "".*http:\/\//],
    [{ API_BASE_URL: "parley:8080" }, /API_BASE_URL/],
    [{ API_BASE_URL: "http://parley:8080/api" }, /without a path/],
    [{ API_BASE_URL: "http://a; evil" }, /without a path/],
    [{ API_BASE_URL: "http://parley:8080", PORT: "http" }, /PORT is "http"/],
  ];
  for (const [env, told] of wrong) {
    const { code, output } = await launch(env).ended;
    assert.equal(code, 1);
    assert.match(output, told);
  }
});
