import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import sharp from "sharp";
import { registerPerson, request, type Person } from "../../../../testkit/src/http.ts";
import { startTestServer } from "../../../../testkit/src/server.ts";
import { readConfig } from "../../config.ts";
import { readAllowed } from "../../outward/guard.ts";
import { realSeams } from "../../seams.ts";
import { sweepPreviews } from "./cache.ts";
import { fetchLinked } from "./fetch.ts";
import { readPage } from "./page.ts";

const HERE = { previews: { isOn: true, hosts: readAllowed("127.0.0.1") } };
const PATH = "/_matrix/client/v1/media/preview_url?url=";

type Answers = Record<string, [type: string, body: string | Buffer, headers?: Record<string, string>, status?: number]>;

/** A web server, and what it was asked for. */
async function serve(answers: Answers | RequestListener) {
  const asked: string[] = [];
  const server = createServer((incoming: IncomingMessage, answer) => {
    asked.push(incoming.url ?? "");
    if (typeof answers === "function") return answers(incoming, answer);
    const [type, body, headers, status = 200] = answers[incoming.url ?? ""] ?? ["text/plain", "none", {}, 404];
    answer.writeHead(status, { "content-type": type, ...headers }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, asked, [Symbol.asyncDispose]: close };
}

const preview = (person: Person, url: string) => person.ask("GET", PATH + encodeURIComponent(url));
const png = () =>
  sharp({ create: { width: 279, height: 129, channels: 3, background: "teal" } })
    .png()
    .toBuffer();

const FILM = `<html prefix="og: http://ogp.me/ns#"><head><title>The Rock (1996)</title>
<meta property="og:title" content="The Rock" /><meta property="og:type" content="video.movie" />
<meta property="og:url" content="http://www.imdb.com/title/tt0117500/" /><meta property="og:image" content="test.png" />
<meta property="og:video" content="http://tracker.example/film" /></head><body></body></html>`;

test("until it is switched on nothing is fetched", async () => {
  await using site = await serve({ "/": ["text/html", FILM] });
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const { status, body } = await preview(alice, `${site.url}/`);
  assert.deepEqual([status, body.errcode, site.asked], [404, "M_UNRECOGNIZED", []]);
});

test("a page is told as it tells itself, its picture is a file here, and every replica knows it", async () => {
  const image = await png();
  await using site = await serve({ "/test.html": ["text/html", FILM], "/test.png": ["image/png", image] });
  const shared = { ...HERE, bus: "postgresql" } as const;
  await using server = await startTestServer({ config: shared });
  const alice = await registerPerson(server.url, "alice");
  const { body } = await preview(alice, `${site.url}/test.html#part`);
  const { "og:image": mxc, ...rest } = body;
  assert.deepEqual(rest, {
    "og:title": "The Rock",
    "og:type": "video.movie",
    "og:url": "http://www.imdb.com/title/tt0117500/",
    "og:image:type": "image/png",
    "og:image:width": 279,
    "og:image:height": 129,
    "matrix:image:size": image.length,
  });
  const path = `/_matrix/client/v1/media/download/${mxc.replace("mxc://", "")}`;
  assert.deepEqual((await alice.ask("GET", path)).body, image);
  await using other = await startTestServer({
    databaseUrl: server.databaseUrl,
    config: { ...shared, roles: ["media"] },
  });
  const legacy = `/_matrix/media/v3/preview_url?url=${encodeURIComponent(`${site.url}/test.html`)}`;
  assert.deepEqual((await request(other.url, "GET", legacy, { token: alice.token })).body, body);
  assert.deepEqual(site.asked, ["/test.html", "/test.png"]);
});

test("an old preview is made anew, and its picture goes when nobody needs it", async () => {
  await using site = await serve({ "/p.png": ["image/png", await png()] });
  await using server = await startTestServer({ config: HERE });
  const alice = await registerPerson(server.url, "alice");
  const first = (await preview(alice, `${site.url}/p.png`)).body["og:image"];
  await server.ctx.db.media.change("update media.previews set expires_at = now() - interval '1 second'");
  await server.ctx.db.media.change("update media.media set created_at = now() - interval '3 days'");
  const second = (await preview(alice, `${site.url}/p.png`)).body["og:image"];
  assert.notEqual(first, second);
  await sweepPreviews(server.ctx);
  const statusOf = async (mxc: string) =>
    (await alice.ask("GET", `/_matrix/client/v1/media/download/${mxc.replace("mxc://", "")}`)).status;
  assert.deepEqual([await statusOf(first), await statusOf(second)], [404, 200]);
});

test("pages are read in their own charset, and without OpenGraph by their title and description", async () => {
  const read = (html: string | Buffer, charset?: string) => readPage(Buffer.from(html as string), charset);
  const plain = await read(
    `<title> Caf&eacute;\n &amp; Bar </title><svg><title>icon</title></svg><meta name=description content="d&#39;accord"><script>"<title>no</title>"</script>`,
  );
  assert.deepEqual(plain.said, { "og:title": "Café & Bar", "og:description": "d'accord" });
  assert.equal(
    (await readPage(Buffer.from("<title>caf\xe9</title>", "latin1"), "ISO-8859-1")).said["og:title"],
    "café",
  );
  const sjis = Buffer.concat([Buffer.from('<meta charset="shift_jis"><title>'), Buffer.from([0x93, 0x8c, 0x8b, 0x9e])]);
  assert.equal((await readPage(sjis, "no-such-charset")).said["og:title"], "東京");
  assert.equal((await readPage(Buffer.from("\ufeff<title>x</title>", "utf16le"), undefined)).said["og:title"], "x");
  assert.equal((await read(`<title>${"x".repeat(5_000)}</title>`)).said["og:title"]?.length, 1_000);
  assert.deepEqual((await read('<meta property="og:url" content="javascript:alert(1)">')).said, {});
});

test("what is no page, too long, packed, broken or slow has no preview, and nobody tries it again at once", async () => {
  await using site = await serve({
    "/text": ["text/plain", "hello"],
    "/long": ["text/html", "x".repeat(6 * 1_048_576)],
    "/packed": ["text/html", gzipSync(FILM), { "content-encoding": "gzip" }],
    "/broken": ["text/html", "", {}, 500],
    "/loop": ["text/html", "", { location: "/loop" }, 302],
    "/nowhere": ["text/html", "", { location: "http://" }, 302],
    "/svg": ["image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'],
    "/sly": ["text/html", '<title>t</title><meta property="og:image" content="/svg">'],
  });
  await using server = await startTestServer({ config: HERE });
  const alice = await registerPerson(server.url, "alice");
  for (const path of ["/long", "/packed", "/broken", "/loop", "/nowhere", "/broken"]) {
    const { status, body } = await preview(alice, site.url + path);
    assert.deepEqual([status, body.errcode], [502, "M_UNKNOWN"], path);
  }
  assert.equal(site.asked.filter((path) => path === "/broken").length, 1);
  assert.equal(site.asked.filter((path) => path === "/loop").length, 6);
  assert.deepEqual((await preview(alice, `${site.url}/text`)).body, {});
  assert.deepEqual((await preview(alice, `${site.url}/svg`)).body, {});
  assert.deepEqual((await preview(alice, `${site.url}/sly`)).body, { "og:title": "t" });
});

/** 127.0.0.1 and what else is inside, in the forms that URLs have. */
function inside(port: string): string[] {
  const hosts = `127.0.0.1 127.1 2130706433 0x7f.1 0x7f000001 017700000001 0177.0.0.1 127.0.0.1. localhost localhost. LOCALHOST
    [::1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::] [0:0:0:0:0:0:0:1] [::] 0 0.0.0.0 0x0
    10.0.0.1 172.16.0.1 192.168.0.1 100.64.0.1 169.254.169.254 2852039166 [fd00:ec2::254] [fe80::1] [fc00::1] 224.0.0.1 255.255.255.255
    １２７.0.0.1 127。0。0。1 ①②⑦.0.0.1 198.18.0.1 192.0.2.1 100.100.100.200`;
  return hosts.split(/\s+/).map((host) => `http://${host}:${port}/`);
}

test("nothing inside the network is reached: not by its address in any form, not by a redirect, not by a picture", async () => {
  await using secret = await serve({ "/": ["text/html", "<title>secret</title>"] });
  const port = new URL(secret.url).port;
  const here = inside(port);
  await using door = await serve((incoming, answer) => {
    const target = here[Number(incoming.url?.slice(2))] as string;
    if (incoming.url?.startsWith("/r"))
      answer.writeHead(302, { location: Buffer.from(target).toString("latin1") }).end();
    else answer.writeHead(200, { "content-type": "text/html" }).end(`<meta property="og:image" content="${target}">`);
  });
  const doorPort = new URL(door.url).port;
  const hosts = readAllowed(`127.0.0.1:${doorPort}`);
  await using server = await startTestServer({ config: { previews: { isOn: true, hosts } } });
  const alice = await registerPerson(server.url, "alice");
  for (const [index, url] of here.entries()) {
    for (const from of [url, `${door.url}/r${index}`]) {
      const { status, body } = await preview(alice, from);
      assert.ok(status === 502 || body.errcode === "M_INVALID_PARAM", `${from} (${url}): ${status}`);
      assert.ok(!JSON.stringify(body).includes("127.0.0"), "what the network looks like is not told");
    }
    assert.deepEqual((await preview(alice, `${door.url}/p${index}`)).body, {}, url);
  }
  const refused = [
    "file:///etc/passwd",
    "ftp://127.0.0.1/",
    "gopher://x",
    "http://a:b@example.org/",
    "data:text/html,x",
    "x",
  ];
  for (const url of refused) assert.equal((await preview(alice, url)).body.errcode, "M_INVALID_PARAM", url);
  assert.equal((await alice.ask("GET", "/_matrix/client/v1/media/preview_url")).body.errcode, "M_MISSING_PARAM");
  assert.deepEqual(secret.asked, []);
});

test("a name that points elsewhere a moment later leads nowhere else", async () => {
  await using site = await serve({
    "/": ["text/html", "", { location: "/on" }, 302],
    "/on": ["text/html", "<title>inside</title>"],
  });
  const { port } = new URL(site.url);
  const answers = [["127.0.0.1"], ["10.0.0.1"]];
  const guard = {
    allowed: readAllowed("127.0.0.1"),
    setting: "PARLEY_PREVIEW_HOSTS",
    isPublicAllowed: true,
    lookup: () => Promise.resolve(answers.shift() ?? []),
  };
  const deadline_ms = realSeams.monotonic_ms() + 5_000;
  const fetched = fetchLinked(`http://rebinding.example:${port}/`, "*/*", { seams: realSeams, guard, deadline_ms });
  await assert.rejects(fetched, { errcode: "M_FORBIDDEN" });
  assert.deepEqual(site.asked, ["/"]);
});

test("wrong settings stop the start, with the fix", () => {
  assert.equal(readConfig({}).previews.isOn, false);
  assert.equal(readConfig({ PARLEY_PREVIEWS: "on" }).previews.isOn, true);
  assert.throws(() => readConfig({ PARLEY_PREVIEWS: "yes" }), /PARLEY_PREVIEWS is "yes": set it to off or on/);
  assert.throws(
    () => readConfig({ PARLEY_PREVIEW_HOSTS: "http://x" }),
    /PARLEY_PREVIEW_HOSTS is "http:\/\/x": set it to/,
  );
});
