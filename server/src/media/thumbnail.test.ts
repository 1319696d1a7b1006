import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { crc32, deflateSync } from "node:zlib";
import sharp from "sharp";
import { registerPerson, request, type Person } from "../../../testkit/src/http.ts";
import { startTestServer } from "../../../testkit/src/server.ts";
import { fitted, sizeFor } from "./thumbnail-size.ts";

let server: Awaited<ReturnType<typeof startTestServer>>;
let alice: Person;
before(async () => {
  server = await startTestServer();
  alice = await registerPerson(server.url, "alice");
});
after(() => server[Symbol.asyncDispose]());

async function upload(bytes: Buffer, type: string): Promise<string> {
  const headers = { "content-type": type };
  const sent = { token: alice.token, body: bytes, headers };
  const { body } = await request(server.url, "POST", "/_matrix/media/v3/upload", sent);
  return (body.content_uri as string).replace("mxc://", "");
}

const thumbnail = (id: string, wanted: string) =>
  alice.ask("GET", `/_matrix/client/v1/media/thumbnail/${id}?${wanted}`);

/** Half transparent where the colour has eight digits. */
const plain = (width: number, height: number, background: string) =>
  sharp({ create: { width, height, channels: background.length === 9 ? 4 : 3, background } });

async function moving(): Promise<Buffer> {
  const frames = ["red", "green", "blue"].map((background) => plain(400, 300, background).png().toBuffer());
  return sharp(await Promise.all(frames), { join: { animated: true } })
    .gif()
    .toBuffer();
}

test("what is asked for is never larger than what is given, and what is cropped has its shape", () => {
  assert.deepEqual(sizeFor("scale", { width: 300, height: 300 }), { width: 640, height: 480 });
  assert.equal(sizeFor("scale", { width: 1_700, height: 10 }), undefined);
  assert.deepEqual(sizeFor("crop", { width: 90, height: 90 }), { width: 96, height: 96 });
  assert.deepEqual(sizeFor("crop", { width: 160, height: 90 }), { width: 320, height: 180 });
  assert.deepEqual(sizeFor("crop", { width: 150, height: 200 }), { width: 240, height: 320 });
  assert.deepEqual(fitted("crop", { width: 600, height: 400 }, { width: 640, height: 640 }), {
    width: 400,
    height: 400,
  });
  assert.deepEqual(fitted("scale", { width: 6_000, height: 1 }, { width: 320, height: 240 }), {
    width: 320,
    height: 1,
  });
});

test("an animated thumbnail is given to who asks for one, and to nobody else", async () => {
  const id = await upload(await moving(), "image/gif");
  const framesOf = async (wanted: string) => {
    const { body, headers } = await thumbnail(id, wanted);
    const { pages = 1 } = await sharp(body, { animated: true }).metadata();
    return [headers.get("content-type"), pages];
  };
  assert.deepEqual(await framesOf("width=64&height=64&animated=true"), ["image/webp", 3]);
  assert.deepEqual(await framesOf("width=64&height=64&animated=false"), ["image/png", 1]);
  assert.deepEqual(await framesOf("width=64&height=64"), ["image/png", 1]);
  assert.deepEqual(
    await framesOf("width=600&height=400&animated=true"),
    ["image/gif", 3],
    "the original is small enough",
  );
  assert.deepEqual(await framesOf("width=600&height=400"), ["image/png", 1], "the original moves");
});

test("transparency stays, pictures are turned upright, and what is small is given as it is", async () => {
  const clear = await plain(600, 400, "#ff000080").png().toBuffer();
  const seen = await thumbnail(await upload(clear, "image/png"), "width=32&height=32&method=crop");
  assert.equal(seen.headers.get("content-type"), "image/png");
  assert.equal(seen.headers.get("content-disposition"), "inline; filename=thumbnail.png");
  assert.ok((await sharp(seen.body).metadata()).hasAlpha);

  const turned = await plain(600, 400, "green").jpeg().withMetadata({ orientation: 6 }).toBuffer();
  const { width, height } = await sharp(
    (await thumbnail(await upload(turned, "image/jpeg"), "width=300&height=200")).body,
  ).metadata();
  assert.deepEqual([width, height], [160, 240]);

  const small = await plain(50, 40, "green").png().toBuffer();
  const id = await upload(small, "image/png");
  assert.deepEqual((await thumbnail(id, "width=320&height=240")).body, small);
  assert.equal((await alice.ask("GET", `/_matrix/client/v1/media/download/${id}`)).status, 200);
});

/** A PNG of so many pixels, whose bytes are not there. */
function bomb(side: number): Buffer {
  const chunk = (name: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const start = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const data = deflateSync(Buffer.alloc(1_000));
  return Buffer.concat([start, chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))]);
}

test("a small file that unfolds to very many pixels is refused before it does, and so is what only says that it is an image", async () => {
  const large = await thumbnail(await upload(bomb(60_000), "image/png"), "width=32&height=32");
  assert.deepEqual([large.status, large.body.errcode], [413, "M_TOO_LARGE"]);
  const svg = Buffer.from(
    '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"><rect width="9" height="9"/></svg>',
  );
  const drawn = await thumbnail(await upload(svg, "image/png"), "width=32&height=32");
  assert.deepEqual([drawn.status, drawn.body.errcode], [400, "M_UNKNOWN"]);
  for (const wanted of [
    "width=0&height=32",
    "width=-1&height=32",
    "width=a&height=32",
    "width=32",
    "width=3.5&height=3",
  ])
    assert.equal((await thumbnail(await upload(bomb(10), "image/png"), wanted)).status, 400, wanted);
});
