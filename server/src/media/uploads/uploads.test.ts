import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { Upload } from "tus-js-client";
import { registerPerson, type Json, type Person } from "../../../../testkit/src/http.ts";
import { startTestServer, type TestServer } from "../../../../testkit/src/server.ts";
import { waitFor } from "../../../../testkit/src/wait.ts";
import { removeMedia } from "../remove.ts";
import { discardUploads } from "./queries.ts";
import { sweepUploads } from "./sweep.ts";

const PATH = "/_parley/client/v1/uploads";

type Ask = { method: string; headers?: Record<string, string>; body?: Buffer | string };

const tus =
  (server: TestServer, person: Person) =>
  (path: string, { headers = {}, ...rest }: Ask) =>
    fetch(server.url + path, {
      ...rest,
      headers: { authorization: `Bearer ${person.token}`, "tus-resumable": "1.0.0", ...headers },
    } as RequestInit);

const begin = (length: number, headers: Record<string, string> = {}): Ask => ({
  method: "POST",
  headers: { "upload-length": String(length), ...headers },
});
const chunk = (offset: number, body: Buffer | string): Ask => ({
  method: "PATCH",
  headers: { "upload-offset": String(offset), "content-type": "application/offset+octet-stream" },
  body,
});

const download = (person: Person, uri: string) =>
  person.ask("GET", `/_matrix/client/v1/media/download/${uri.replace("mxc://", "")}?timeout_ms=0`);

/** The names of the files of the folder store. */
async function blobs(server: TestServer): Promise<string[]> {
  const found = await readdir(join(server.dataDir, "media"), { recursive: true, withFileTypes: true });
  return found.filter((each) => each.isFile()).map((each) => each.name);
}

/** Waits for what this process does by itself, of which nobody is told. */
const until = (what: string, check: () => Promise<boolean>) =>
  waitFor({
    what,
    check,
    listen(look) {
      const timer = setInterval(look, 20);
      return () => clearInterval(timer);
    },
  });

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

test("tus-js-client uploads a file in pieces, with its name and type, and goes on where it was", async () => {
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const bytes = randomBytes(700_000);
  let uri = "";
  const options = {
    endpoint: server.url + PATH,
    chunkSize: 100_000,
    retryDelays: [0, 0],
    headers: { authorization: `Bearer ${alice.token}` },
    metadata: { filename: "größe.bin", filetype: "application/x-parley" },
    onAfterResponse(request: { getMethod(): string }, response: { getBody(): string }) {
      if (request.getMethod() === "POST") uri = JSON.parse(response.getBody()).content_uri;
    },
  };
  const upload = (more: object, limit = Infinity) =>
    new Promise<string>((resolve, reject) => {
      const client: Upload = new Upload(bytes as never, {
        ...options,
        ...more,
        onError: reject,
        onSuccess: () => resolve("done"),
        onChunkComplete(_size, accepted) {
          if (accepted >= limit) void client.abort().then(() => resolve(client.url as string));
        },
      });
      client.start();
    });
  const at = await upload({}, 300_000);
  const head = await tus(server, alice)(at.replace(server.url, ""), { method: "HEAD" });
  assert.deepEqual([head.status, head.headers.get("upload-offset")], [200, "300000"]);
  assert.equal((await download(alice, uri)).body.errcode, "M_NOT_YET_UPLOADED");
  assert.equal(await upload({ uploadUrl: at }), "done");
  const got = await download(alice, uri);
  assert.equal(sha256(got.body), sha256(bytes));
  assert.equal(got.headers.get("content-type"), "application/x-parley");
  assert.match(got.headers.get("content-disposition") ?? "", /gr%C3%B6%C3%9Fe.bin$/);
  await until("the pieces go", async () => (await blobs(server)).length === 1);
  assert.deepEqual(await blobs(server), [sha256(bytes)]);
});

test("any process takes the next piece, and other sessions of the person see how far it is", async () => {
  const config = { bus: "postgresql", ephemeral: "postgresql" } as const;
  await using one = await startTestServer({ config });
  const { storage } = one.ctx.config;
  await using two = await startTestServer({
    databaseUrl: one.databaseUrl,
    config: { ...config, storage, dataDir: one.dataDir },
  });
  const alice = await registerPerson(one.url, "alice");
  const bob = await registerPerson(one.url, "bob");
  const [here, there] = [tus(one, alice), tus(two, alice)];
  const at = (await here(PATH, begin(9))).headers.get("location") as string;
  assert.equal((await here(at, chunk(0, "abc"))).status, 204);
  assert.equal((await there(at, chunk(3, "def"))).headers.get("upload-offset"), "6");
  const { uploads } = await (await here(PATH, { method: "GET" })).json();
  assert.deepEqual(
    uploads.map(({ offset, received, length }: Json) => ({ offset, received, length })),
    [{ offset: 6, received: 6, length: 9 }],
  );
  for (const ask of [{ method: "HEAD" }, chunk(6, "ghi"), { method: "DELETE" }])
    assert.equal((await tus(one, bob)(at, ask)).status, 404);
  assert.deepEqual(await (await tus(one, bob)(PATH, { method: "GET" })).json(), { uploads: [] });
  assert.equal((await here(at, chunk(6, "ghi"))).headers.get("upload-offset"), "9");
  assert.equal(String((await download(alice, uploads[0].content_uri)).body), "abcdefghi");
  const after = await there(at, { method: "HEAD" });
  assert.deepEqual(
    [after.status, after.headers.get("upload-offset")],
    [200, "9"],
    "who missed the last answer learns it",
  );
  assert.deepEqual(await (await here(PATH, { method: "GET" })).json(), { uploads: [] });
});

test("what arrived before a connection broke is kept", async () => {
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const ask = tus(server, alice);
  const at = (await ask(PATH, begin(1_000))).headers.get("location") as string;
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
  socket.write(
    `PATCH ${at} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${alice.token}\r\ntus-resumable: 1.0.0\r\nupload-offset: 0\r\n` +
      `content-type: application/offset+octet-stream\r\ncontent-length: 1000\r\n\r\n${"x".repeat(400)}`,
  );
  const received = async () => (await (await ask(at, { method: "GET" })).json()).received;
  await until("the bytes arrive", async () => (await received()) === 400);
  socket.destroy();
  const kept = async () => (await ask(at, { method: "HEAD" })).headers.get("upload-offset");
  await until("they are kept", async () => (await kept()) === "400");
  assert.equal((await ask(at, chunk(400, "y".repeat(600)))).status, 204);
});

test("a large request is kept in pieces, and of two for one place the first counts", async () => {
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const ask = tus(server, alice);
  const bytes = randomBytes(33 * 1_048_576);
  const made = await ask(PATH, begin(bytes.length));
  const { content_uri } = await made.json();
  const at = made.headers.get("location") as string;
  assert.equal((await ask(at, chunk(0, bytes))).status, 204);
  assert.equal(sha256((await download(alice, content_uri)).body), sha256(bytes));

  const twice = (await ask(PATH, begin(8))).headers.get("location") as string;
  const both = await Promise.all([ask(twice, chunk(0, "aaaa")), ask(twice, chunk(0, "bbbb"))]);
  assert.deepEqual(new Set(both.map(({ status }) => status)), new Set([204, 409]));
  assert.equal((await ask(twice, chunk(4, "cccc"))).status, 204);
  await sweepUploads(server.ctx);
  await until("nothing is left of the other", async () => (await blobs(server)).length === 2);
});

test("an upload may come with its beginning, be empty, be given up, and expires", async () => {
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const ask = tus(server, alice);
  const type = { "content-type": "application/offset+octet-stream" };
  const whole = await ask(PATH, { ...begin(5, type), body: "hello" });
  assert.deepEqual([whole.status, whole.headers.get("upload-offset")], [201, "5"]);
  assert.equal(String((await download(alice, (await whole.json()).content_uri)).body), "hello");
  const empty = await (await ask(PATH, begin(0))).json();
  assert.equal((await download(alice, empty.content_uri)).body.length, 0);

  const half = { ...begin(5, type), body: "hal" };
  const [one, two] = [await ask(PATH, half), await ask(PATH, half)];
  assert.equal((await ask(one.headers.get("location") as string, { method: "DELETE" })).status, 204);
  assert.equal((await download(alice, (await one.json()).content_uri)).body.errcode, "M_NOT_FOUND");
  await server.ctx.db.media.change("update media.uploads set expires_at = now() - interval '1 second'");
  assert.equal((await ask(two.headers.get("location") as string, { method: "HEAD" })).status, 404);
  await sweepUploads(server.ctx);
  assert.deepEqual(
    (await blobs(server)).toSorted(),
    [sha256(Buffer.from("hello")), sha256(Buffer.alloc(0))].toSorted(),
  );
});

test("what is not the protocol is refused with its status, and nothing beyond the limits begins", async () => {
  await using server = await startTestServer({ config: { mediaMax_bytes: 1_000 } });
  const alice = await registerPerson(server.url, "alice");
  const ask = tus(server, alice);
  const at = (await ask(PATH, begin(10))).headers.get("location") as string;
  const named = (base64: string) => begin(1, { "upload-metadata": `filename ${base64}` });
  const cases: [string, Ask, number][] = [
    [PATH, { ...begin(1), headers: { "upload-length": "1", "tus-resumable": "0.2.2" } }, 412],
    [PATH, { method: "POST" }, 400],
    [PATH, begin(-1), 400],
    [PATH, begin(1_001), 413],
    [PATH, named(Buffer.from("x".repeat(300)).toString("base64")), 400],
    [at, { method: "PATCH", headers: { "upload-offset": "0", "content-type": "text/plain" }, body: "x" }, 415],
    [at, { method: "PATCH", headers: { "content-type": "application/offset+octet-stream" }, body: "x" }, 400],
    [at, chunk(3, "x"), 409],
    [at, chunk(0, "x".repeat(11)), 413],
    [`${PATH}/nothing`, chunk(0, "x"), 404],
  ];
  for (const [path, sent, status] of cases) {
    const answer = await ask(path, sent);
    assert.equal(answer.status, status, JSON.stringify(sent));
    assert.equal(answer.headers.get("tus-resumable"), "1.0.0");
    assert.match((await answer.json()).errcode, /^M_/);
  }
  const options = await fetch(server.url + at, { method: "OPTIONS" });
  assert.match(options.headers.get("access-control-allow-methods") ?? "", /PATCH/);
  assert.equal(options.headers.get("tus-version"), "1.0.0");
  assert.equal((await fetch(server.url + PATH, { method: "POST" })).status, 401);
  for (let made = 1; made < 20; made++) assert.equal((await ask(PATH, begin(1))).status, 201);
  assert.equal((await ask(PATH, begin(1))).status, 429);
  await discardUploads(server.ctx, [at.split("/").at(-1) as string]);
  assert.equal((await ask(PATH, begin(1))).status, 201);
});

test("of a file that is deleted before its last piece nothing stays in the store", async () => {
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const ask = tus(server, alice);
  const created = await ask(PATH, begin(6));
  const place = created.headers.get("location") as string;
  await ask(place, chunk(0, "abc"));
  await removeMedia(server.ctx, [place.slice(PATH.length + 1)]);
  assert.equal((await ask(place, chunk(3, "def"))).status, 204);
  await until("the store is empty", async () => (await blobs(server)).length === 0);
});
