/** Thumbnails. Specification: client-server-api, "Content repository", "Thumbnails". */
import { z } from "zod";
import type { Context } from "../context.ts";
import { asError, matrixError } from "../errors.ts";
import { Answer, route } from "../http.ts";
import { limits } from "../limits.ts";
import { MEDIA_HEADERS, type Ready, readyMedia } from "./download.ts";
import { findThumbnail, insertThumbnail, type Thumbnail, type ThumbnailKey } from "./queries.ts";
import { blobsOf } from "./store.ts";

type Method = "crop" | "scale";

/** The sizes that are made: the smallest that is at least as large as what was asked for. So nobody can ask for a thousand others. */
const SIZES: Record<Method, readonly (readonly [number, number])[]> = {
  crop: [
    [32, 32],
    [96, 96],
    [320, 320],
  ],
  scale: [
    [320, 240],
    [640, 480],
    [800, 600],
    [1600, 1200],
  ],
};

/** What an image library is given to read: images, and nothing that it hands on to other programs. */
const READABLE = /^image\/(jpeg|png|gif|webp|avif|apng)\b/;

const query = z.looseObject({
  width: z.coerce.number().int().min(1),
  height: z.coerce.number().int().min(1),
  method: z.enum(["crop", "scale"]).default("scale"),
  animated: z.enum(["true", "false"]).optional(),
  timeout_ms: z.coerce.number().int().min(0).optional(),
});

export const thumbnail = route({
  method: "GET",
  path: "/_matrix/client/v1/media/thumbnail/:serverName/:mediaId",
  access: "session",
  rate: "media",
  query,
  async handle(request, ctx) {
    const media = await readyMedia(ctx, request as never);
    if (!READABLE.test(media.contentType))
      throw matrixError("M_UNKNOWN", "There is no thumbnail of this kind of file.", { status: 400 });
    const key = keyOf(media, request.query);
    const made = (await findThumbnail(ctx, key)) ?? (await makeOnce(ctx, media, key));
    const stream = await blobsOf(ctx).get(made.sha256);
    if (!stream) throw matrixError("M_NOT_FOUND", "The thumbnail is lost: its bytes are no longer in the store.");
    const headers = {
      ...MEDIA_HEADERS,
      "content-type": made.contentType,
      "content-length": String(made.size_bytes),
      "content-disposition": 'inline; filename="thumbnail.webp"',
    };
    return new Answer({ headers, payload: stream });
  },
});

function keyOf(
  { sha256, contentType }: Ready,
  { width, height, method, animated }: z.output<typeof query>,
): ThumbnailKey {
  const sizes = SIZES[method];
  const [w, h] = (sizes.find(([w, h]) => w >= width && h >= height) ?? sizes.at(-1)) as readonly [number, number];
  const canMove = /^image\/(gif|webp|apng)\b/.test(contentType);
  return { sha256, width: w, height: h, method, animated: animated === "true" && canMove };
}

/** Several people who open a room at once ask for the same thumbnail: it is made once. */
const makingOf = new WeakMap<Context, Map<string, Promise<Thumbnail>>>();

function makeOnce(ctx: Context, media: Ready, key: ThumbnailKey): Promise<Thumbnail> {
  const making = makingOf.get(ctx) ?? new Map<string, Promise<Thumbnail>>();
  makingOf.set(ctx, making);
  const name = JSON.stringify(key);
  const running = making.get(name);
  if (running) return running;
  if (making.size >= limits.thumbnailsInWork)
    throw matrixError("M_LIMIT_EXCEEDED", "Too many thumbnails are being made. Try again in a second.", {
      retryAfter_ms: 1_000,
    });
  const made = make(ctx, media, key).finally(() => making.delete(name));
  making.set(name, made);
  return made;
}

async function make(ctx: Context, media: Ready, key: ThumbnailKey): Promise<Thumbnail> {
  const stream = media.size_bytes <= limits.thumbnailSource_bytes ? await blobsOf(ctx).get(media.sha256) : undefined;
  if (!stream) throw matrixError("M_TOO_LARGE", "The image is too large for a thumbnail.");
  const source = Buffer.concat(await stream.toArray());
  const image = await render(source, key);
  const stored = await blobsOf(ctx).put(image, { max_bytes: limits.thumbnailSource_bytes });
  const made = { ...stored, contentType: "image/webp" };
  await insertThumbnail(ctx, key, made);
  return made;
}

async function render(source: Buffer, { width, height, method, animated }: ThumbnailKey): Promise<Buffer> {
  // Imported when first needed: the library is large, and many servers only ever see encrypted images.
  const { default: sharp } = await import("sharp");
  try {
    return await sharp(source, { animated, limitInputPixels: limits.thumbnailSource_pixels, failOn: "error" })
      .rotate()
      .resize({ width, height, fit: method === "crop" ? "cover" : "inside", withoutEnlargement: true })
      .webp({ quality: 80 })
      .toBuffer();
  } catch (thrown) {
    throw matrixError("M_UNKNOWN", `There is no thumbnail: the image can not be read (${asError(thrown).message}).`, {
      status: 400,
    });
  }
}
