import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";
import sharp from "sharp";
import { registerPerson, request, type Person } from "../../../testkit/src/http.ts";
import { startS3 } from "../../../testkit/src/clouds/s3.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { openFilesystemBlobs } from "../blobs/filesystem.ts";
import { readConfig } from "../config.ts";
import { realSeams } from "../seams.ts";

const png = () =>
  sharp({ create: { width: 600, height: 400, channels: 3, background: "#0b6e63" } })
    .png()
    .toBuffer();

async function upload(
  url: string,
  person: Person,
  { bytes, type, name = "" }: { bytes: Buffer; type: string; name?: string },
): Promise<string> {
  const answer = await request(url, "POST", `/_matrix/media/v3/upload?filename=${encodeURIComponent(name)}`, {
    token: person.token,
    body: bytes,
    headers: { "content-type": type },
  });
  assert.equal(answer.status, 200);
  return (answer.body.content_uri as string).replace("mxc://", "");
}

const downloadPath = (id: string) => `/_matrix/client/v1/media/download/${id}`;

test("what is downloaded is what was uploaded, for people who are signed in only", async () => {
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
  const id = await upload(server.url, alice, {
    bytes,
    type: "application/octet-stream",
    name: "Jahresbericht größer.bin",
  });
  const got = await alice.ask("GET", downloadPath(id));
  assert.deepEqual(got.body, bytes);
  assert.equal(
    got.headers.get("content-disposition"),
    "attachment; filename*=utf-8''Jahresbericht%20gr%C3%B6%C3%9Fer.bin",
  );
  assert.equal((await request(server.url, "GET", downloadPath(id))).status, 401);
  assert.equal((await alice.ask("GET", downloadPath("localhost/nothing"))).body.errcode, "M_NOT_FOUND");
});

test("a range gives its bytes, one beyond the end says so, and nonsense gives the whole", async () => {
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const id = await upload(server.url, alice, { bytes: Buffer.from("0123456789"), type: "text/plain" });
  const ask = (range: string) =>
    fetch(server.url + downloadPath(id), { headers: { range, authorization: `Bearer ${alice.token}` } });
  const cases = [
    ["bytes=2-4", 206, "234"],
    ["bytes=7-", 206, "789"],
    ["bytes=-3", 206, "789"],
    ["bytes=5-900", 206, "56789"],
    ["bytes=10-", 416, '{"errcode":"M_INVALID_PARAM","error":"The file has 10 bytes."}'],
    ["bytes=a-b", 200, "0123456789"],
  ] as const;
  for (const [range, status, text] of cases) {
    const answer = await ask(range);
    assert.equal(answer.status, status, range);
    assert.equal(await answer.text(), text, range);
  }
});

test("nothing that can run a script is shown in place, and nothing may act as a page of the server", async () => {
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  for (const [type, kind] of [
    ["text/html", "attachment"],
    ["image/svg+xml", "attachment"],
    ["application/xhtml+xml", "attachment"],
    ["image/png", "inline"],
    ["text/plain; charset=utf-8", "inline"],
  ] as const) {
    const id = await upload(server.url, alice, { bytes: Buffer.from("<b>x</b>"), type });
    const { headers } = await alice.ask("GET", downloadPath(id));
    assert.match(headers.get("content-disposition") ?? "", new RegExp(`^${kind}`), type);
    assert.match(headers.get("content-security-policy") ?? "", /^sandbox/);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
  }
});

test("a file that is too large is refused, whether it says so or not, and leaves nothing behind", async () => {
  await using server = await startTestServer({ config: { mediaMax_bytes: 1_000 } });
  const alice = await registerPerson(server.url, "alice");
  const answer = await request(server.url, "POST", "/_matrix/media/v3/upload", {
    token: alice.token,
    body: Buffer.alloc(1_001),
  });
  assert.equal(answer.body.errcode, "M_TOO_LARGE");
  const chunked = await fetch(`${server.url}/_matrix/media/v3/upload`, {
    method: "POST",
    headers: { authorization: `Bearer ${alice.token}` },
    body: Readable.toWeb(Readable.from([Buffer.alloc(600), Buffer.alloc(600)])) as never,
    duplex: "half",
  } as never).catch(() => undefined);
  if (chunked) assert.equal(chunked.status, 413);
  assert.deepEqual(await readdir(join(server.dataDir, "media")), ["incoming"]);
  assert.deepEqual(await readdir(join(server.dataDir, "media", "incoming")), []);
});

test("an id that is made first is filled once, by its owner", async () => {
  await using server = await startTestServer();
  const [alice, bob] = [await registerPerson(server.url, "alice"), await registerPerson(server.url, "bob")];
  const { content_uri } = await alice.call("POST", "/_matrix/media/v1/create");
  const id = (content_uri as string).replace("mxc://", "");
  assert.equal((await alice.ask("GET", `${downloadPath(id)}?timeout_ms=0`)).body.errcode, "M_NOT_YET_UPLOADED");
  const put = (person: Person) =>
    request(server.url, "PUT", `/_matrix/media/v3/upload/${id}`, { token: person.token, body: Buffer.from("later") });
  assert.equal((await put(bob)).body.errcode, "M_FORBIDDEN");
  assert.equal((await put(alice)).status, 200);
  assert.equal((await put(alice)).body.errcode, "M_CANNOT_OVERWRITE_MEDIA");
  assert.equal(String((await bob.ask("GET", downloadPath(id))).body), "later");
});

test("a thumbnail is made in one of a few sizes, once, and never of what is no image", async () => {
  await using server = await startTestServer();
  const alice = await registerPerson(server.url, "alice");
  const id = await upload(server.url, alice, { bytes: await png(), type: "image/png" });
  const path = (wanted: string) => `/_matrix/client/v1/media/thumbnail/${id}?${wanted}`;
  const scaled = await alice.ask("GET", path("width=300&height=200"));
  const cropped = await Promise.all([1, 2, 3].map(() => alice.ask("GET", path("width=90&height=90&method=crop"))));
  const sizeOf = async (bytes: Buffer) => {
    const { width, height, format } = await sharp(bytes).metadata();
    return `${format} ${width}x${height}`;
  };
  assert.equal(await sizeOf(scaled.body), "jpeg 320x213");
  for (const each of cropped) assert.equal(await sizeOf(each.body), "jpeg 96x96");
  const text = await upload(server.url, alice, { bytes: Buffer.from("no image"), type: "image/png" });
  assert.equal((await alice.ask("GET", `/_matrix/client/v1/media/thumbnail/${text}?width=32&height=32`)).status, 400);
});

test("G7: what a killed process left half written is gone at the next start, and was never visible", async () => {
  await using server = await startTestServer();
  const folder = join(server.dataDir, "other");
  const blobs = await openFilesystemBlobs(folder, realSeams);
  const broken = new Readable({
    read() {
      this.push("half");
      this.destroy(new Error("cut"));
    },
  });
  await assert.rejects(blobs.put(broken, { max_bytes: 100 }), /cut/);
  assert.deepEqual(await readdir(folder), ["incoming"]);
  const stored = await blobs.put(Buffer.from("whole"), { max_bytes: 100 });
  const again = await openFilesystemBlobs(folder, realSeams);
  assert.equal(String(Buffer.concat(await (await again.get(stored.sha256))!.toArray())), "whole");
});

test("over an object store, files, ranges and thumbnails are what they are over a folder", async () => {
  await using s3 = await startS3();
  const { storage } = readConfig({
    STORAGE_PROVIDER: "s3",
    S3_ENDPOINT: s3.url,
    S3_BUCKET: s3.bucket,
    S3_ACCESS_KEY_ID: s3.keys.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.keys.secretAccessKey,
  });
  await using server = await startTestServer({ config: { storage } });
  const alice = await registerPerson(server.url, "alice");
  const bytes = await png();
  const id = await upload(server.url, alice, { bytes, type: "image/png" });
  assert.deepEqual((await alice.ask("GET", downloadPath(id))).body, bytes);
  const ranged = await fetch(server.url + downloadPath(id), {
    headers: { range: "bytes=5-9", authorization: `Bearer ${alice.token}` },
  });
  assert.deepEqual([ranged.status, Buffer.from(await ranged.arrayBuffer())], [206, bytes.subarray(5, 10)]);
  const thumbnail = await alice.ask("GET", `/_matrix/client/v1/media/thumbnail/${id}?width=300&height=200`);
  assert.equal((await sharp(thumbnail.body).metadata()).width, 320);
  assert.equal(s3.objects.size, 2);

  s3.plan({ times: 1_000, manner: { status: 403, body: "" } });
  const away = await alice.ask("GET", downloadPath(id));
  assert.deepEqual([away.status, away.headers.get("retry-after")], [503, "5"]);
});
